import { randomBytes } from 'node:crypto';
import { replicaPods } from '../../api/istiod-replicas.ts';
import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject, keyText, type ObjectId } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { messageOf, NotFoundError, TerminalError, TransientError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import type { RemoteIdentity } from '../../kube/remote-identity.ts';
import { readSecretText } from '../../kube/secret-data.ts';
import { rightsInRemote } from '../../render/multicluster/operator-access.ts';
import { readerIds, readerLabels, readerName, renderReader } from '../../render/multicluster/reader.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { WatchedObjects } from '../../runtime/watched-objects.ts';
import { type ClusterFacts, readCluster } from './cluster-facts.ts';
import type { CredentialKey } from './credential-secret.ts';
import type { CredentialSlot, CredentialState } from './credential-state.ts';
import type { CredentialStore } from './credential-store.ts';
import { type CredentialStep, decideCredential, type MintReason } from './decide-credential.ts';
import { objectManager } from './field-managers.ts';
import { judgeRemote } from './judge-remote.ts';
import { observeReplicas } from './observe-replicas.ts';
import { assertRights, probeRemote, type RemoteFacts } from './probe-remote.ts';
import { remoteAccess } from './remote-access.ts';
import type { RemoteConnections } from './remote-connections.ts';
import type { RemoteOutcome } from './remote-outcome.ts';
import { hasSameData, type Reader, remoteSecret, remoteSecretName } from './remote-secret.ts';

/** Which Secret lets the operator into which cluster, for whom. */
export interface AccessWatcher {
  readonly namespace: string;
  readonly name: string;
  readonly clusterName: string;
}

export interface RemoteKeeperDeps {
  /** Of this cluster. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly exec: PodExec;
  readonly events: EventRecorder;
  readonly store: CredentialStore;
  readonly connections: RemoteConnections;
  /** The Secrets that specs name. */
  readonly accessSecrets: WatchedObjects<AccessWatcher>;
  /** Secrets by which istiods know other clusters. */
  readonly remoteSecrets: Informer;
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
}

/** One pass for one other cluster. */
interface Pass {
  readonly key: CredentialKey;
  readonly mesh: ResolvedMesh;
  /** The MeshOperator. */
  readonly owner: KubernetesObject;
  readonly remote: ResolvedRemote;
  readonly request: string | undefined;
  readonly signal: AbortSignal;
}

/** What is remembered of a cluster between passes; losing it costs a question. */
interface Memory {
  readonly identity: RemoteIdentity;
  /** This cluster, as it was compared with. */
  readonly own: ClusterFacts;
  readonly facts: RemoteFacts;
  readonly probedAtMs: number;
  readonly isRefused: boolean;
}

/** How often a cluster is asked whether it is there and still lets us in. */
const probeIntervalMs = 60_000;
/** How soon to look again at what may take a moment. */
const pollMs = 500;
/** How soon to look again at what somebody has to mend. */
const troubleMs = 10_000;
/** Looks at a Secret that Kubernetes puts a token into. */
const tokenAttempts = 10;
/** Steps of one pass: more would be a bug. */
const maxSteps = 8;

/**
 * Keeps the ways into the other clusters of meshes: whom istiod is there, by which token, and that it has it. Every step
 * is decided by `decideCredential` from what is stored and seen, and is one write.
 */
export class RemoteKeeper {
  readonly #deps: RemoteKeeperDeps;
  readonly #memories = new Map<string, Memory>();
  /** By mesh: the cluster whose credential is about to be delivered, before the store says so. */
  readonly #turns = new Map<string, string>();

  constructor(deps: RemoteKeeperDeps) {
    this.#deps = deps;
  }

  /** Never throws but for an abort and a conflict: what is wrong with one cluster is its outcome. */
  async keep(pass: Pass): Promise<RemoteOutcome> {
    try {
      const { identity, own, facts, isRefused } = await this.#probe(pass);
      const problem = judgeRemote({
        ...{ mesh: pass.mesh, clusterName: pass.remote.clusterName, own, other: facts },
      });
      if (problem?.isOther === true) {
        const { reason, message } = problem;
        return this.#outcome(pass, { state: 'Refused', reason, message, againInMs: troubleMs });
      }
      const step = await this.#work(pass, identity, isRefused);
      const outcome = this.#after(pass, step);
      if (problem === undefined || outcome.state !== 'Ready') return outcome;
      return { ...outcome, state: 'Degraded', reason: problem.reason, message: problem.message };
    } catch (error) {
      return this.#failed(pass, error);
    }
  }

  /** Asks both clusters who they are, unless they have just said so to the same identity. */
  async #probe(pass: Pass): Promise<Memory> {
    const { accessSecrets, connections, clock } = this.#deps;
    const { key, mesh, remote, signal } = pass;
    const secretKey = { namespace: mesh.namespace, name: remote.access.secretName };
    const watcher = { ...key.mesh, clusterName: key.clusterName };
    const secret = await accessSecrets.read(watcher, secretKey, signal);
    const identity = remoteAccess(remote, secretKey, secret);
    const client = connections.to(key, identity);
    const memoryKey = memoryKeyOf(key);
    const known = this.#memories.get(memoryKey);
    const isSame = known !== undefined && sameIdentity(known.identity, identity);
    if (isSame && clock.monotonicMs() - known.probedAtMs < probeIntervalMs) return known;
    this.#memories.delete(memoryKey);
    // Before anything else: what is missing is named whole.
    if (!isSame) await assertRights(client, rightsInRemote(mesh), signal);
    const facts = await probeRemote(client, mesh.namespace, clock, signal);
    const own = await readCluster(this.#deps.client, mesh.namespace, signal);
    const { current } = this.#deps.store.read(key);
    const isRefused = current !== undefined && (await this.#isRefused(pass, identity, current));
    const memory: Memory = { identity, own, facts, isRefused, probedAtMs: clock.monotonicMs() };
    this.#memories.set(memoryKey, memory);
    return memory;
  }

  /** Takes steps until one has to wait. */
  async #work(pass: Pass, identity: RemoteIdentity, isRefused: boolean): Promise<CredentialStep> {
    const { store, clock, podsIn, exec } = this.#deps;
    const { key, remote, mesh, request, signal } = pass;
    let refused = isRefused;
    for (let count = 0; count < maxSteps; count += 1) {
      const state = store.read(key);
      const delivered = this.#deliveredSlot(pass, identity, state);
      const isDelivering = state.delivery !== undefined && delivered === 'next';
      const pods = replicaPods(podsIn(mesh.namespace));
      const replicas = isDelivering ? await observeReplicas(pods, key.clusterName, exec, signal) : [];
      const step = decideCredential(
        { state, delivered, replicas, isRefused: refused, request, mustQueue: this.#mustQueue(key) },
        remote,
        clock.now(),
      );
      if (step.do === 'mint') {
        await this.#mint(pass, identity, step.why);
        refused = false;
      } else if (step.do === 'deliver') await this.#deliver(pass, identity, step.slot);
      else if (step.do === 'promote') await this.#promote(pass);
      else if (step.do === 'revoke') {
        if (!(await this.#revoke(pass, identity))) return step;
      } else return step;
    }
    throw new Error(`The credential for cluster ${key.clusterName} does not come to rest`);
  }

  /** Makes a credential, and what it stands on; what a former attempt has left goes first. */
  async #mint(pass: Pass, identity: RemoteIdentity, why: MintReason): Promise<void> {
    const { store, clock, connections, events } = this.#deps;
    const { key, mesh, remote, request, signal, owner } = pass;
    const client = connections.to(key, identity);
    for (const object of renderReader(mesh)) {
      await client.apply(object, { fieldManager: objectManager, force: true }, signal);
    }
    const state = store.read(key);
    await this.#removeHolders(pass, client, [state.current?.holder, state.previous?.holder]);
    const issuedAt = clock.now().toISOString();
    const holder = await client.create(holderOf(mesh, remote), { fieldManager: objectManager }, signal);
    const { name, uid = '' } = holder.metadata;
    const issued =
      remote.credential.type === 'LongLived'
        ? { token: await this.#tokenIn(client, holder, signal) }
        : await client.requestToken(
            readerId(mesh),
            {
              expirationSeconds: Math.round(remote.credential.lifetimeMs / 1000),
              boundTo: { apiVersion: 'v1', kind: 'Secret', name, uid },
            },
            signal,
          );
    const next: CredentialSlot = {
      ...{ holder: name, token: issued.token, issuedAt },
      ...('expiresAt' in issued ? { expiresAt: issued.expiresAt.toISOString() } : {}),
    };
    const { delivery: _old, ...kept } = state;
    await store.write(
      key,
      {
        ...kept,
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

  /** The token that Kubernetes puts into a Secret of type service-account-token, a moment after it is made. */
  async #tokenIn(client: KubeClient, holder: KubernetesObject, signal: AbortSignal): Promise<string> {
    for (let attempt = 0; attempt < tokenAttempts; attempt += 1) {
      const token = readSecretText(await client.get(idOf(holder), signal), 'token');
      if (token !== undefined) return token;
      await sleep(this.#deps.clock, pollMs, signal);
    }
    throw new TransientError(`has put no token into Secret ${holder.metadata.name} yet`, {
      reason: 'TokenPending',
    });
  }

  /** Gives istiod a slot. */
  async #deliver(pass: Pass, identity: RemoteIdentity, slotName: 'current' | 'next'): Promise<void> {
    const { store, client, remoteSecrets } = this.#deps;
    const { key, signal } = pass;
    if (slotName === 'next') await this.#prepareDelivery(pass, identity);
    const slot = store.read(key)[slotName];
    if (slot === undefined) return;
    const desired = this.#secretFor(pass, identity, slot);
    const options = { fieldManager: objectManager, force: true };
    remoteSecrets.observeWrite(await client.apply(desired, options, signal));
  }

  /** The next credential has been seen to be good, and what replicas have counted before is written down. */
  async #prepareDelivery(pass: Pass, identity: RemoteIdentity): Promise<void> {
    const { store, podsIn, exec } = this.#deps;
    const { key, mesh, signal } = pass;
    const state = store.read(key);
    if (state.next === undefined) return;
    this.#turns.set(keyText(key.mesh), key.clusterName);
    try {
      if (await this.#isRefused(pass, identity, state.next)) {
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

  async #promote({ key, signal }: Pass): Promise<void> {
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
  async #revoke(pass: Pass, identity: RemoteIdentity): Promise<boolean> {
    const { store, connections } = this.#deps;
    const { key, mesh, signal } = pass;
    const { previous, ...kept } = store.read(key);
    if (previous === undefined) return true;
    const client = connections.to(key, identity);
    await client.delete(secretIn(mesh.namespace, previous.holder), {}, signal);
    if (!(await this.#isRefused(pass, identity, previous))) return false;
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
    await own.delete(secretIn(namespace, remoteSecretName(key.clusterName)), {}, signal);
    const { access, readerOf } = store.read(key);
    if (access !== undefined && readerOf !== undefined) {
      const mesh = { namespace, clusterId: readerOf };
      const client = connections.to(key, access);
      await this.#removeHolders({ mesh, signal }, client, []);
      for (const id of readerIds(mesh)) await client.delete(id, {}, signal);
    }
    await store.remove(key, signal);
    connections.forget(key);
    this.#memories.delete(memoryKeyOf(key));
  }

  /** Whether the cluster refuses a credential: not whether it may do everything, which its role says. */
  async #isRefused(
    { signal }: Pick<Pass, 'signal'>,
    identity: RemoteIdentity,
    { token }: CredentialSlot,
  ): Promise<boolean> {
    try {
      const right = { verb: 'list', group: '', resource: 'namespaces' };
      await this.#deps.connections.as({ ...identity, credential: { token } }, (client) =>
        client.mayI(right, signal),
      );
      return false;
    } catch (error) {
      if (isUnauthorized(error)) return true;
      throw error;
    }
  }

  /** What credentials stand on in the other cluster, but for those named. */
  async #removeHolders(
    {
      mesh,
      signal,
    }: { readonly mesh: Pick<ResolvedMesh, 'namespace' | 'clusterId'>; readonly signal: AbortSignal },
    client: KubeClient,
    kept: readonly (string | undefined)[],
  ): Promise<void> {
    const [[label, value] = []] = Object.entries(readerLabels(mesh));
    const { items } = await client.list(
      kindInfo('v1', 'Secret'),
      { namespace: mesh.namespace, labelSelector: `${label}=${value}` },
      signal,
    );
    for (const holder of items) {
      if (!kept.includes(holder.metadata.name)) await client.delete(idOf(holder), {}, signal);
    }
  }

  #deliveredSlot(
    pass: Pass,
    identity: RemoteIdentity,
    state: CredentialState,
  ): 'current' | 'next' | undefined {
    const { key, mesh } = pass;
    const observed = this.#deps.remoteSecrets.get(mesh.namespace, remoteSecretName(key.clusterName));
    return (['next', 'current'] as const).find((name) => {
      const slot = state[name];
      return slot !== undefined && hasSameData(observed, this.#secretFor(pass, identity, slot));
    });
  }

  #secretFor({ owner, key, remote }: Pass, identity: RemoteIdentity, { token }: CredentialSlot) {
    const { credential: _ours, ...place } = identity;
    const reader: Reader = {
      ...place,
      ...(remote.server === undefined ? {} : { server: remote.server }),
      token,
    };
    return remoteSecret(owner, key.clusterName, reader);
  }

  #after(pass: Pass, step: CredentialStep): RemoteOutcome {
    const { clock } = this.#deps;
    switch (step.do) {
      case 'wait':
        return this.#outcome(pass, {
          ...{ state: 'Progressing', reason: 'Delivering', againInMs: pollMs },
          message: `waits for istiod to use the new credential: ${step.behind.slice(0, 5).join('; ')}`,
        });
      case 'queue':
        return this.#outcome(pass, {
          ...{ state: 'Progressing', reason: 'Delivering', againInMs: pollMs },
          message: 'waits for the credential of another cluster',
        });
      case 'revoke':
        return this.#outcome(pass, {
          ...{ state: 'Ready', reason: 'Revoking', againInMs: 2 * pollMs },
          message: 'istiod uses the new credential; the previous one is taken back, and not refused yet',
        });
      default: {
        const dueAt = step.do === 'nothing' ? step.dueAt : undefined;
        const dueInMs = dueAt === undefined ? probeIntervalMs : dueAt.getTime() - clock.now().getTime();
        return this.#outcome(pass, {
          ...{ state: 'Ready', reason: 'Connected', message: 'istiod reads it' },
          againInMs: Math.min(probeIntervalMs, dueInMs),
          ...(dueAt === undefined ? {} : { renewAt: dueAt.toISOString() }),
        });
      }
    }
  }

  #failed(pass: Pass, error: unknown): RemoteOutcome {
    if (pass.signal.aborted) throw error;
    this.#memories.delete(memoryKeyOf(pass.key));
    if (error instanceof NotFoundError) {
      const message = `has no namespace ${pass.mesh.namespace}, in which istiod looks: create it`;
      return this.#outcome(pass, {
        state: 'Refused',
        reason: 'NamespaceMissing',
        message,
        againInMs: troubleMs,
      });
    }
    if (error instanceof TerminalError) {
      const { reason } = error;
      return this.#outcome(pass, {
        state: 'Refused',
        reason,
        message: messageOf(error),
        againInMs: troubleMs,
      });
    }
    if (isUnauthorized(error)) {
      const message = `no longer accepts what Secret ${pass.remote.access.secretName} holds: put a kubeconfig or token there that is valid`;
      return this.#outcome(pass, { state: 'Refused', reason: 'Unauthorized', message, againInMs: troubleMs });
    }
    if (error instanceof TransientError) {
      const { reason } = error;
      const state = isConnectionTrouble(reason) ? 'Unreachable' : 'Progressing';
      return this.#outcome(pass, { state, reason, message: messageOf(error), againInMs: pollMs * 4 });
    }
    throw error;
  }

  #outcome(
    { key }: Pass,
    {
      renewAt,
      ...said
    }: Omit<RemoteOutcome, 'clusterName' | 'credential' | 'kubernetesVersion'> & {
      readonly renewAt?: string;
    },
  ): RemoteOutcome {
    const { current } = this.#deps.store.read(key);
    const version = this.#memories.get(memoryKeyOf(key))?.facts.kubernetesVersion;
    return {
      clusterName: key.clusterName,
      ...said,
      ...(version === undefined ? {} : { kubernetesVersion: version }),
      ...(current === undefined
        ? {}
        : {
            credential: {
              issuedAt: current.issuedAt,
              ...(current.expiresAt === undefined ? {} : { expiresAt: current.expiresAt }),
              ...(renewAt === undefined ? {} : { renewAt }),
            },
          }),
    };
  }
}

