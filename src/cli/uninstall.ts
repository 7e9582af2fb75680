import { claimedTenant } from '../api/claims.ts';
import { findCondition } from '../api/conditions.ts';
import { kindInfo } from '../api/kinds.ts';
import { idOf, type KubernetesObject, keyText, type ObjectId } from '../api/kubernetes-object.ts';
import { ownerByLabels } from '../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { type Clock, commandClock, sleep } from '../base/clock.ts';
import { NotFoundError } from '../base/errors.ts';
import { parseDurationMs } from '../config/parse-setting.ts';
import { proxyRevision } from '../controllers/data-plane/observed-pods.ts';
import type { Lingering } from '../controllers/mesh/lingering.ts';
import { leftBehindText } from '../controllers/mesh/mesh-remover.ts';
import type { KubeClient } from '../kube/client.ts';
import { GoneError } from '../kube/errors.ts';
import { listAllMeshes } from './all-meshes.ts';
import { type ClusterOptions, clusterClient } from './cluster.ts';
import { confirm } from './confirm.ts';
import { OperatorSigns } from './operator-signs.ts';
import { countText, type PurgePlan, planPurge, podsWithSidecar, purge } from './purge.ts';
import { findDeparture, goneMesh, idsByLabels, inventoryOf, MeshRemoval } from './remove-mesh.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

/** What follows `mesh-operator uninstall NAME`. */
export interface UninstallOptions extends ClusterOptions {
  readonly namespace: string;
  /** Also Istio's CRDs and the authority. */
  readonly purge?: boolean | undefined;
  /** Return when the mesh is gone. */
  readonly wait?: boolean | undefined;
  /** Remove everything itself when no operator does. */
  readonly force?: boolean | undefined;
  /** How long nothing may go before it goes on without what holds it, as a Go duration; for `force`. */
  readonly deadline: string;
  /** Do not ask. */
  readonly yes?: boolean | undefined;
  /** Of the operator's Lease. */
  readonly leaseName: string;
}

/** How often it looks for a sign of an operator. */
const intervalMs = 1_000;

/**
 * `mesh-operator uninstall NAME`: deletes a mesh. It says what goes and asks first, then shows how far the operator is;
 * with `force` it removes everything itself, should there be no operator, also what a mesh that is gone has left. Exit code 1
 * when nothing was done, when there is no operator and no `force`, or when something was left behind. Throws NotFoundError
 * when there is no such mesh and nothing of it, unless it is to be purged.
 */
