import { noneIsReady, replicaPods } from '../../api/istiod-replicas.ts';
import { type KubernetesObject, keyText, type ObjectId } from '../../api/kubernetes-object.ts';
import type { Clock } from '../../base/clock.ts';
import { TransientError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { readerIds, renderReader } from '../../render/multicluster/reader.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { CredentialKey } from './credential-secret.ts';
import type { CredentialSlot, CredentialState } from './credential-state.ts';
import type { CredentialStore } from './credential-store.ts';
import { type CredentialStep, decideCredential, type MintReason } from './decide-credential.ts';
import { objectManager } from './field-managers.ts';
import { holdsUpStart } from './holds-up-start.ts';
import { observeReplicas } from './observe-replicas.ts';
import { issueToken, withdrawOtherTokens, withdrawToken } from './reader-tokens.ts';
import type { RemoteConnections } from './remote-connections.ts';
import type { RemotePass } from './remote-pass.ts';
import type { ProbedRemote } from './remote-prober.ts';
import { hasSameData, type Reader, remoteSecret, remoteSecretName } from './remote-secret.ts';

export interface CredentialKeeperDeps {
  /** Of this cluster. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly exec: PodExec;
  readonly events: EventRecorder;
  readonly store: CredentialStore;
  readonly connections: RemoteConnections;
  /** Secrets by which istiods know other clusters. */
  readonly remoteSecrets: Informer;
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
}

/** A pass, and whom the operator is in the other cluster. */
type Admitted = RemotePass & Pick<ProbedRemote, 'identity'>;

/** Steps of one pass: more would be a bug. */
const maxSteps = 8;

/**
 * Keeps the credentials by which istiods read other clusters, and replaces them in time. Every step is decided by
 * `decideCredential` from what is stored and seen, and is one write.
 */
export class CredentialKeeper {
  readonly #deps: CredentialKeeperDeps;
  /** By mesh: the cluster whose credential is about to be delivered, before the store says so. */
  readonly #turns = new Map<string, string>();

  constructor(deps: CredentialKeeperDeps) {
    this.#deps = deps;
  }

  /** Takes steps until one has to wait, and gives that. */
  async keep(pass: Admitted, isRefused: boolean): Promise<CredentialStep> {
    const { store, clock, podsIn, exec } = this.#deps;
    const { key, remote, mesh, request, signal } = pass;
    let refused = isRefused;
    for (let count = 0; count < maxSteps; count += 1) {
      const state = store.read(key);
      const delivered = this.#deliveredSlot(pass, state);
      const isDelivering = state.delivery !== undefined && delivered === 'next';
      const pods = replicaPods(podsIn(mesh.namespace));
      const replicas = isDelivering ? await observeReplicas(pods, key.clusterName, exec, signal) : [];
      const step = decideCredential(
        {
          ...{ state, delivered, replicas, isRefused: refused, request },
          ...{ mustQueue: this.#mustQueue(key), isStarting: noneIsReady(pods) },
        },
        remote,
        clock.now(),
      );
      if (step.do === 'mint') {
        await this.#mint(pass, step.why);
        refused = false;
      } else if (step.do === 'deliver') await this.#deliver(pass, step.slot);
      else if (step.do === 'promote') await this.#promote(pass);
      else if (step.do === 'revoke') {
        if (!(await this.#revoke(pass))) return step;
      } else return step;
    }
    throw new Error(`The credential for cluster ${key.clusterName} does not come to rest`);
  }

  /** Whether istiod knows the cluster and has not started yet. */
  isAwaited({ key, mesh }: RemotePass): boolean {
    const { remoteSecrets, podsIn } = this.#deps;
    const secret = remoteSecrets.get(mesh.namespace, remoteSecretName(key.clusterName));
    return secret !== undefined && noneIsReady(replicaPods(podsIn(mesh.namespace)));
  }

  /** Takes from istiod a cluster that holds up its start; `keep` gives it back when a replica is Ready. False: no need. */
  async withhold(pass: RemotePass): Promise<boolean> {
    const { client, clock, exec, events, podsIn } = this.#deps;
    const { key, mesh, owner, signal } = pass;
    if (!this.isAwaited(pass)) return false;
    const pods = replicaPods(podsIn(mesh.namespace));
    const replicas = await observeReplicas(pods, key.clusterName, exec, signal);
    if (!holdsUpStart(replicas, clock.now())) return false;
    await client.delete(secretId(key), {}, signal);
    const message = `istiod did not start while it waited for cluster ${key.clusterName}, and gets it again when a replica is Ready`;
    await events.record(owner, { type: 'Warning', reason: 'RemoteWithheld', message }, signal);
    return true;
  }

  /** Makes a credential, and what it stands on; what a former attempt has left goes first. */
  async #mint({ key, mesh, remote, identity, request, owner, signal }: Admitted, why: MintReason) {
    const { store, clock, connections, events } = this.#deps;
    const client = connections.to(key, identity);
    for (const object of renderReader(mesh)) {
      await client.apply(object, { fieldManager: objectManager, force: true }, signal);
    }
    const state = store.read(key);
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

  /** Gives istiod a slot. */
  async #deliver(pass: Admitted, slotName: 'current' | 'next'): Promise<void> {
    const { store, client, remoteSecrets } = this.#deps;
    const { key, signal } = pass;
    if (slotName === 'next') await this.#prepareDelivery(pass);
    const slot = store.read(key)[slotName];
    if (slot === undefined) return;
    const options = { fieldManager: objectManager, force: true };
    remoteSecrets.observeWrite(await client.apply(secretFor(pass, slot), options, signal));
  }

  /** The next credential has been seen to be good, and what replicas have counted before is written down. */
  async #prepareDelivery({ key, mesh, identity, signal }: Admitted): Promise<void> {
    const { store, connections, podsIn, exec } = this.#deps;
    const state = store.read(key);
    if (state.next === undefined) return;
    this.#turns.set(keyText(key.mesh), key.clusterName);
    try {
      if (await connections.refuses(identity, state.next.token, signal)) {
        throw new TransientError('refuses the credential that it has just issued', {
          reason: 'CredentialRefused',
        });
      }
      const pods = replicaPods(podsIn(mesh.namespace));
      const replicas = await observeReplicas(pods, key.clusterName, exec, signal);
      const before = Object.fromEntries(
        replicas.map(({ uid, startedAt, secretEvents }) => [
          uid,
          { ...(startedAt === undefined ? {} : { startedAt }), secretEvents },
        ]),
      );
      await store.write(key, { ...state, delivery: { before } }, signal);
    } finally {
      this.#turns.delete(keyText(key.mesh));
    }
  }

  /** Whether another credential of the mesh is on its way to istiod, whose replicas count changes of all Secrets together. */
  #mustQueue({ mesh, clusterName }: CredentialKey): boolean {
    const turn = this.#turns.get(keyText(mesh));
    if (turn !== undefined && turn !== clusterName) return true;
    const others = this.#deps.store.clustersOf(mesh).filter((other) => other !== clusterName);
    return others.some((other) => this.#deps.store.read({ mesh, clusterName: other }).delivery !== undefined);
  }

  async #promote({ key, signal }: RemotePass): Promise<void> {
    const { store } = this.#deps;
    const { current, next, delivery: _done, ...kept } = store.read(key);
    if (next === undefined) return;
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
   * Takes away all that a mesh has in a cluster which is none of its own any more, and what istiod had of it. Throws
   * while the cluster cannot be reached.
   */
  async release(key: CredentialKey, signal: AbortSignal): Promise<void> {
    const { store, connections, client: own } = this.#deps;
    const { namespace } = key.mesh;
    await own.delete(secretId(key), {}, signal);
    const { access, readerOf } = store.read(key);
    if (access !== undefined && readerOf !== undefined) {
      const mesh = { namespace, clusterId: readerOf };
      const client = connections.to(key, access);
      await withdrawOtherTokens(client, mesh, [], signal);
      for (const id of readerIds(mesh)) await client.delete(id, {}, signal);
    }
    await store.remove(key, signal);
    connections.forget(key);
  }

  #deliveredSlot(pass: Admitted, state: CredentialState): 'current' | 'next' | undefined {
    const { key, mesh } = pass;
    const observed = this.#deps.remoteSecrets.get(mesh.namespace, remoteSecretName(key.clusterName));
    return (['next', 'current'] as const).find((name) => {
      const slot = state[name];
      return slot !== undefined && hasSameData(observed, secretFor(pass, slot));
    });
  }
}

/** By which istiod knows the other cluster. */
function secretId({ mesh, clusterName }: CredentialKey): ObjectId {
  return { apiVersion: 'v1', kind: 'Secret', namespace: mesh.namespace, name: remoteSecretName(clusterName) };
}

/** What istiod reads to be in the other cluster by a credential. */
function secretFor({ owner, key, remote, identity }: Admitted, { token }: CredentialSlot): KubernetesObject {
  const { credential: _ours, ...place } = identity;
  const reader: Reader = {
    ...place,
    ...(remote.server === undefined ? {} : { server: remote.server }),
    token,
  };
  return remoteSecret(owner, key.clusterName, reader);
}