function memoryKeyOf({ mesh, clusterName }: CredentialKey): string {
  return `${mesh.namespace}/${mesh.name}/${clusterName}`;
}

function sameIdentity(one: RemoteIdentity, other: RemoteIdentity): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** HTTP 401 (Kubernetes metav1.StatusReasonUnauthorized). */
function isUnauthorized(error: unknown): boolean {
  return error instanceof TransientError && error.reason === 'Unauthorized';
}

function isConnectionTrouble(reason: string): boolean {
  return reason === 'ApiServerUnreachable' || reason === 'ApiServerTimeout';
}

function readerId(mesh: ResolvedMesh): ObjectId {
  return { apiVersion: 'v1', kind: 'ServiceAccount', namespace: mesh.namespace, name: readerName(mesh) };
}

function secretIn(namespace: string, name: string): ObjectId {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name };
}

/** What a credential stands on: without it no API server accepts the credential. */
function holderOf(mesh: ResolvedMesh, { credential }: ResolvedRemote): KubernetesObject {
  const name = `${readerName(mesh)}-${randomBytes(4).toString('hex')}`;
  const metadata = { name, namespace: mesh.namespace, labels: readerLabels(mesh) };
  if (credential.type === 'Bound') return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata,
      annotations: { 'kubernetes.io/service-account.name': readerName(mesh) },
    },
    type: 'kubernetes.io/service-account-token',
  };
}
