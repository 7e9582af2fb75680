import { setCondition } from '../../api/conditions.ts';
import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { rotateRemotesAnnotation } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { pauseAt, pauseEndsInMs } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type MayAct, ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { StatusPart, StatusWriter } from '../../kube/status-writer.ts';
import type { Informer } from '../../runtime/informer.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import type { CredentialStore } from './credential-store.ts';
import type { RemoteKeeper } from './remote-keeper.ts';
import type { RemoteOutcome } from './remote-outcome.ts';
import { remotesStatement, remotesStatus } from './remotes-status.ts';
import { requestFor } from './request-for.ts';

export interface RemotesReconcilerDeps {
  readonly clock: Clock;
  readonly meshes: Informer;
  readonly store: CredentialStore;
  readonly keeper: RemoteKeeper;
  readonly status: StatusWriter;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** How soon to try again to take away what a cluster that does not answer still has. */
const releaseRetryMs = 30_000;

/** Keeps the other clusters of each mesh known to its istiod, and what that knows them by fresh. */
export class RemotesReconciler implements Reconciler {
  readonly #deps: RemotesReconcilerDeps;
  readonly #resolved: ResolvedMeshCache;

  constructor(deps: RemotesReconcilerDeps) {
    this.#deps = deps;
    this.#resolved = new ResolvedMeshCache(deps.mayAct);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const { clock, meshes, status, keeper } = this.#deps;
    const object = meshes.get(key.namespace, key.name);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
      keeper.forget(key);
      return requeueAfter(await this.#releaseAll(key, [], context));
    }
    const now = clock.now();
    const pause = pauseAt(object as unknown as MeshOperator, now);
    if (pause !== undefined) return requeueAfter(pauseEndsInMs(pause, now));
    const mesh = this.#resolved.find(object);
    if (mesh === undefined) return {};
    const remotes = mesh.multiCluster?.role === 'Primary' ? mesh.multiCluster.remotes : [];
    if (remotes.every(({ role }) => role !== 'Remote')) keeper.forget(key);
    const releaseAgainMs = await this.#releaseAll(
      key,
      remotes.map(({ clusterName }) => clusterName),
      context,
    );
    const outcomes = await this.#keepAll(key, object, mesh, context);
    const part = this.#part(object, outcomes, now);
    const { written, dueInMs } = await status.write(object, part, context.signal);
    if (written !== undefined) meshes.observeWrite(written);
    return requeueAfter(releaseAgainMs, dueInMs, ...outcomes.map(({ againInMs }) => againInMs));
  }

  /** All at once: one after the other, a dead cluster would hold up the rest. */
  async #keepAll(
    key: ObjectKey,
    owner: KubernetesObject,
    mesh: ResolvedMesh,
    { signal }: ReconcileContext,
  ): Promise<RemoteOutcome[]> {
    const { keeper } = this.#deps;
    const remotes = mesh.multiCluster?.role === 'Primary' ? mesh.multiCluster.remotes : [];
    const asked = owner.metadata.annotations?.[rotateRemotesAnnotation];
    return Promise.all(
      remotes.map((remote) =>
        keeper.keep({
          ...{ mesh, owner, remote, signal },
          request: requestFor(remote.clusterName, asked),
          key: { mesh: key, clusterName: remote.clusterName },
        }),
      ),
    );
  }

  /** Takes away what there is for clusters that are not named; gives when to try again. */
  async #releaseAll(
    key: ObjectKey,
    named: readonly string[],
    { signal, log }: ReconcileContext,
  ): Promise<number | undefined> {
    const { store, keeper } = this.#deps;
    let againInMs: number | undefined;
    for (const clusterName of store.clustersOf(key)) {
      if (named.includes(clusterName)) continue;
      try {
        await keeper.release({ mesh: key, clusterName }, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn('Another cluster keeps what the mesh had in it', {
          cluster: clusterName,
          error: messageOf(error),
        });
        againInMs = releaseRetryMs;
      }
    }
    return againInMs;
  }

  #part(object: KubernetesObject, outcomes: readonly RemoteOutcome[], now: Date): StatusPart {
    if (outcomes.length === 0) return {};
    const before = this.#deps.status.partOf(object);
    const observedGeneration = object.metadata.generation ?? 0;
    return {
      remotes: remotesStatus(outcomes, before.remotes ?? [], now),
      conditions: [
        ...setCondition(before.conditions ?? [], { ...remotesStatement(outcomes), observedGeneration }, now),
      ],
    };
  }
}
