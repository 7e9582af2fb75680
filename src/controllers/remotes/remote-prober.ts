import { rightsText } from '../../api/right.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { RemoteIdentity } from '../../kube/remote-identity.ts';
import type { WatchedObjects } from '../../runtime/watched-objects.ts';
import type { AccessKeeper } from './access-keeper.ts';
import { type ClusterFacts, readCluster, readPodRanges } from './cluster-facts.ts';
import { type CredentialKey, credentialSecretName } from './credential-secret.ts';
import type { CredentialSlot } from './credential-state.ts';
import { isInNetwork } from './judge-remote.ts';
import { assertRights, probeRemote, type RemoteFacts } from './probe-remote.ts';
import { applyReader, lackingRights } from './reader-rights.ts';
import { remoteAccess } from './remote-access.ts';
import type { RemoteConnections } from './remote-connections.ts';
import type { RemotePass } from './remote-pass.ts';
import type { TrustStatements } from './trust-statements.ts';

/** Which Secret lets the operator into which cluster, for whom. */
export interface AccessWatcher {
  readonly namespace: string;
  readonly name: string;
  readonly clusterName: string;
}

export interface RemoteProberDeps {
  /** Of this cluster. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly connections: RemoteConnections;
  readonly events: EventRecorder;
  /** What clusters say of their trust, by watches, so that those that are watched are not asked. */
  readonly statements: Pick<TrustStatements, 'heardBy'>;
  /** The Secrets that specs name. */
  readonly accessSecrets: WatchedObjects<AccessWatcher>;
  readonly access: AccessKeeper;
}

/** What both clusters have said; remembered between passes, and losing it costs a question. */
export interface ProbedRemote {
  readonly identity: RemoteIdentity;
  /** This cluster, as the other one was compared with it. */
  readonly own: ClusterFacts;
  readonly facts: RemoteFacts;
  /** Whether the other cluster refuses the credential that istiod has. */
  readonly isRefused: boolean;
}

interface AskedOwn {
  readonly facts: Promise<ClusterFacts>;
  readonly hasPodRanges: boolean;
  readonly askedAtMs: number;
}

/** How often a cluster is asked whether it is there and still lets us in. */
export const probeIntervalMs = 60_000;
/** How long what this cluster has said of itself serves for comparisons. */
const ownIntervalMs = 5_000;

/**
 * Asks other clusters who they are, and remembers for a while what they have said. What istiod may read there is asked as
 * well, and given back.
 */
export class RemoteProber {
  readonly #deps: RemoteProberDeps;
  readonly #memories = new Map<string, ProbedRemote & { readonly probedAtMs: number }>();

  /** This cluster, by the namespace of a mesh. */
  readonly #own = new Map<string, AskedOwn>();

  constructor(deps: RemoteProberDeps) {
    this.#deps = deps;
  }

  /**
   * Asks both clusters, unless they have just said so to the same identity; `current` is the credential that istiod has.
   * Throws what `remoteAccess`, `assertRights` and the client throw.
   */
  async probe(pass: RemotePass, current: CredentialSlot | undefined): Promise<ProbedRemote> {
    const { accessSecrets, access, connections, statements, clock } = this.#deps;
    const { key, mesh, remote, signal } = pass;
    const secretKey = { namespace: mesh.namespace, name: remote.access.secretName };
    const secret = await accessSecrets.read(watcherOf(key), secretKey, signal);
    const identity = remoteAccess(remote, secretKey, secret);
    const client = connections.to(key, identity);
    const name = credentialSecretName(key);
    const known = this.#memories.get(name);
    const isSame = known !== undefined && sameIdentity(known.identity, identity);
    if (isSame && clock.monotonicMs() - known.probedAtMs < probeIntervalMs) return known;
    this.#memories.delete(name);
    // Before anything else: what is missing is named whole.
    if (!isSame) await assertRights(client, mesh, signal);
    const isNear = (meshes: RemoteFacts['meshes']) => isInNetwork(meshes, key.clusterName, mesh.network);
    const facts = await probeRemote(client, mesh.namespace, clock, signal, {
      ...{ needsPodRanges: isNear, heard: statements.heardBy(key, client) },
    });
    // With another Secret somebody has changed something, perhaps here as well.
    if (!isSame) this.#own.delete(mesh.namespace);
    const own = await this.#ownFacts(mesh.namespace, isNear(facts.meshes), signal);
    if (secret !== undefined) await access.keep(pass, { identity, secret, client });
    const isRefused = current !== undefined && (await this.#refusesReader(pass, identity, current));
    const probed = { identity, own, facts, isRefused, probedAtMs: clock.monotonicMs() };
    this.#memories.set(name, probed);
    return probed;
  }

  /** Whether the other cluster refuses istiod's credential; a reader that has lost rights over there has them again after. */
  async #refusesReader(
    { key, mesh, owner, signal }: RemotePass,
    identity: RemoteIdentity,
    { token }: CredentialSlot,
  ): Promise<boolean> {
    const { connections, events } = this.#deps;
    const lost = await connections.byToken(identity, token, (client) => lackingRights(client, mesh, signal));
    if (lost === undefined) return true;
    if (lost.length === 0) return false;
    await applyReader(connections.to(key, identity), mesh, signal);
    const message = `What istiod may read in cluster ${key.clusterName} is there again; it lacked: ${rightsText(lost)}`;
    await events.record(owner, { type: 'Warning', reason: 'RemoteReaderRepaired', message }, signal);
    return false;
  }

  /** This cluster, asked once for all others that are asked at about the same time. */
  async #ownFacts(namespace: string, sharesNetwork: boolean, signal: AbortSignal): Promise<ClusterFacts> {
    const { client, clock } = this.#deps;
    const known = this.#own.get(namespace);
    const isFresh = known !== undefined && clock.monotonicMs() - known.askedAtMs < ownIntervalMs;
    if (isFresh && (known.hasPodRanges || !sharesNetwork)) {
      // Whoever asked may have been stopped: then this cluster is asked again.
      const facts = await known.facts.catch(() => undefined);
      if (facts !== undefined) return facts;
    }
    const facts = readOwn(client, namespace, sharesNetwork, signal);
    this.#own.set(namespace, { facts, hasPodRanges: sharesNetwork, askedAtMs: clock.monotonicMs() });
    return facts;
  }

  /** What a cluster has said last; undefined when it is to be asked. */
  remembered(key: CredentialKey): ProbedRemote | undefined {
    return this.#memories.get(credentialSecretName(key));
  }

  forget(key: CredentialKey): void {
    this.#memories.delete(credentialSecretName(key));
  }

  /** Forgets a cluster that nobody names any more, and watches the Secret no more that led there. */
  leave(key: CredentialKey): void {
    this.forget(key);
    this.#own.delete(key.mesh.namespace);
    this.#deps.accessSecrets.forget(watcherOf(key));
  }
}

async function readOwn(
  client: KubeClient,
  namespace: string,
  sharesNetwork: boolean,
  signal: AbortSignal,
): Promise<ClusterFacts> {
  const facts = await readCluster(client, namespace, signal);
  return sharesNetwork ? { ...facts, podRanges: await readPodRanges(client, signal) } : facts;
}

function watcherOf({ mesh, clusterName }: CredentialKey): AccessWatcher {
  return { ...mesh, clusterName };
}

function sameIdentity(one: RemoteIdentity, other: RemoteIdentity): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
