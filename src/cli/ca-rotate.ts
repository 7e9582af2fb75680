import { issuerText } from '../api/issuer-text.ts';
import { kindInfo } from '../api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectId } from '../api/kubernetes-object.ts';
import { rotateAnnotation } from '../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { resolveMesh } from '../api/resolve.ts';
import { systemClock } from '../base/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { GoneError } from '../kube/errors.ts';
import type { RequestName } from '../pki/rotation-request.ts';
import { authorityOf } from './authority-of.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { exposureLines } from './exposure-window.ts';
import { RotationProgress } from './rotation-progress.ts';
import { requestRefusal, requestText } from './rotation-request.ts';
import { spireRotates } from './spire-rotates.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

/** What follows `mesh-operator ca rotate NAME`. */
export interface CaRotateOptions extends ClusterOptions {
  readonly namespace: string;
  readonly root?: boolean | undefined;
  readonly intermediate?: boolean | undefined;
  readonly compromised?: boolean | undefined;
  readonly recover?: boolean | undefined;
  /** Return when the rotation has ended. */
  readonly wait?: boolean | undefined;
}

const fieldManager = 'mesh-operator-cli';

/**
 * `mesh-operator ca rotate NAME`: asks the operator for a rotation by annotation. With `wait` it returns when that has
 * ended, and prints each phase and how long it took. Exit code 1 when it is refused, which changes nothing. Throws
 * UsageError unless exactly one rotation is asked for.
 */
export async function caRotate(
  name: string,
  options: CaRotateOptions,
  terminal: Terminal,
  clock = systemClock,
): Promise<ExitCode> {
  const request = requestOf(options);
  const client = clusterClient(options, clock);
  const { signal } = new AbortController();
  const id = { ...kindInfo(meshOperatorApiVersion, meshOperatorKind), namespace: options.namespace, name };
  const object = await client.get(id, signal);
  const now = clock.now();
  const mesh = resolveMesh(object as unknown as MeshOperator);
  const refusal = requestRefusal(request, object, mesh, now);
  if (refusal !== undefined) {
    terminal.stderr.write(`${keyText(id)}: nothing was asked for. ${refusal}\n`);
    return exitCodes.failed;
  }
  const { certificateAuthority: before } = authorityOf(object);
  const { issuer, spire } = mesh.authority;
  if (request === 'KeyCompromise' && before !== undefined) {
    const issuerName = issuer === undefined ? undefined : issuerText(issuer);
    writeLines(exposureLines(before, { issuer: issuerName, isOfIstiodAlone: spire !== undefined }), terminal);
  }
  if (spire !== undefined) terminal.stderr.write(`${keyText(id)}: ${spireRotates}\n`);
  const text = requestText(request, now);
  const merge = { metadata: { annotations: { [rotateAnnotation]: text } } };
  const asked = await client.patch(id, { type: 'merge', merge }, { fieldManager }, signal);
  terminal.stderr.write(`${keyText(id)}: asked for ${text}\n`);
  if (options.wait === true) await follow(client, id, asked, new RotationProgress(request, before), terminal);
  return exitCodes.ok;
}

function requestOf({ root, intermediate, compromised, recover }: CaRotateOptions): RequestName {
  const asked: RequestName[] = [
    ...(root === true ? (['root'] as const) : []),
    ...(intermediate === true ? (['intermediate'] as const) : []),
    ...(compromised === true ? (['KeyCompromise'] as const) : []),
    ...(recover === true ? (['Recovery'] as const) : []),
  ];
  const [request, ...others] = asked;
  if (request === undefined || others.length > 0) {
    throw new UsageError('Give one of --root, --intermediate, --compromised and --recover');
  }
  return request;
}

/** Returns when the rotation has ended. Throws when the mesh is deleted or the API server is lost meanwhile. */
async function follow(
  client: KubeClient,
  id: ObjectId & { readonly namespace: string },
  from: KubernetesObject,
  progress: RotationProgress,
  terminal: Terminal,
): Promise<void> {
  const stop = new AbortController();
  const hasEnded = (object: KubernetesObject) => {
    const step = progress.next(authorityOf(object));
    writeLines(step.lines, terminal);
    return step.hasEnded;
  };
  const kind = kindInfo(id.apiVersion, id.kind);
  const selection = { namespace: id.namespace, fieldSelector: `metadata.name=${id.name}` };
  for (let object = from; ; object = await client.get(id, stop.signal)) {
    if (hasEnded(object)) return;
    try {
      const options = { ...selection, resourceVersion: object.metadata.resourceVersion ?? '' };
      for await (const event of client.watch(kind, options, stop.signal)) {
        if (event.type === 'DELETED') break;
        if (event.type !== 'BOOKMARK' && hasEnded(event.object)) return;
      }
    } catch (error) {
      // The server keeps no version that old: the next look begins anew.
      if (!(error instanceof GoneError)) throw error;
    }
  }
}

function writeLines(lines: readonly string[], terminal: Terminal): void {
  for (const line of lines) terminal.stdout.write(`${line}\n`);
}
