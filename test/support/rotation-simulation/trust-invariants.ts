import { lapseOf } from '../../../src/pki/authority-life.ts';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { factsOf } from '../../../src/pki/certificate-facts.ts';
import { istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import { openRequest } from '../../../src/pki/rotation-request.ts';
import { minuteMs } from '../authority-states.ts';
import { isValid } from './loaded-bundle.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { hasAnswered, type SimulatedFollower } from './simulated-follower.ts';
import type { SimulatedIstiod } from './simulated-istiod.ts';
import type { SimulatedProxy } from './simulated-proxy.ts';

/** Two who should, and cannot verify each other. */
export class BrokenTrust extends Error {}

/** A kubelet brings a changed ConfigMap to its pods within this time. */
const refreshedWithinMs = 2 * minuteMs;
/** And looks at a pod that has just started within this one. */
const settledWithinMs = 5_000;

/** Two processes of an operator may go by clocks this far apart. */
const mostSkewBetweenOperatorsMs = 9 * minuteMs;

/** What holds at every instant, whatever happens. */
export class TrustInvariants {
  readonly #cluster: SimulatedCluster;
  /** Until then mounted files may lag behind, since nobody waits for them. */
  #isHastyUntilMs = 0;
  readonly #isAlwaysHasty: boolean;
  /** Other clusters, once each has accepted the roots of the other: from then on their proxies verify each other. */
  readonly #joined = new Set<SimulatedCluster>();
  /** Clusters that follow, from when it went on without them until they have answered again. */
  readonly #leftBehind = new Set<SimulatedFollower>();
  #phaseSinceMs = 0;
  #parted = 0;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.#isAlwaysHasty = cluster.settings.policy.soakMs < refreshedWithinMs;
    cluster.authority.whenWritten((after, before) => this.#noteMove(before, after));
    for (const follower of cluster.followers) {
      follower.statement.whenWritten(() => this.#noteAnswer(follower));
    }
    for (const other of cluster.others) {
      for (const { authority } of [cluster, other]) authority.whenWritten(() => this.#noteJoined(other));
    }
  }

  get joined(): number {
    return this.#joined.size;
  }

  /** How often this cluster went on without another one. */
  get parted(): number {
    return this.#parted;
  }

  /**
   * From now on, a cluster that went on without another one when the time of its policy was over is joined to that no more,
   * until each has accepted the roots of the other again. Whoever goes on sooner stays joined, and does harm.
   */
  watchPartings(all: readonly TrustInvariants[]): void {
    const { authority, others } = this.#cluster;
    authority.whenWritten((after, before) => {
      if (after.phase === before.phase) return;
      const waitedMs = this.#cluster.time.nowMs - this.#phaseSinceMs;
      this.#phaseSinceMs = this.#cluster.time.nowMs;
      if (!this.#mayGoOnAfter(waitedMs)) return;
      this.#leaveFollowers(before);
      if (before.phase !== 'Trusting') return;
      for (const other of others) {
        if (!this.#joined.has(other) || hasAccepted(other.authority.latest.value, after)) continue;
        this.#parted += 1;
        this.#cluster.note(`goes on without ${other.clusterName}`);
        for (const each of all) each.#part(this.#cluster, other);
      }
    });
  }

  #leaveFollowers(before: AuthorityState): void {
    for (const follower of this.#cluster.followers) {
      if (this.#leftBehind.has(follower) || hasAnswered(follower, istioBundleOf(before))) continue;
      this.#parted += 1;
      this.#cluster.note(`goes on without ${follower.clusterName}`);
      this.#leftBehind.add(follower);
    }
  }

  /** Those that have caught up are checked whole again. */
  #noteAnswer(follower: SimulatedFollower): void {
    if (!this.#leftBehind.has(follower)) return;
    if (!hasAnswered(follower, istioBundleOf(this.#cluster.authority.latest.value))) return;
    this.#leftBehind.delete(follower);
    for (const proxy of follower.proxies) proxy.isChanged = true;
  }

  /** Clusters that follow and have not caught up. */
  get behind(): number {
    return this.#leftBehind.size;
  }

  #mayGoOnAfter(waitedMs: number): boolean {
    const { proceedAfterMs } = this.#cluster.settings.policy;
    return proceedAfterMs !== undefined && waitedMs >= proceedAfterMs - mostSkewBetweenOperatorsMs;
  }

  #part(one: SimulatedCluster, other: SimulatedCluster): void {
    if (this.#cluster === one) this.#joined.delete(other);
    if (this.#cluster === other) this.#joined.delete(one);
  }

  #noteJoined(other: SimulatedCluster): void {
    const [own, theirs] = [this.#cluster.authority.latest.value, other.authority.latest.value];
    if (hasAccepted(own, theirs) && hasAccepted(theirs, own)) this.#joined.add(other);
  }

  /** To be called after each event. Throws BrokenTrust. */
  check(): void {
    const followers = this.#cluster.followers.filter((follower) => !this.#leftBehind.has(follower));
    const proxies = [...this.#cluster.proxies, ...followers.flatMap((follower) => [...follower.proxies])];
    const istiods = [...this.#cluster.istiods];
    const haveIstiodsChanged = istiods.some(({ isChanged }) => isChanged);
    for (const proxy of proxies) {
      this.#checkLife(proxy);
      if (proxy.isChanged) {
        for (const other of [...proxies, ...[...this.#joined].flatMap((cluster) => [...cluster.proxies])]) {
          this.#checkPair(proxy, other);
          this.#checkPair(other, proxy);
        }
      }
      if (proxy.isChanged || haveIstiodsChanged) for (const istiod of istiods) this.#checkFile(proxy, istiod);
    }
    if (haveIstiodsChanged) for (const istiod of istiods) this.#checkWebhook(istiod);
    for (const each of [...proxies, ...istiods]) each.isChanged = false;
  }

  /** Whether one verifies what the other presents: frozen ones as well, which others will meet when they are thawed. */
  #checkPair(presenting: SimulatedProxy, verifying: SimulatedProxy): void {
    const { leaf } = presenting;
    const { roots } = verifying;
    if (leaf === undefined || roots === undefined || verifying.leaf === undefined) return;
    if (!roots.has(leaf.root.fingerprint)) {
      this.#fail(`${verifying.name} does not trust the root of the certificate of ${presenting.name}`);
    }
    const nowMs = this.#cluster.time.nowMs + verifying.clockSkewMs;
    if ([leaf, leaf.signer, leaf.root].some(({ notBefore }) => notBefore.getTime() > nowMs)) {
      this.#fail(`to ${verifying.name}, what ${presenting.name} presents is not valid yet`);
    }
  }

  /** A certificate ends with its signer and its root at the latest. */
  #checkLife(proxy: SimulatedProxy): void {
    const { nowMs } = this.#cluster.time;
    if (proxy.isFrozen || nowMs - proxy.thawedAtMs < refreshedWithinMs || proxy.leaf === undefined) return;
    if (proxy.leaf.notAfter.getTime() <= nowMs) this.#fail(`the certificate of ${proxy.name} has ended`);
  }

  /** By the file that is mounted for its agent, a proxy verifies whichever istiod it is given. */
  #checkFile(
    { name, mounted, bundleOfNamespace, startedAtMs }: SimulatedProxy,
    { name: of, loaded }: SimulatedIstiod,
  ) {
    const { nowMs } = this.#cluster.time;
    if (loaded?.signingRoot === undefined || nowMs - (startedAtMs ?? nowMs) < settledWithinMs) return;
    const isHasty = this.#isAlwaysHasty || nowMs < this.#isHastyUntilMs;
    const file = isHasty ? bundleOfNamespace.roots : mounted;
    if (!file.has(loaded.signingRoot.fingerprint)) {
      this.#fail(`by its mounted file, ${name} does not verify ${of}`);
    }
  }

  #checkWebhook({ name, loaded }: SimulatedIstiod): void {
    const root = loaded?.signingRoot;
    if (root === undefined) return;
    if (!this.#cluster.webhook.latest.value.roots.has(root.fingerprint)) {
      this.#fail(`the API server does not verify the webhooks of ${name}`);
    }
    const { nowMs } = this.#cluster.time;
    if (!isValid(root, nowMs)) this.#fail(`the root of ${name} has ended`);
  }

  #noteMove(before: AuthorityState, after: AuthorityState): void {
    const { nowMs } = this.#cluster.time;
    const { request } = this.#cluster;
    const reason = after.rotation?.reason;
    const isUrgent = [reason, before.rotation?.reason].includes('KeyCompromise');
    if (isUrgent || openRequest(after, request) === 'KeyCompromise') {
      const untilMs = after.phase === 'Stable' ? nowMs + refreshedWithinMs : Number.POSITIVE_INFINITY;
      this.#isHastyUntilMs = untilMs;
    }
    const isRecovered = reason === 'Recovery' && before.rotation?.reason !== 'Recovery';
    if (isRecovered && lapseOf(before, new Date(nowMs)) === undefined) {
      this.#fail('a valid authority was recovered');
    }
  }

  #fail(what: string): never {
    throw new BrokenTrust(what);
  }
}

/** Whether everybody in a cluster holds the roots that another one needs trusted. */
function hasAccepted({ exchange }: AuthorityState, { roots }: AuthorityState): boolean {
  return [roots.current, roots.next].every(
    (root) => root === undefined || exchange?.accepted.includes(factsOf(root.certPem).fingerprint) === true,
  );
}
