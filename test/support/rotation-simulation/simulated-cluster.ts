import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { type IstioBundle, istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import type { CaseSettings } from './case-settings.ts';
import type { Chance } from './chance.ts';
import type { EventTrace } from './event-trace.ts';
import { type LoadedBundle, readBundle } from './loaded-bundle.ts';
import { RootConfigMapWriter } from './root-config-maps.ts';
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
  readonly istiods = new Set<SimulatedIstiod>();
  readonly proxies = new Set<SimulatedProxy>();
  /** The value of annotation `meshoperator.dev/rotate`. */
  request: string | undefined;
  /** Rotations are paused until then. */
  pausedUntilMs = 0;
  #named = 0;

  constructor({ time, chance, trace, settings, state }: SimulatedClusterParts) {
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

  newName(kind: string): string {
    this.#named += 1;
    return `${kind}-${this.#named}`;
  }

  note(what: string): void {
    this.trace.note(this.time.nowMs, what);
  }

  /** Whom a Service would choose; undefined when none serves. */
  anyIstiod(): SimulatedIstiod | undefined {
    const serving = [...this.istiods].filter(({ loaded, isLeftOut }) => loaded !== undefined && !isLeftOut);
    return serving.length === 0 ? undefined : this.chance.pick(serving);
  }
}
