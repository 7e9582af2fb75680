import type { CertificateFacts } from '../../../src/pki/certificate-facts.ts';
import type { IstioBundle } from '../../../src/pki/istio-bundle.ts';
import type { ObservedReplica } from '../../../src/pki/observed-trust.ts';
import { minuteMs } from '../authority-states.ts';
import { type LoadedBundle, mayFollow, readBundle, verifies } from './loaded-bundle.ts';
import type { SimulatedCluster, TrustBundle } from './simulated-cluster.ts';

/** The certificate of a proxy, with all that it verifies by. */
export interface Leaf {
  readonly signer: CertificateFacts;
  readonly root: CertificateFacts;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The answer to a request for a certificate. */
export interface SignedAnswer {
  readonly leaf: Leaf;
  readonly bundle: TrustBundle;
}

/** Istio signs for a little before now (`generate_cert.go`, `ClockSkewGracePeriod`). */
const signedBeforeMs = 2 * minuteMs;

const leftOutAfterMs = 40_000;

/** One pod of istiod: it mounts a Secret, loads what it finds there, signs, and hands roots on. */
export class SimulatedIstiod {
  readonly name: string;
  /** What it signs with; undefined while its container does not run. */
  loaded: LoadedBundle | undefined;
  readonly createdAtMs: number;
  /** Annotation `meshoperator.dev/bundle`. */
  annotation = '';
  /** Whether Services send nobody to it. */
  isLeftOut = false;
  /** Something that others may notice has changed. */
  isChanged = true;
  readonly #cluster: SimulatedCluster;
  readonly #clockSkewMs: number;
  #mounted: IstioBundle;
  #isGone = false;
  #kubeletIsBackAtMs = 0;
  #volumeIsStuckUntilMs = 0;
  #isWritingWebhook = false;

  /** Its volume is mounted at once, and read when its image has been pulled. */
  constructor(cluster: SimulatedCluster, startsAfterMs: number) {
    this.#cluster = cluster;
    this.#clockSkewMs = cluster.chance.between(-50_000, 50_000);
    this.name = cluster.newName('istiod');
    this.createdAtMs = cluster.time.nowMs;
    this.#mounted = cluster.cacerts.latest.value;
    cluster.istiods.add(this);
    this.#after(startsAfterMs, () => this.#start());
  }

  /** `cacerts` has changed: the kubelet sees to it within its period, or soon when the pod was touched as well. */
  refreshVolume(withinMs: readonly [number, number]): void {
    this.#after(this.#cluster.chance.between(...withinMs), () => {
      const { nowMs } = this.#cluster.time;
      const staleUntilMs = Math.max(this.#kubeletIsBackAtMs, this.#volumeIsStuckUntilMs);
      if (nowMs < staleUntilMs) {
        this.#after(staleUntilMs - nowMs, () => this.refreshVolume([1_000, 30_000]));
        return;
      }
      this.#mounted = this.#cluster.cacerts.latest.value;
      this.#after(100, () => this.#reload());
    });
  }

  /** Its container ends and is started again: it loads what is mounted as if it had known nothing. */
  crash(downMs: number): void {
    if (this.loaded === undefined) return;
    this.#cluster.note(`${this.name} crashes`);
    this.loaded = undefined;
    this.#dropConnections();
    this.#after(downMs, () => this.#start());
  }

