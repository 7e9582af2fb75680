import { isDeepStrictEqual } from 'node:util';
import { earlierClaims } from '../../api/claims.ts';
import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { rotateRemotesAnnotation } from '../../api/labels.ts';
import type { MeshOperatorSpec } from '../../api/mesh-operator-spec.ts';
import { meshStanding } from '../../api/mesh-standing.ts';
import type { ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import { remotesOf } from '../../api/resolved-multi-cluster.ts';
import type { Remote } from '../../api/spec/multi-cluster.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Informer } from '../../runtime/informer.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { type CredentialKey, credentialSecretName } from './credential-secret.ts';
import type { CredentialStore } from './credential-store.ts';
import type { RemoteKeeper } from './remote-keeper.ts';
import type { RemoteStatement } from './remote-outcome.ts';
import type { RemotePass } from './remote-pass.ts';
import { requestFor } from './request-for.ts';

export interface RemoteReconcilerDeps {
  readonly clock: Clock;
  readonly meshes: Pick<Informer, 'get'>;
  readonly resolved: ResolvedMeshCache;
  readonly keeper: Pick<RemoteKeeper, 'keep' | 'release'>;
  readonly store: Pick<CredentialStore, 'isHeldByOther'>;
  /** The MeshOperators with a claim of a key (`claimsOf`). */
  readonly claiming: (claim: string) => Iterable<KubernetesObject>;
  /** Called when there is something else to say of a cluster of this mesh. */
  readonly onStatement: (mesh: ObjectKey) => void;
}

/** How soon to try again to take away what a cluster that does not answer still has. */
const releaseRetryMs = 30_000;
/** How soon to see whether another mesh has let go of a cluster. */
const heldPollMs = 2_000;

/**
 * Keeps one other cluster of a mesh known to its istiod, and what that knows it by fresh. Each cluster has passes of its
 * own: one that does not answer holds up no other.
 */
export class RemoteReconciler implements Reconciler {
  readonly #deps: RemoteReconcilerDeps;
  readonly #statements = new Map<string, RemoteStatement>();

  constructor(deps: RemoteReconcilerDeps) {
    this.#deps = deps;
  }

  /** What the last pass found; undefined before the first. */
  statementOf(key: CredentialKey): RemoteStatement | undefined {
    return this.#statements.get(credentialSecretName(key));
  }

  async reconcile(queued: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const key = remoteOf(queued);
    const { clock, meshes, resolved, store } = this.#deps;
    const seen = meshStanding(meshes.get(key.mesh.namespace, key.mesh.name), resolved, clock.now());
    if (seen.standing === 'Gone') return this.#release(key, context);
    if (seen.standing === 'AtRest') return requeueAfter(seen.endsInMs);
    const { object, mesh } = seen;
    const remote = remotesOf(mesh).find(({ clusterName }) => clusterName === key.clusterName);
    if (remote === undefined || this.#isOfEarlier(object, key)) return this.#release(key, context);
    // What istiod reads, and the reader over there, may be that one's as well.
    if (store.isHeldByOther(key)) return requeueAfter(heldPollMs);
    const request = requestFor(key.clusterName, object.metadata.annotations?.[rotateRemotesAnnotation]);
    return this.#keep({ key, mesh, owner: object, remote, request, signal: context.signal });
  }

  /** Whether an older mesh of the namespace names the cluster too, and so has it alone. */
  #isOfEarlier(object: KubernetesObject, { clusterName }: CredentialKey): boolean {
    return earlierClaims(object, this.#deps.claiming).some(
      ({ claim }) => claim.what === 'remote' && claim.name === clusterName,
    );
  }

  async #keep(pass: RemotePass): Promise<ReconcileResult> {
    const name = credentialSecretName(pass.key);
    const { againInMs, ...said } = await this.#deps.keeper.keep(pass);
    const statement = { said, generation: pass.owner.metadata.generation ?? 0 };
    const isNew = !isDeepStrictEqual(this.#statements.get(name), statement);
    this.#statements.set(name, statement);
    if (isNew) this.#deps.onStatement(pass.key.mesh);
    return requeueAfter(againInMs);
  }

  /** Takes away what there is for a cluster that is not named. */
  async #release(key: CredentialKey, { signal, log }: ReconcileContext): Promise<ReconcileResult> {
    const { keeper } = this.#deps;
    this.#statements.delete(credentialSecretName(key));
    try {
      await keeper.release(key, signal);
      return {};
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn('Another cluster keeps what the mesh had in it', { error: messageOf(error) });
      return requeueAfter(releaseRetryMs);
    }
  }
}

/** The key of a queue for one other cluster: no name of a cluster has a slash. */
export function queueKeyOf({ mesh, clusterName }: CredentialKey): ObjectKey {
  return { namespace: mesh.namespace, name: `${mesh.name}/${clusterName}` };
}

function remoteOf({ namespace, name }: ObjectKey): CredentialKey {
  const slash = name.indexOf('/');
  return { mesh: { namespace, name: name.slice(0, slash) }, clusterName: name.slice(slash + 1) };
}

/** The clusters that a MeshOperator has as its others, by its spec as it was written. */
export function namedRemotes({ spec }: KubernetesObject): readonly Remote[] {
  return (spec as MeshOperatorSpec | undefined)?.multiCluster?.remotes ?? [];
}
