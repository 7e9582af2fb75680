import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { type IstioBundle, istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import type { CaseSettings } from './case-settings.ts';
import type { Chance } from './chance.ts';
import type { EventTrace } from './event-trace.ts';
import { type LoadedBundle, readBundle } from './loaded-bundle.ts';
import { RootConfigMapWriter } from './root-config-maps.ts';
import type { SimulatedFollower } from './simulated-follower.ts';
import type { SimulatedIstiod } from './simulated-istiod.ts';
import type { SimulatedProxy } from './simulated-proxy.ts';
import { StoredObject } from './stored-object.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Roots as istiod hands them on. */
export type TrustBundle = Pick<LoadedBundle, 'rootsText' | 'roots'>;

export interface SimulatedClusterParts {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly trace: EventTrace;
  readonly settings: CaseSettings;
  readonly state: AuthorityState;
  /** Default: the one and only. */
  readonly clusterName?: string;
}

/** What there is: the objects of the API server, the pods of istiod, and those of the mesh. */
export class SimulatedCluster {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly trace: EventTrace;
  readonly settings: CaseSettings;
  readonly authority: StoredObject<AuthorityState>;
  readonly cacerts: StoredObject<IstioBundle>;
  /** One for each namespace. */
  readonly rootConfigMaps: readonly StoredObject<TrustBundle>[];
  /** What the API server verifies the webhooks of istiod by. */
  readonly webhook: StoredObject<TrustBundle>;
  readonly rootConfigMapWriter: RootConfigMapWriter;
  /** What its operator says to those of other clusters, as a text; empty before it has said anything. */
  readonly statement: StoredObject<string>;
  readonly clusterName: string;
  /** The other clusters of the mesh. */
  readonly others: SimulatedCluster[] = [];
  /** Those whose proxies follow the istiod of this one. */
  readonly followers: SimulatedFollower[] = [];
  readonly istiods = new Set<SimulatedIstiod>();
  readonly proxies = new Set<SimulatedProxy>();
  /** The value of annotation `meshoperator.dev/rotate`. */
  request: string | undefined;
  /** Rotations are paused until then. */
  pausedUntilMs = 0;
  /** Until then nobody of other clusters gets in, and nobody out. */
  cutOffUntilMs = 0;
  readonly #whenReached: (() => void)[] = [];
  #named = 0;

  constructor({ time, chance, trace, settings, state, clusterName = 'only' }: SimulatedClusterParts) {
    this.clusterName = clusterName;
    this.statement = new StoredObject('', time.nowMs);
    this.time = time;
    this.chance = chance;
    this.trace = trace;
    this.settings = settings;
    this.authority = new StoredObject(state, time.nowMs);
    const bundle = istioBundleOf(state);
    this.cacerts = new StoredObject(bundle, time.nowMs);
    const copy = () => new StoredObject<TrustBundle>(readBundle(bundle), time.nowMs);
    this.rootConfigMaps = Array.from({ length: settings.namespaces }, copy);
    this.webhook = copy();
    this.rootConfigMapWriter = new RootConfigMapWriter(this);
    this.cacerts.whenWritten(() => {
      for (const istiod of this.istiods) istiod.refreshVolume([1_000, 90_000]);
    });
  }

  /** Those of the clusters that follow among them. */
  get allProxies(): SimulatedProxy[] {
    return [...this.proxies, ...this.followers.flatMap(({ proxies }) => [...proxies])];
  }

  newName(kind: string): string {
    this.#named += 1;
    const number = `${kind}-${this.#named}`;
    return this.clusterName === 'only' ? number : `${this.clusterName}/${number}`;
  }

  note(what: string): void {
    this.trace.note(this.time.nowMs, this.clusterName === 'only' ? what : `${this.clusterName}: ${what}`);
  }

  cutOff(ms: number): void {
    this.note(`is cut off for ${Math.round(ms / 1000)} s`);
    this.cutOffUntilMs = Math.max(this.cutOffUntilMs, this.time.nowMs + ms);
    this.time.after(ms, () => {
      for (const handle of this.#whenReached) handle();
    });
  }

  /** Calls back when it has been cut off and is not any more. */
  whenReached(handle: () => void): void {
    this.#whenReached.push(handle);
  }

  /** Whom a Service would choose; undefined when none serves. */
  anyIstiod(): SimulatedIstiod | undefined {
    const serving = [...this.istiods].filter(({ loaded, isLeftOut }) => loaded !== undefined && !isLeftOut);
    return serving.length === 0 ? undefined : this.chance.pick(serving);
  }
}
