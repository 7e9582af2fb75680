import { setCondition } from '../../api/conditions.ts';
import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import type { Condition, RemoteStatus } from '../../api/mesh-operator-status.ts';
import { meshStanding } from '../../api/mesh-standing.ts';
import type { ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import { remotesOf } from '../../api/resolved-multi-cluster.ts';
import type { Clock } from '../../base/clock.ts';
import type { StatusPart, StatusWriter } from '../../kube/status-writer.ts';
import type { Informer } from '../../runtime/informer.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import type { CredentialKey } from './credential-secret.ts';
import type { RemoteKeeper } from './remote-keeper.ts';
import type { RemoteStatement } from './remote-outcome.ts';
import { remotesConditionType, remotesStatement, remotesStatus } from './remotes-status.ts';

export interface RemotesReconcilerDeps {
  readonly clock: Clock;
  readonly meshes: Informer;
  readonly resolved: ResolvedMeshCache;
  readonly status: StatusWriter;
  readonly keeper: Pick<RemoteKeeper, 'forget'>;
  /** What the last pass for a cluster found; undefined before the first. */
  readonly statementOf: (key: CredentialKey) => RemoteStatement | undefined;
}

/** Says in the status of each mesh how it is with its other clusters. */
export class RemotesReconciler implements Reconciler {
  readonly #deps: RemotesReconcilerDeps;

  constructor(deps: RemotesReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { clock, meshes, resolved, status, keeper } = this.#deps;
    const now = clock.now();
    const seen = meshStanding(meshes.get(key.namespace, key.name), resolved, now);
    if (seen.standing === 'Gone') {
      keeper.forget(key);
      return {};
    }
    if (seen.standing === 'AtRest') return requeueAfter(seen.endsInMs);
    const { object, mesh } = seen;
    const remotes = remotesOf(mesh);
    if (remotes.every(({ role }) => role !== 'Remote')) keeper.forget(key);
    const names = remotes.map(({ clusterName }) => clusterName);
    const part = this.#part(object, key, names, now);
    // A cluster that has not been asked yet wakes the mesh when it has.
    if (part === undefined) return {};
    const { written, dueInMs } = await status.write(object, part, signal);
    if (written !== undefined) meshes.observeWrite(written);
    return requeueAfter(dueInMs);
  }

  /** Undefined while there is a cluster of which nothing is known. */
  #part(
    object: KubernetesObject,
    mesh: ObjectKey,
    names: readonly string[],
    now: Date,
  ): StatusPart | undefined {
    if (names.length === 0) return {};
    const { remotes: before = [], conditions = [] } = this.#deps.status.partOf(object);
    const statements = names.flatMap(
      (clusterName) =>
        this.#deps.statementOf({ mesh, clusterName }) ??
        statementBefore(clusterName, before, conditions) ??
        [],
    );
    if (statements.length < names.length) return undefined;
    const said = statements.map((statement) => statement.said);
    const observedGeneration = Math.min(...statements.map(({ generation }) => generation));
    return {
      remotes: remotesStatus(said, before, now),
      conditions: [...setCondition(conditions, { ...remotesStatement(said), observedGeneration }, now)],
    };
  }
}

/** After a start of the operator it takes a while until a dead cluster is known to be so: until then what it said last. */
function statementBefore(
  clusterName: string,
  remotes: readonly RemoteStatus[],
  conditions: readonly Condition[],
): RemoteStatement | undefined {
  const said = remotes.find((remote) => remote.clusterName === clusterName);
  const condition = conditions.find(({ type }) => type === remotesConditionType);
  return said === undefined ? undefined : { said, generation: condition?.observedGeneration ?? 0 };
}
