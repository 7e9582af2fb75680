import { issuerText } from '../api/issuer-text.ts';
import { kindInfo } from '../api/kinds.ts';
import { keyText } from '../api/kubernetes-object.ts';
import { rotateAnnotation } from '../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { resolveMesh } from '../api/resolve.ts';
import { systemClock } from '../base/clock.ts';
import type { RequestName } from '../pki/rotation-request.ts';
import { authorityOf } from './authority-of.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { exposureLines } from './exposure-window.ts';
import { followObject } from './follow-object.ts';
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
  if (options.wait !== true) return exitCodes.ok;
  const progress = new RotationProgress(request, before);
  await followObject(client, id, asked, (latest) => {
    const step = progress.next(authorityOf(latest));
    writeLines(step.lines, terminal);
    return step.hasEnded;
  });
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

function writeLines(lines: readonly string[], terminal: Terminal): void {
  for (const line of lines) terminal.stdout.write(`${line}\n`);
}
