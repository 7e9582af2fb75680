import { noneIsReady, replicaPods, someIsReady } from '../../api/istiod-replicas.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { Clock } from '../../base/clock.ts';
import { TransientError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { istiodKubeconfigName } from '../../render/control-plane/names.ts';
import { readerIds } from '../../render/multicluster/reader.ts';
import { type CredentialKey, credentialSecretName } from './credential-secret.ts';
import type { CredentialSlot, CredentialState, Delivery } from './credential-state.ts';
import type { CredentialStore } from './credential-store.ts';
import { type CredentialStep, decideCredential, type MintReason, settledAt } from './decide-credential.ts';
import { DeliveryTurns } from './delivery-turns.ts';
import { mayBegin } from './heard-delivery.ts';
import { holdsUpStart } from './holds-up-start.ts';
import type { IstiodReplicas } from './istiod-replicas.ts';
import type { IstiodSecrets } from './istiod-secrets.ts';
import { losingPods, mustKeepBytes } from './kubeconfig-change.ts';
import { type ObservedReplica, replicasFor } from './observe-replicas.ts';
import { applyReader } from './reader-rights.ts';
import { issueToken, withdrawOtherTokens, withdrawToken } from './reader-tokens.ts';
import type { RemoteConnections } from './remote-connections.ts';
import { isConfigCluster, type RemotePass } from './remote-pass.ts';
import { type ProbedRemote, probeIntervalMs } from './remote-prober.ts';
import { restartDeployments } from './restart-istiod.ts';

export interface CredentialKeeperDeps {
  /** Of this cluster. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly replicas: IstiodReplicas;
  readonly events: EventRecorder;
  readonly store: CredentialStore;
  readonly connections: RemoteConnections;
  readonly secrets: IstiodSecrets;
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
  /** Asks for a pass. */
  readonly wake: (key: CredentialKey) => void;
}

/** A pass, and what the other cluster lets the operator do there. */
type Admitted = RemotePass & Pick<ProbedRemote, 'identity' | 'isRefused' | 'unallowed'>;

/** Steps of one pass: more would be a bug. */
const maxSteps = 8;

/**
 * Keeps the credentials by which istiods read other clusters, and replaces them in time. Every step is decided by
 * `decideCredential` from what is stored and seen, and is one write.
 */
export class CredentialKeeper {
  readonly #deps: CredentialKeeperDeps;
  readonly #turns: DeliveryTurns;
  /** The next tokens that clusters were last seen to accept. */
  readonly #accepted = new Map<string, { readonly token: string; readonly atMs: number }>();

  constructor(deps: CredentialKeeperDeps) {
    this.#deps = deps;
    this.#turns = new DeliveryTurns(deps.wake);
  }

  /** Takes steps until one has to wait, and gives that. */
  async keep(pass: Admitted): Promise<CredentialStep> {
    const { store, clock, secrets, podsIn } = this.#deps;
    const { key, remote, mesh, request } = pass;
    let refused = pass.isRefused;
    for (let count = 0; count < maxSteps; count += 1) {
      const state = store.read(key);
      const delivered = secrets.foundSlot(pass, state);
      const settles = settledAt(state);
      // What istiod has for its own cluster is what it cannot start without.
      const isStarting = !isConfigCluster(pass) && noneIsReady(replicaPods(podsIn(mesh.namespace)));
      const mayBeUsed = state.delivery !== undefined && (settles === undefined || settles <= clock.now());
      const replicas = mayBeUsed && delivered === 'next' ? await this.#replicas(pass) : [];
      const step = decideCredential(
        { state, delivered, replicas, isRefused: refused, request, isStarting },
        remote,
        clock.now(),
      );
      if (step.do === 'mint') {
        await this.#mint(pass, step.why);
        refused = false;
      } else if (step.do === 'deliver') {
        if (!(await this.#deliver(pass, step.slot))) return { do: 'queue' };
      } else if (step.do === 'promote') await this.#promote(pass);
      else if (step.do === 'revoke') {
        if (!(await this.#revoke(pass))) return step;
      } else if (step.do === 'restart') {
        if (!(await this.#restart(pass))) return step;
      } else return step;
    }
    throw new Error(`The credential for cluster ${key.clusterName} does not come to rest`);
  }

  /** Whether istiod knows the cluster and has not started yet. */
  isAwaited(pass: RemotePass): boolean {
    const { secrets, podsIn } = this.#deps;
    if (isConfigCluster(pass)) return false;
    return secrets.hasKubeconfig(pass) && noneIsReady(replicaPods(podsIn(pass.mesh.namespace)));
  }

  /** Whether some replica of istiod is Ready. */
  isIstiodReady({ mesh }: RemotePass): boolean {
    return someIsReady(replicaPods(this.#deps.podsIn(mesh.namespace)));
  }

  /** Takes from istiod a cluster that holds up its start; `keep` gives it back when a replica is Ready. False: no need. */
  async withhold(pass: RemotePass): Promise<boolean> {
    const { secrets, clock, events } = this.#deps;
    const { key, owner, signal } = pass;
    if (!this.isAwaited(pass)) return false;
    const replicas = await this.#replicas(pass);
    if (!holdsUpStart(replicas, clock.now())) return false;
    await secrets.removeKubeconfig(pass);
    const message = `istiod did not start while it waited for cluster ${key.clusterName}, and gets it again when a replica is Ready`;
    await events.record(owner, { type: 'Warning', reason: 'RemoteWithheld', message }, signal);
    return true;
  }

  /** Makes a credential, and what it stands on; what a former attempt has left goes first. */
  async #mint(pass: Admitted, why: MintReason): Promise<void> {
    const { store, clock, connections, events } = this.#deps;
    const { key, mesh, remote, identity, request, owner, signal } = pass;
    const client = connections.to(key, identity);
    await this.#rememberConfigSecret(pass);
    const state = store.read(key);
    // With too few rights the reader stays as it is: istiod reads the cluster by that.
    if (pass.unallowed === undefined || state.current === undefined)
      await applyReader(client, mesh, isConfigCluster(pass), signal);
    const kept = [state.current?.holder, state.previous?.holder];
    await withdrawOtherTokens(client, mesh, kept, signal);
    const next = await issueToken(client, mesh, remote, clock, signal);
    const { delivery: _old, ...others } = state;
    await store.write(
      key,
      {
        ...others,
        next,
        access: identity,
        readerOf: mesh.clusterId,
        ...(request === undefined ? {} : { request }),
      },
      signal,
    );
    const message = `A credential for cluster ${key.clusterName} was issued (${why})`;
    await events.record(owner, { type: 'Normal', reason: 'RemoteCredentialIssued', message }, signal);
  }

  /** Before there is more over there than in other clusters: so that whatever is there is known. */
  async #rememberConfigSecret(pass: Admitted): Promise<void> {
    const { store } = this.#deps;
    const { key, mesh, identity, signal } = pass;
    const state = store.read(key);
    if (!isConfigCluster(pass) || state.configSecret !== undefined) return;
    const known = { access: identity, readerOf: mesh.clusterId, configSecret: istiodKubeconfigName(mesh) };
    await store.write(key, { ...state, ...known }, signal);
  }

  /** Gives istiod a slot; false where that has to wait for its turn. */
  async #deliver(pass: Admitted, slotName: 'current' | 'next'): Promise<boolean> {
    if (slotName === 'next') return this.#deliverNext(pass);
    await this.#prepareRepair(pass);
    await this.#write(pass, 'current');
    return true;
  }

  /** The same of the next one, once it has been seen to be good. */
  async #deliverNext(pass: Admitted): Promise<boolean> {
    const { store, secrets } = this.#deps;
    const { key } = pass;
    const state = store.read(key);
    if (state.next === undefined) return true;
    // Before the turn, for which others wait.
    await this.#assertAccepted(pass, state.next);
    const isNew = state.current === undefined && !secrets.hasKubeconfig(pass);
    const endTurn = this.#turns.take(key, !isNew);
    if (endTurn === undefined) return false;
    try {
      if (!(await this.#prepareDelivery(pass, state.next, isNew))) return false;
      await this.#write(pass, 'next');
      return true;
    } finally {
      endTurn();
    }
  }

  /** Throws where the cluster does not accept a credential that it has issued; once seen to, it is not asked again for a while. */
  async #assertAccepted({ key, identity, signal }: Admitted, { token }: CredentialSlot): Promise<void> {
    const { connections, clock } = this.#deps;
    const name = credentialSecretName(key);
    const seen = this.#accepted.get(name);
    if (seen?.token === token && clock.monotonicMs() - seen.atMs < probeIntervalMs) return;
    if (await connections.refuses(identity, token, signal)) {
      throw new TransientError('refuses the credential that it has just issued', {
        reason: 'CredentialRefused',
      });
    }
    this.#accepted.set(name, { token, atMs: clock.monotonicMs() });
  }

  /**
   * Writes down where istiod will read the next credential from, and unless the cluster is new to it what replicas have
   * counted before. False while they have not heard of an earlier delivery that they would count for this one.
   */
  async #prepareDelivery(pass: Admitted, next: CredentialSlot, isNew: boolean): Promise<boolean> {
    const { store, clock, replicas: istiods } = this.#deps;
    const { key, mesh, signal } = pass;
    // Before replicas are asked: one that ends meanwhile was heard of after that.
    const others = this.#otherDeliveries(key);
    const answers = await istiods.observe(mesh.namespace, signal);
    const replicas = replicasFor(key.clusterName, answers);
    // The kubeconfig of its own cluster is read once.
    const isInFile = isConfigCluster(pass) || mustKeepBytes(mesh.version.patch, replicas);
    const before = Object.fromEntries(
      replicas.map(({ uid, startedAt, secretEvents }) => [
        uid,
        { ...(startedAt === undefined ? {} : { startedAt }), secretEvents },
      ]),
    );
    const delivery: Delivery = {
      ...(isNew ? {} : { before }),
      ...(isInFile ? { fileSince: clock.now().toISOString() } : {}),
    };
    if (!mayBegin(delivery, others, answers)) return false;
    await this.#writeWithRestart(pass, next, replicas, { ...store.read(key), isInFile, delivery });
    return true;
  }

  /** Of other clusters of the mesh, by their names: what is under way, and where istiod reads it. */
  #otherDeliveries({ mesh, clusterName }: CredentialKey): ReadonlyMap<string, Delivery> {
    const { store, secrets } = this.#deps;
    const deliveries = new Map<string, Delivery>();
    for (const other of store.clustersOf(mesh)) {
      if (other === clusterName) continue;
      const key = { mesh, clusterName: other };
      const { delivery, next, isInFile } = store.read(key);
      if (delivery === undefined || next === undefined) continue;
      // What was written down and not delivered before an operator ended, nobody will hear of.
      if (secrets.isFound(key, next.token, isInFile === true)) deliveries.set(other, delivery);
    }
    return deliveries;
  }

  async #write(pass: Admitted, slotName: 'current' | 'next'): Promise<void> {
    const { store, secrets } = this.#deps;
    const state = store.read(pass.key);
    const slot = state[slotName];
    if (slot !== undefined) await secrets.write(pass, state, slot);
  }

  /** Before what istiod reads is made what it was, or has another address: who will have to start anew is written down. */
  async #prepareRepair(pass: Admitted): Promise<void> {
    const { store, secrets } = this.#deps;
    const state = store.read(pass.key);
    if (state.current === undefined || !secrets.hasOtherKubeconfig(pass, state, state.current)) return;
    await this.#writeWithRestart(pass, state.current, await this.#replicas(pass), state);
  }

  /** Writes a state, and into it which replicas will lose what they know of the cluster. */
  async #writeWithRestart(
    pass: Admitted,
    slot: CredentialSlot,
    replicas: readonly ObservedReplica[],
    state: CredentialState,
  ): Promise<void> {
    const { store, secrets, clock } = this.#deps;
    const { key, mesh, signal } = pass;
    const losing = isConfigCluster(pass)
      ? replicas.map(({ uid }) => uid)
      : losingPods(mesh.version.patch, replicas);
    const pods = secrets.hasOtherKubeconfig(pass, state, slot) ? losing : [];
    const restart = pods.length === 0 ? {} : { restart: { at: clock.now().toISOString(), pods } };
    await store.write(key, { ...state, ...restart }, signal);
  }

  /** True when all replicas that have lost what they knew of the cluster are gone. */
  async #restart({ key, mesh, signal }: Admitted): Promise<boolean> {
    const { store, client, podsIn } = this.#deps;
    const { restart, ...kept } = store.read(key);
    const lost = replicaPods(podsIn(mesh.namespace)).filter(
      ({ metadata }) => restart?.pods.includes(metadata.uid ?? '') === true,
    );
    if (restart !== undefined && lost.length > 0) {
      await restartDeployments(client, lost, restart.at, signal);
      return false;
    }
    await store.write(key, kept, signal);
    return true;
  }

  async #promote({ key, signal }: RemotePass): Promise<void> {
    const { store, secrets } = this.#deps;
    const { current, next, delivery: _done, ...kept } = store.read(key);
    if (next === undefined) return;
    this.#accepted.delete(credentialSecretName(key));
    if (kept.isInFile !== true) await secrets.removeToken(key, signal);
    await store.write(
      key,
      { ...kept, current: next, ...(current === undefined ? {} : { previous: current }) },
      signal,
    );
  }

  /** True when the cluster has been seen to refuse the previous credential. */
  async #revoke({ key, mesh, identity, signal }: Admitted): Promise<boolean> {
    const { store, connections } = this.#deps;
    const { previous, ...kept } = store.read(key);
    if (previous === undefined) return true;
    await withdrawToken(connections.to(key, identity), mesh, previous, signal);
    if (!(await connections.refuses(identity, previous.token, signal))) return false;
    await store.write(key, kept, signal);
    return true;
  }

  /**
   * Takes away all that a mesh has in a cluster which is none of its own any more, and what istiod had of it; where another
   * mesh of the namespace has the cluster, all of that is the other's and stays. Throws while the cluster cannot be reached.
   */
  async release(key: CredentialKey, signal: AbortSignal): Promise<void> {
    const { store, connections } = this.#deps;
    if (!store.isHeldByOther(key)) await this.#withdraw(key, signal);
    await store.remove(key, signal);
    connections.forget(key);
    this.#accepted.delete(credentialSecretName(key));
  }

  async #withdraw(key: CredentialKey, signal: AbortSignal): Promise<void> {
    const { store, connections, secrets } = this.#deps;
    const { namespace } = key.mesh;
    const { access, readerOf, configSecret } = store.read(key);
    await secrets.remove(key, configSecret, signal);
    if (access === undefined || readerOf === undefined) return;
    const mesh = { namespace, clusterId: readerOf };
    const client = connections.to(key, access);
    await withdrawOtherTokens(client, mesh, [], signal);
    for (const id of readerIds(mesh, configSecret !== undefined)) await client.delete(id, {}, signal);
  }

  async #replicas({ key, mesh, signal }: RemotePass): Promise<ObservedReplica[]> {
    return replicasFor(key.clusterName, await this.#deps.replicas.observe(mesh.namespace, signal));
  }
}
