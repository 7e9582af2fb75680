import { podNetworkOf } from '../../api/resolved-multi-cluster.ts';
import { type Right, rightsText } from '../../api/right.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { RemoteIdentity } from '../../kube/remote-identity.ts';
import type { WatchedObjects } from '../../runtime/watched-objects.ts';
import type { AccessKeeper, GoodAccess } from './access-keeper.ts';
import { type ClusterFacts, readCluster, readPodRanges } from './cluster-facts.ts';
import { type CredentialKey, credentialSecretName } from './credential-secret.ts';
import type { CredentialSlot } from './credential-state.ts';
import { isInNetwork, type RemoteProblem } from './judge-remote.ts';
import { missingInRemote, probeRemote, type RemoteFacts } from './probe-remote.ts';
import { applyReader, lackingRights } from './reader-rights.ts';
import { remoteAccess } from './remote-access.ts';
import type { RemoteConnections } from './remote-connections.ts';
import { isConfigCluster, type RemotePass } from './remote-pass.ts';
import { causeOf, refusalFor, rightsProblem } from './rights-problem.ts';
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
  /** That the operator may do too little there; absent: nothing is missing. */
  readonly unallowed?: RemoteProblem | undefined;
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
   * Throws what `remoteAccess` and the client throw, and TerminalError that names what the operator may not do.
   */
  async probe(pass: RemotePass, current: CredentialSlot | undefined): Promise<ProbedRemote> {
    const { accessSecrets, connections, clock } = this.#deps;
    const { key, mesh, remote, signal } = pass;
    const secretKey = { namespace: mesh.namespace, name: remote.access.secretName };
    const found = await accessSecrets.read(watcherOf(key), secretKey, signal);
    const { identity, secret } = remoteAccess(remote, secretKey, found);
    const client = connections.to(key, identity);
    const name = credentialSecretName(key);
    const known = this.#memories.get(name);
    const isSame = known !== undefined && sameIdentity(known.identity, identity);
    if (isSame && clock.monotonicMs() - known.probedAtMs < probeIntervalMs) return known;
    this.#memories.delete(name);
    // Before anything else: what is missing is named whole.
    const isAllowed = isSame && known.unallowed === undefined;
    const missing = isAllowed ? [] : await missingInRemote(client, mesh, isConfigCluster(pass), signal);
    const unallowed = rightsProblem(pass, secret, missing);
    // Where istiod reads the cluster already, what may be done goes on: its token must not end for what is new.
    if (unallowed !== undefined && current === undefined) throw refusalFor(unallowed);
    // With another Secret somebody has changed something, perhaps here as well.
    if (!isSame) this.#own.delete(mesh.namespace);
    try {
      const asked = await this.#ask(pass, { identity, secret, client, unallowed }, current);
      const probed = { ...asked, probedAtMs: clock.monotonicMs() };
      this.#memories.set(name, probed);
      return probed;
    } catch (error) {
      throw causeOf(error, unallowed);
    }
  }

  async #ask(
    pass: RemotePass,
    { unallowed, ...access }: GoodAccess & Pick<ProbedRemote, 'unallowed'>,
    current: CredentialSlot | undefined,
  ): Promise<ProbedRemote> {
    const { clock, statements } = this.#deps;
    const { key, mesh, signal } = pass;
    const { client, identity } = access;
    const isNear = (meshes: RemoteFacts['meshes']) =>
      isInNetwork(meshes, key.clusterName, podNetworkOf(mesh));
    const facts = await probeRemote(client, mesh.namespace, clock, signal, {
      ...{ needsPodRanges: isNear, heard: statements.heardBy(key, client) },
    });
    const own = await this.#ownFacts(mesh.namespace, isNear(facts.meshes), signal);
    await this.#deps.access.keep(pass, access);
    const lost = current === undefined ? [] : await this.#readerLacks(pass, identity, current);
    // What the operator has not itself, it cannot give back.
    if (lost !== undefined && lost.length > 0 && unallowed === undefined)
      await this.#repair(pass, client, lost);
    return { identity, own, facts, isRefused: lost === undefined, unallowed };
  }

  /** What istiod may not read with its credential and should; undefined where the other cluster refuses that. */
  #readerLacks(
    { key, mesh, signal }: RemotePass,
    identity: RemoteIdentity,
    { token }: CredentialSlot,
  ): Promise<readonly Right[] | undefined> {
    return this.#deps.connections.byToken(identity, token, (client) =>
      lackingRights(client, mesh, isConfigCluster({ key, mesh }), signal),
    );
  }

  /** Gives istiod's reader back what somebody has taken. */
  async #repair(
    { key, mesh, owner, signal }: RemotePass,
    client: KubeClient,
    lost: readonly Right[],
  ): Promise<void> {
    await applyReader(client, mesh, isConfigCluster({ key, mesh }), signal);
    const message = `What istiod may read in cluster ${key.clusterName} is there again; it lacked: ${rightsText(lost)}`;
    const event = { type: 'Warning', reason: 'RemoteReaderRepaired', message } as const;
    await this.#deps.events.record(owner, event, signal);
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