export async function uninstall(
  name: string,
  options: UninstallOptions,
  terminal: Terminal,
  clock: Clock = commandClock,
): Promise<ExitCode> {
  const { namespace, leaseName } = options;
  const client = clusterClient(options, clock);
  const { signal } = new AbortController();
  const id = { ...kindInfo(meshOperatorApiVersion, meshOperatorKind), namespace, name };
  const deadlineMs = parseDurationMs(options.deadline);
  const mesh = await client.find(id, signal);
  const gone = mesh === undefined && options.force === true ? await goneMesh(client, id, signal) : undefined;
  const orphans = gone === undefined ? [] : await idsByLabels(client, id, signal);
  const members = await membersThatLeave(client, mesh ?? gone, signal);
  const isLeft = orphans.length > 0 || (gone !== undefined && members.length > 0);
  if (mesh === undefined && options.purge !== true && !isLeft) {
    throw new NotFoundError(`There is no MeshOperator ${keyText(id)}`, { reason: 'NotFound' });
  }
  const say = (line: string) => void terminal.stdout.write(`${line}\n`);
  const parent = ownerByLabels(mesh?.metadata.labels);
  if (parent !== undefined) {
    terminal.stderr.write(
      `${keyText(id)} is a control plane of MeshOperator ${keyText(parent)}: change or uninstall that one\n`,
    );
    return exitCodes.failed;
  }
  const plan = options.purge === true ? await planPurge(client, id, signal) : undefined;
  const proxies = mesh === undefined ? [] : await proxiesOf(client, mesh, signal);
  for (const line of planLines(id, mesh, { orphans, members, proxies, plan })) say(line);
  if (options.yes !== true && !(await confirm(name, terminal))) {
    terminal.stderr.write('Nothing was done.\n');
    return exitCodes.failed;
  }
  const signs = new OperatorSigns({ client, clock, leaseName, deadlineMs });
  const removal = new MeshRemoval({ client, clock, deadlineMs, onProgress: say });
  const left: Lingering[] = [];
  if (gone !== undefined && isLeft) {
    left.push(...(await removal.remove(gone, signal)));
    say(`What was left of ${keyText(id)} is gone`);
  }
  if (mesh !== undefined) {
    const { uid = '' } = mesh.metadata;
    await client.delete(id, { preconditions: { uid } }, signal);
    const isFollowed = options.wait === true || options.force === true || plan !== undefined;
    if (!isFollowed) {
      const isHeld = await signs.isHeld(signal);
      say(`${keyText(id)} is being deleted; "mesh-operator status" shows how far it is`);
      if (!isHeld) terminal.stderr.write(`${noOperator(leaseName)}\n`);
      return isHeld ? exitCodes.ok : exitCodes.failed;
    }
    const isGone = await new Deletion(client, mesh, say).follow(signs, clock);
    if (!isGone && options.force !== true) {
      terminal.stderr.write(`${noOperator(leaseName)}\n`);
      return exitCodes.failed;
    }
    if (!isGone) {
      say('No operator is at work: removing everything from here');
      const latest = await client.find(id, signal);
      if (latest?.metadata.uid === uid) left.push(...(await removal.remove(latest, signal)));
    }
    say(`${keyText(id)} is gone`);
  }
  if (plan !== undefined) {
    await purge(client, plan, signal);
    say(`Purged ${plan.ids.length === 1 ? '1 object' : `${plan.ids.length} objects`}`);
  }
  if (left.length > 0) terminal.stderr.write(`${leftBehindText(left)}\n`);
  return left.length > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Follows the deletion of one MeshOperator from the version of it that was read before. */
class Deletion {
  readonly #client: KubeClient;
  readonly #say: (line: string) => void;
  #mesh: KubernetesObject;
  #said = '';

  constructor(client: KubeClient, mesh: KubernetesObject, say: (line: string) => void) {
    this.#client = client;
    this.#mesh = mesh;
    this.#say = say;
  }

  /** Prints what the operator waits for, each once; true when the mesh is gone, false when no operator is at work. */
  async follow(signs: OperatorSigns, clock: Clock): Promise<boolean> {
    const stop = new AbortController();
    const endings = [this.#untilGone(stop.signal), this.#untilAbandoned(signs, clock, stop.signal)];
    try {
      return await Promise.race(endings);
    } finally {
      stop.abort();
      await Promise.allSettled(endings);
    }
  }

  async #untilGone(signal: AbortSignal): Promise<true> {
    const { name, namespace, uid } = this.#mesh.metadata;
    const kind = kindInfo(meshOperatorApiVersion, meshOperatorKind);
    for (;;) {
      const { resourceVersion = '' } = this.#mesh.metadata;
      const options = { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion };
      try {
        for await (const { type, object } of this.#client.watch(kind, options, signal)) {
          if (type === 'DELETED') return true;
          if (type !== 'BOOKMARK') this.#note(object);
        }
      } catch (error) {
        // The server keeps no version that old: the next look begins anew.
        if (!(error instanceof GoneError)) throw error;
      }
      const mesh = await this.#client.find(idOf(this.#mesh), signal);
      if (mesh === undefined || mesh.metadata.uid !== uid) return true;
      this.#note(mesh);
    }
  }

  async #untilAbandoned(signs: OperatorSigns, clock: Clock, signal: AbortSignal): Promise<false> {
    while (await signs.isAtWork(this.#mesh, signal)) await sleep(clock, intervalMs, signal);
    return false;
  }

  #note(mesh: KubernetesObject): void {
    this.#mesh = mesh;
    const line = progressText(mesh);
    if (line !== this.#said) this.#say(line);
    this.#said = line;
  }
}

function progressText(mesh: KubernetesObject): string {
  const { status } = mesh as unknown as MeshOperator;
  const ready = findCondition(status?.conditions ?? [], 'Ready');
  if (status?.state !== 'Deleting') return 'Waiting for the operator to begin';
  return `${inventoryOf(mesh).length} objects left. ${ready?.message}`;
}

/** Pods whose sidecar follows a control plane of this mesh. */
async function proxiesOf(
  client: KubeClient,
  mesh: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject[]> {
  const { status } = mesh as unknown as MeshOperator;
  const revisions = new Set([status?.revision, ...(status?.revisions ?? []).map(({ name }) => name)]);
  const pods = await podsWithSidecar(client, signal);
  return pods.filter((pod) => revisions.has(proxyRevision(pod)));
}

/** Namespaces that are members of its tenant. */
async function membersThatLeave(
  client: KubeClient,
  mesh: KubernetesObject | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (mesh === undefined || claimedTenant(mesh) === undefined) return [];
  const departure = await findDeparture(client, mesh, await listAllMeshes(client, signal), signal);
  return (departure?.members ?? []).map(({ metadata }) => metadata.name);
}

/** What goes beside the MeshOperator itself. */
interface Losses {
  readonly orphans: readonly ObjectId[];
  readonly members: readonly string[];
  readonly proxies: readonly KubernetesObject[];
  readonly plan: PurgePlan | undefined;
}

function planLines(
  id: ObjectId & { readonly namespace: string },
  mesh: KubernetesObject | undefined,
  { orphans, members, proxies, plan }: Losses,
): string[] {
  const objects = mesh === undefined ? 0 : inventoryOf(mesh).length;
  return [
    mesh === undefined
      ? `There is no MeshOperator ${keyText(id)} any more${orphans.length === 0 ? '' : `; ${orphans.length} objects of it go`}`
      : `MeshOperator ${keyText(id)} goes, with ${objects} objects`,
    ...(members.length === 0 ? [] : [`Its tenant leaves ${members.join(', ')}`]),
    ...(proxies.length === 0
      ? []
      : [`Sidecars go on without a control plane until their pods are made anew: ${countText(proxies)}`]),
    ...(plan === undefined ? ["Istio's CRDs and the authority of the mesh stay; --purge removes them"] : []),
    ...(plan?.ids ?? []).map(({ kind, name, namespace }) =>
      namespace === undefined ? `Purges ${kind} ${name}` : `Purges ${kind} ${namespace}/${name}`,
    ),
    ...(plan?.losses ?? []).map((loss) => `  and with that ${loss}`),
    ...(plan?.kept ?? []),
  ];
}

function noOperator(leaseName: string): string {
  return `No operator is at work (Lease ${leaseName}), or it does nothing about the mesh, so nothing removes it: start one, or call again with --force, which removes everything from here`;
}
