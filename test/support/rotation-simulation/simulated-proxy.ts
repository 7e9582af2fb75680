import type { Slots } from '../../../src/pki/authority-state.ts';
import { factsOf } from '../../../src/pki/certificate-facts.ts';
import type { ObservedProxy } from '../../../src/pki/observed-trust.ts';
import type { SimulatedCluster, TrustBundle } from './simulated-cluster.ts';
import type { Leaf, SignedAnswer, SimulatedIstiod } from './simulated-istiod.ts';

/** What a proxy knows of the cluster that it runs in. */
export type ProxyHome = Pick<
  SimulatedCluster,
  'time' | 'chance' | 'settings' | 'rootConfigMaps' | 'proxies' | 'newName' | 'note' | 'anyIstiod'
>;

/** The period of a kubelet, and what its caches add. */
const refreshMs = [1_000, 90_000] as const;

/**
 * A pod with a proxy and its agent. It trusts what came with its certificate and what was pushed to it, asks for another
 * certificate at half of the life of its own and when it is pushed other roots, and verifies istiod by a mounted file.
 */
export class SimulatedProxy {
  readonly name: string;
  readonly namespace: number;
  leaf: Leaf | undefined;
  /** Fingerprints of what its Envoy trusts; undefined when it has been given nothing yet. */
  roots: ReadonlySet<string> | undefined;
  /** Fingerprints in the file by which it verifies istiod. */
  mounted: ReadonlySet<string>;
  /** To which it is connected. */
  istiod: SimulatedIstiod | undefined;
  startedAtMs: number | undefined;
  /** Something that others may notice has changed. */
  isChanged = true;
  /** When it was thawed: what it has slept over is no fault of the authority. */
  thawedAtMs = 0;
  readonly clockSkewMs: number;
  readonly #cluster: ProxyHome;
  readonly #isPushed: boolean;
  #signed: TrustBundle | undefined;
  #pushed: TrustBundle | undefined;
  #connection = 0;
  #pushAtMs = 0;
  #renewal = 0;
  #isAsking = false;
  #isGone = false;
  #kubeletIsBackAtMs = 0;
  /** What waits for it to be thawed; undefined while it runs. */
  #asleep: (() => void)[] | undefined;

  /** Its volume is mounted at once, and read when its image has been pulled. */
  constructor(cluster: ProxyHome, startsAfterMs: number) {
    const { chance, settings } = cluster;
    this.#cluster = cluster;
    this.name = cluster.newName('proxy');
    this.namespace = chance.whole(0, settings.namespaces - 1);
    this.clockSkewMs = chance.between(-50_000, 50_000);
    this.#isPushed = !chance.isTrue(settings.partWithoutPush);
    this.mounted = this.bundleOfNamespace.roots;
    cluster.proxies.add(this);
    this.#after(startsAfterMs, () => this.#start());
  }

  get isFrozen(): boolean {
    return this.#asleep !== undefined;
  }