  /**
   * The kubelet of its node stops: volumes stay as they are, and nobody is let in. Services leave the node out when it
   * has said nothing for 40 s; who is connected stays so until istiod ends the connection, every half hour.
   */
  loseKubelet(ms: number): void {
    const { allProxies, chance, time } = this.#cluster;
    this.#cluster.note(`${this.name} loses its kubelet for ${Math.round(ms / 1000)} s`);
    this.#kubeletIsBackAtMs = Math.max(this.#kubeletIsBackAtMs, time.nowMs + ms);
    this.#after(leftOutAfterMs, () => {
      this.isLeftOut = true;
      for (const proxy of allProxies) {
        if (proxy.istiod !== this) continue;
        this.#after(chance.between(0, 30 * minuteMs), () => {
          if (proxy.istiod === this && this.isLeftOut) proxy.reconnect();
        });
      }
    });
    this.#after(Math.max(ms, leftOutAfterMs), () => {
      this.isLeftOut = time.nowMs < this.#kubeletIsBackAtMs;
    });
  }

  /** The kubelet lets people in and sees nothing of the Secret. */
  stickVolume(ms: number): void {
    this.#cluster.note(`the volume of ${this.name} is stuck for ${Math.round(ms / 1000)} s`);
    this.#volumeIsStuckUntilMs = this.#cluster.time.nowMs + ms;
  }

  remove(): void {
    this.#cluster.note(`${this.name} is removed`);
    this.#isGone = true;
    this.loaded = undefined;
    this.#cluster.istiods.delete(this);
    this.#dropConnections();
  }

  /** What its metrics say; one that has not started has none. */
  observe(): ObservedReplica {
    const pod = `istio-system/${this.name}`;
    if (this.loaded === undefined || this.#cluster.time.nowMs < this.#kubeletIsBackAtMs) {
      return { pod, problem: 'cannot be asked' };
    }
    const { rootNotAfter, chainNotAfter } = this.loaded;
    return { pod, rootNotAfter, chainNotAfter };
  }

  /** Undefined when it cannot: it is down, or what it signs with has ended. */
  sign(ttlMs: number): SignedAnswer | undefined {
    const nowMs = this.#clockMs;
    const { loaded } = this;
    if (loaded?.signingRoot === undefined || !verifies(loaded, nowMs)) return undefined;
    const notAfter = new Date(Math.min(nowMs + ttlMs, loaded.signer.notAfter.getTime()));
    return {
      leaf: {
        signer: loaded.signer,
        root: loaded.signingRoot,
        notBefore: new Date(nowMs - signedBeforeMs),
        notAfter,
      },
      bundle: loaded,
    };
  }

  get #clockMs(): number {
    return this.#cluster.time.nowMs + this.#clockSkewMs;
  }

  #start(): void {
    const bundle = readBundle(this.#mounted);
    if (!verifies(bundle, this.#clockMs)) {
      this.#after(30_000, () => this.#start());
      return;
    }
    this.loaded = bundle;
    this.isChanged = true;
    this.#cluster.note(`${this.name} starts with ${described(bundle)}`);
    // The kubelet looks at a pod again when its container has started.
    this.refreshVolume([500, 3_000]);
    this.#handOn();
  }

  #reload(): void {
    const { loaded } = this;
    const bundle = readBundle(this.#mounted);
    if (loaded === undefined || isSame(loaded, bundle)) return;
    const { comparesTexts } = this.#cluster.settings;
    if (!mayFollow(loaded, bundle, comparesTexts) || !verifies(bundle, this.#clockMs)) {
      this.#cluster.note(`${this.name} refuses ${described(bundle)}`);
      return;
    }
    this.loaded = bundle;
    this.isChanged = true;
    this.#cluster.note(`${this.name} loads ${described(bundle)}`);
    this.#handOn();
  }

  /** Pushes to those who are connected, and writes copies. */
  #handOn(): void {
    for (const proxy of this.#cluster.allProxies) if (proxy.istiod === this) proxy.receivePush();
    this.#writeWebhook([100, 3_000]);
    this.#cluster.rootConfigMapWriter.noteLoaded(this);
  }

  /** Each replica writes what it has loaded itself, and again when another has written something else. */
  #writeWebhook(withinMs: readonly [number, number]): void {
    if (this.#isWritingWebhook) return;
    this.#isWritingWebhook = true;
    const { webhook, time, chance, istiods } = this.#cluster;
    this.#after(chance.between(...withinMs), () => {
      this.#isWritingWebhook = false;
      if (this.loaded === undefined || webhook.latest.value.rootsText === this.loaded.rootsText) return;
      webhook.write(this.loaded, time.nowMs);
      for (const other of istiods) if (other !== this) other.#writeWebhook([5_000, 60_000]);
    });
  }

  #dropConnections(): void {
    for (const proxy of this.#cluster.allProxies) if (proxy.istiod === this) proxy.reconnect();
    this.#cluster.rootConfigMapWriter.noteLost(this);
  }

  #after(ms: number, happen: () => void): void {
    this.#cluster.time.after(ms, () => {
      if (!this.#isGone) happen();
    });
  }
}

function isSame(a: LoadedBundle, b: LoadedBundle): boolean {
  return a.rootsText === b.rootsText && a.signer.fingerprint === b.signer.fingerprint;
}

function described({ roots, signer }: LoadedBundle): string {
  return `signer ${signer.serial}, roots ${[...roots].map((root) => root.slice(0, 6)).join(' ')}`;
}
