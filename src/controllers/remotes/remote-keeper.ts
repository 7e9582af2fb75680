import type { ObjectKey } from '../../api/kubernetes-object.ts';
import { podNetworkOf, remotesOf } from '../../api/resolved-multi-cluster.ts';
import type { Clock } from '../../base/clock.ts';
import type { CredentialKeeper } from './credential-keeper.ts';
import type { CredentialKey } from './credential-secret.ts';
import type { CredentialStore } from './credential-store.ts';
import { judgeRemote, type NamedCluster } from './judge-remote.ts';
import type { PrimaryTeller } from './primary-teller.ts';
import type { RemoteConnections } from './remote-connections.ts';
import {
  type Finding,
  findingOfFailure,
  findingOfProblem,
  findingOfStep,
  findingWithheld,
} from './remote-finding.ts';
import type { RemoteOutcome } from './remote-outcome.ts';
import type { RemotePass } from './remote-pass.ts';
import type { ProbedRemote, RemoteProber } from './remote-prober.ts';
import { causeOf } from './rights-problem.ts';
import type { TrustStatements } from './trust-statements.ts';

/** How soon to see whether a cluster holds up the start of istiod. */
const startPollMs = 10_000;

export interface RemoteKeeperDeps {
  readonly clock: Clock;
  readonly store: CredentialStore;
  readonly prober: RemoteProber;
  readonly primary: PrimaryTeller;
  readonly credentials: CredentialKeeper;
  readonly connections: RemoteConnections;
  readonly statements: TrustStatements;
}

/**
 * Keeps the ways into the other clusters of meshes: asks who is there, tells those that follow, keeps istiod's credential,
 * and listens to what they say of their trust.
 */
export class RemoteKeeper {
  readonly #deps: RemoteKeeperDeps;

  constructor(deps: RemoteKeeperDeps) {
    this.#deps = deps;
  }

  /** Never throws but for an abort and a conflict: what is wrong with one cluster is its outcome. */
  async keep(pass: RemotePass): Promise<RemoteOutcome> {
    try {
      return this.#outcome(pass, await this.#find(pass));
    } catch (error) {
      if (pass.signal.aborted) throw error;
      this.#deps.prober.forget(pass.key);
      const finding = findingOfFailure(error, pass);
      if (finding === undefined) throw error;
      if (finding.state !== 'Progressing') this.#deps.statements.lose(pass.key);
      return this.#outcome(pass, finding);
    }
  }

  async #find(pass: RemotePass): Promise<Finding> {
    const { store, prober, credentials } = this.#deps;
    const { key } = pass;
    // Before the cluster is asked, which may not answer.
    if (await credentials.withhold(pass)) return findingWithheld();
    const probed = await prober.probe(pass, store.read(key).current);
    try {
      return await this.#findProbed(pass, probed);
    } catch (error) {
      throw causeOf(error, probed.unallowed);
    }
  }

  async #findProbed(pass: RemotePass, probed: ProbedRemote): Promise<Finding> {
    const { clock, primary, credentials, connections, statements } = this.#deps;
    const { key, mesh } = pass;
    const { identity, own, facts, unallowed } = probed;
    const judged = judgeRemote({
      mesh: { meshId: mesh.meshId, podNetwork: podNetworkOf(mesh) },
      ...{ clusterName: key.clusterName, own, other: facts, earlier: this.#earlier(pass) },
    });
    if (judged?.isOther === true) {
      statements.reject(key);
      return findingOfProblem(judged);
    }
    statements.follow(key, connections.to(key, identity), mesh.namespace);
    // A credential is replaced in time, also where the cluster refuses to be told.
    const [telling] = await Promise.allSettled([primary.keep(pass, probed)]);
    const step = await credentials.keep({ ...pass, ...probed });
    if (telling.status === 'rejected') throw telling.reason;
    const problem = unallowed ?? judged ?? telling.value;
    const isIstiodReady = credentials.isIstiodReady(pass);
    const finding = findingOfStep(step, { problem, isIstiodReady }, clock.now());
    if (!credentials.isAwaited(pass)) return finding;
    return { ...finding, againInMs: Math.min(finding.againInMs, startPollMs) };
  }

  /** Of the clusters that the spec names before this one, those that have said who they are. */
  #earlier({ key, mesh }: RemotePass): NamedCluster[] {
    const names = remotesOf(mesh).map(({ clusterName }) => clusterName);
    return names.slice(0, names.indexOf(key.clusterName)).flatMap((clusterName) => {
      const uid = this.#deps.prober.remembered({ mesh: key.mesh, clusterName })?.facts.uid;
      return uid === undefined ? [] : [{ clusterName, uid }];
    });
  }

  /** Takes away all that a mesh has in a cluster which is none of its own any more; throws while that cannot be reached. */
  async release(key: CredentialKey, signal: AbortSignal): Promise<void> {
    this.#deps.statements.forget(key);
    await this.#deps.primary.withdraw(key, signal);
    await this.#deps.credentials.release(key, signal);
    this.#deps.prober.leave(key);
  }

  /** What was watched for a mesh whose istiod no cluster follows any more. */
  forget(mesh: ObjectKey): void {
    this.#deps.primary.forget(mesh);
  }

  #outcome({ key }: RemotePass, { renewAt, ...finding }: Finding): RemoteOutcome {
    const { store, prober } = this.#deps;
    const { current } = store.read(key);
    const version = prober.remembered(key)?.facts.kubernetesVersion;
    return {
      clusterName: key.clusterName,
      ...finding,
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