  /** The root ConfigMap of its namespace has changed. */
  refreshVolume(withinMs: readonly [number, number] = refreshMs): void {
    this.#after(this.#cluster.chance.between(...withinMs), () => {
      const waitMs = this.#kubeletIsBackAtMs - this.#cluster.time.nowMs;
      if (waitMs > 0) return this.#after(waitMs, () => this.refreshVolume());
      this.mounted = this.bundleOfNamespace.roots;
      this.isChanged = true;
    });
  }

  /** The process stands still with its node; whatever reaches it waits. */
  freeze(ms: number): void {
    if (this.startedAtMs === undefined || this.isFrozen) return;
    this.#cluster.note(`${this.name} is frozen for ${Math.round(ms / 1000)} s`);
    this.#asleep = [];
    this.loseKubelet(ms);
    this.#cluster.time.after(ms, () => this.#thaw());
  }

  /** The kubelet of its node stops: volumes stay as they are, and nobody is let in. */
  loseKubelet(ms: number): void {
    this.#kubeletIsBackAtMs = Math.max(this.#kubeletIsBackAtMs, this.#cluster.time.nowMs + ms);
  }

  remove(): void {
    this.#cluster.note(`${this.name} is removed`);
    this.#isGone = true;
    this.#cluster.proxies.delete(this);
  }

  /** The connection over which it is configured has ended. */
  reconnect(): void {
    this.istiod = undefined;
    this.#connection += 1;
    this.#after(this.#cluster.chance.between(100, 20_000), () => this.#connect());
  }

  /** Its istiod has other roots, or has just been connected to. */
  receivePush(): void {
    const bundle = this.istiod?.loaded;
    if (!this.#isPushed || bundle === undefined) return;
    const { time, chance } = this.#cluster;
    const connection = this.#connection;
    // One push does not overtake another.
    this.#pushAtMs = Math.max(this.#pushAtMs, time.nowMs + chance.between(10, 1_500));
    this.#after(this.#pushAtMs - time.nowMs, () => {
      if (connection === this.#connection) this.#takePush(bundle);
    });
  }

  /** What its Envoy says; undefined while it has neither roots nor a certificate. */
  observe({
    intermediates,
  }: {
    readonly intermediates: Slots<{ readonly certPem: string }>;
  }): ObservedProxy | undefined {
    const pod = `shop/${this.name}`;
    if (this.isFrozen || this.#cluster.time.nowMs < this.#kubeletIsBackAtMs) {
      return { pod, roots: new Set(), problem: 'cannot be asked' };
    }
    if (this.roots === undefined) return undefined;
    const ours = [intermediates.current, intermediates.next, intermediates.previous]
      .filter((slot) => slot !== undefined)
      .map(({ certPem }) => factsOf(certPem).fingerprint);
    const signer = this.leaf?.signer.fingerprint;
    const isOurs = signer !== undefined && ours.includes(signer);
    return { pod, roots: this.roots, ...(isOurs ? { signer } : {}) };
  }

  /** What the root ConfigMap of its namespace holds. */
  get bundleOfNamespace(): TrustBundle {
    const configMap = this.#cluster.rootConfigMaps[this.namespace];
    if (configMap === undefined) throw new Error(`no namespace ${this.namespace}`);
    return configMap.latest.value;
  }

  #start(): void {
    this.startedAtMs = this.#cluster.time.nowMs;
    this.#cluster.note(`${this.name} starts`);
    this.refreshVolume([500, 3_000]);
    this.#connect();
    this.#ask();
  }

  #thaw(): void {
    const waiting = this.#asleep ?? [];
    this.#asleep = undefined;
    this.thawedAtMs = this.#cluster.time.nowMs;
    if (this.#isGone) return;
    this.#cluster.note(`${this.name} is thawed`);
    for (const happen of waiting) happen();
    if (this.#cluster.chance.isTrue(0.7)) this.reconnect();
  }

  #connect(): void {
    const { chance } = this.#cluster;
    const istiod = this.#cluster.anyIstiod();
    if (istiod === undefined || !this.#mayCall(istiod)) {
      this.#after(chance.between(1_000, 15_000), () => this.#connect());
      return;
    }
    this.istiod = istiod;
    this.#connection += 1;
    this.receivePush();
  }

  #mayCall({ loaded }: SimulatedIstiod): boolean {
    return loaded?.signingRoot !== undefined && this.mounted.has(loaded.signingRoot.fingerprint);
  }

  /** Of two requests at once the agent makes one, whoever asked first. */
  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#call();
  }

  #call(): void {
    const { chance, settings } = this.#cluster;
    const istiod = this.#cluster.anyIstiod();
    if (istiod === undefined || !this.#mayCall(istiod)) {
      this.#callAgain();
      return;
    }
    this.#cluster.time.after(chance.between(5, 100), () => {
      const answer = istiod.sign(settings.leafTtlMs);
      if (answer === undefined) return this.#callAgain();
      const latencyMs = chance.isTrue(0.02) ? chance.between(1_000, 20_000) : chance.between(5, 500);
      this.#after(latencyMs, () => this.#takeAnswer(answer));
    });
  }

  #callAgain(): void {
    this.#after(this.#cluster.chance.between(1_000, 20_000), () => this.#call());
  }

  #takeAnswer({ leaf, bundle }: SignedAnswer): void {
    this.#isAsking = false;
    this.leaf = leaf;
    this.#signed = bundle;
    this.#trust();
    const { time, chance } = this.#cluster;
    const leftMs = leaf.notAfter.getTime() - (time.nowMs + this.clockSkewMs);
    this.#renewal += 1;
    const renewal = this.#renewal;
    // `secretcache.go`, `rotateTime`.
    this.#after(leftMs * chance.between(0.49, 0.51), () => {
      if (renewal === this.#renewal) this.#ask();
    });
  }

  #takePush(bundle: TrustBundle): void {
    if (bundle.rootsText === this.#pushed?.rootsText) return;
    this.#pushed = bundle;
    this.#trust();
    this.#ask();
  }

  #trust(): void {
    this.roots = new Set([...(this.#signed?.roots ?? []), ...(this.#pushed?.roots ?? [])]);
    this.isChanged = true;
  }

  /** What happens to it while it is frozen happens when it is thawed. */
  #after(ms: number, happen: () => void): void {
    this.#cluster.time.after(ms, () => {
      if (this.#isGone) return;
      if (this.#asleep === undefined) happen();
      else this.#asleep.push(happen);
    });
  }
}
