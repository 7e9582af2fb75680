import { claimedTenant, claimsOf } from '../api/claims.ts';
import { kindInfo } from '../api/kinds.ts';
import {
  idOf,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../api/kubernetes-object.ts';
import { memberLabel, meshLabel, meshNamespaceLabel, ownerByLabels, tenantLabel } from '../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../api/mesh-operator.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { IstiodLeftovers } from '../controllers/mesh/istiod-leftovers.ts';
import { type Lingering, lingeringText } from '../controllers/mesh/lingering.ts';
import { MemberNamespaces } from '../controllers/mesh/member-namespaces.ts';
import { hasMeshFinalizer, releaseMeshFinalizer } from '../controllers/mesh/mesh-finalizer.ts';
import { MeshRemover } from '../controllers/mesh/mesh-remover.ts';
import { ownedKinds } from '../controllers/mesh/owned-kinds.ts';
import { Pruner } from '../controllers/mesh/pruner.ts';
import {
  beginDeparture,
  type Departure,
  departureOf,
  endDeparture,
} from '../controllers/mesh/tenant-departure.ts';
import { idsOf, union } from '../inventory/inventory.ts';
import type { KubeClient } from '../kube/client.ts';
import { listAllMeshes } from './all-meshes.ts';
import { listAll } from './istio-kinds.ts';

export interface MeshRemovalDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** How long nothing may go before the mesh goes without what holds it. */
  readonly deadlineMs: number;
  /** Called with a line for a person when something new is waited for. */
  readonly onProgress: (line: string) => void;
}

/** How soon it looks again at what is being deleted. */
const retryMs = 500;

/**
 * Does for a MeshOperator that is being deleted what the operator would: removes what was made for it, stage by stage, then what
 * istiod left, and lets go of it. For where no operator runs.
 */
export class MeshRemoval {
  readonly #deps: MeshRemovalDeps;
  #said = '';

  constructor(deps: MeshRemovalDeps) {
    this.#deps = deps;
  }

  /**
   * Returns when the MeshOperator may go, with what was left behind. Its control planes, where upgrades are `RevisionBased`, go
   * the same way. Also for one that is gone without its objects: `mesh` then has nothing but its name.
   */
  async remove(mesh: KubernetesObject, signal: AbortSignal): Promise<readonly Lingering[]> {
    const { client, clock, deadlineMs } = this.#deps;
    const all = await listAllMeshes(client, signal);
    const namespaces = new MemberNamespaces({ client, world: { observeNamespace: () => {} } });
    const departure = await findDeparture(client, mesh, all, signal);
    if (departure !== undefined) await beginDeparture(departure, namespaces, signal);
    const remover = new MeshRemover({
      pruner: new Pruner({ client, world: { find: () => undefined } }),
      leftovers: new IstiodLeftovers({ client, world: { meshes: () => all } }),
      ...{ clock, deadlineMs },
    });
    const ofParts: Lingering[] = [];
    const key = { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
    let left: readonly ObjectId[] = union(inventoryOf(mesh), await idsByLabels(client, key, signal));
    for (;;) {
      const { held, remaining, leftBehind } = await remover.step(mesh, left, signal);
      const [first] = held;
      if (first === undefined) {
        if (departure !== undefined) await endDeparture(departure, namespaces, signal);
        await this.#release(mesh, signal);
        return [...ofParts, ...leftBehind];
      }
      left = remaining;
      for (const { id } of held.filter((lingering) => lingering.id.kind === meshOperatorKind)) {
        const part = await client.find(id, signal);
        if (part?.metadata.deletionTimestamp === undefined) continue;
        ofParts.push(...(await this.remove(part, signal)));
      }
      await this.#wait(`${remaining.length} left, waits for ${lingeringText(first)}`, signal);
    }
  }

  async #release(mesh: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const latest = await client.find(idOf(mesh), signal);
    if (latest !== undefined && latest.metadata.uid === mesh.metadata.uid && hasMeshFinalizer(latest)) {
      await releaseMeshFinalizer(client, latest, signal);
    }
  }

  async #wait(line: string, signal: AbortSignal): Promise<void> {
    if (line !== this.#said) this.#deps.onProgress(line);
    this.#said = line;
    await sleep(this.#deps.clock, retryMs, signal);
  }
}

/** What a tenant gives back that goes; undefined where nothing is, and where another mesh has its name. Only reads. */
export async function findDeparture(
  client: KubeClient,
  mesh: KubernetesObject,
  meshes: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<Departure | undefined> {
  const tenant = claimedTenant(mesh);
  if (tenant === undefined) return undefined;
  const options = { labelSelector: `${memberLabel}=${tenant}` };
  const members = await listAll(client, kindInfo('v1', 'Namespace'), signal, options);
  return departureOf(mesh, {
    meshesClaiming: (key) => meshes.filter((other) => claimsOf(other).some((claim) => claim.key === key)),
    membersOf: () => members,
  });
}

/**
 * A MeshOperator that is gone, as far as the cluster still tells: the tenant that it was for stands on its namespace, unless
 * another mesh has that tenant now.
 */
export async function goneMesh(
  client: KubeClient,
  { namespace, name }: ObjectKey,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const home = await client.find({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, signal);
  const tenant = home?.metadata.labels?.[tenantLabel];
  const isFree = !(await listAllMeshes(client, signal)).some((mesh) => claimedTenant(mesh) === tenant);
  return {
    ...{ apiVersion: meshOperatorApiVersion, kind: meshOperatorKind, metadata: { namespace, name } },
    spec: tenant === undefined || !isFree ? {} : { tenancy: { tenant } },
  };
}

/** What was made for a mesh, as its status names it. */
export function inventoryOf(mesh: KubernetesObject): readonly ObjectId[] {
  return union(((mesh as unknown as MeshOperator).status?.inventory ?? []) as ObjectId[], []);
}

/** Everything that says by its labels that it belongs to a mesh, whether or not that is still there. */
export async function idsByLabels(
  client: KubeClient,
  mesh: ObjectKey,
  signal: AbortSignal,
): Promise<readonly ObjectId[]> {
  const labelSelector = `${meshLabel}=${mesh.name},${meshNamespaceLabel}=${mesh.namespace}`;
  const lists = await Promise.all(ownedKinds.map((kind) => listAll(client, kind, signal, { labelSelector })));
  const parts = (await listAllMeshes(client, signal)).filter(({ metadata }) => {
    const owner = ownerByLabels(metadata.labels);
    const isPart = owner !== undefined && keyText(owner) === keyText(mesh);
    return isPart && metadata.namespace === mesh.namespace;
  });
  return idsOf([...lists.flat(), ...parts]);
}
