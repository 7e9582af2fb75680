import type { Slots } from '../../../src/pki/authority-state.ts';
import { answer, type FollowedBundle, followerBlockers, openStatement } from '../../../src/pki/follower.ts';
import { type IstioBundle, istioBundleOf, versionOfBundle } from '../../../src/pki/istio-bundle.ts';
import type { ObservedProxy } from '../../../src/pki/observed-trust.ts';
import { readTrustStatement, trustStatementText } from '../../../src/pki/trust-statement.ts';
import { minuteMs } from '../authority-states.ts';
import { readBundle } from './loaded-bundle.ts';
import type { SimulatedCluster, TrustBundle } from './simulated-cluster.ts';
import type { SimulatedIstiod } from './simulated-istiod.ts';
import { type ProxyHome, SimulatedProxy } from './simulated-proxy.ts';
import { StoredObject } from './stored-object.ts';

/** What the cluster with the istiod tells one that follows: `version` is empty while it is not to be answered. */
export interface Told {
  readonly bundle: IstioBundle;
  readonly version: string;
}

/**
 * A cluster whose proxies follow the istiod of another one, with its operator: that brings roots to namespaces and answers
 * for its proxies, as `ExternalTrust` and `FollowerAnswers` do. Its API server is away now and then, its proxies are not.
 */
export class SimulatedFollower implements ProxyHome {
  readonly clusterName: string;
  readonly time: ProxyHome['time'];
  readonly chance: ProxyHome['chance'];
  readonly settings: ProxyHome['settings'];
  readonly rootConfigMaps: readonly StoredObject<TrustBundle>[];
  readonly proxies = new Set<SimulatedProxy>();
  readonly told: StoredObject<Told>;
  readonly statement: StoredObject<string>;
  awayUntilMs = 0;
  readonly #primary: SimulatedCluster;
  readonly #whenBack: (() => void)[] = [];
  /** What the process that runs knows; others are of processes that have ended. */
  #process = { version: '', sinceMs: 0, done: new Set<string>() };
  #nextPass = 0;

  constructor(primary: SimulatedCluster, clusterName: string) {
    this.#primary = primary;
    this.clusterName = clusterName;
    ({ time: this.time, chance: this.chance, settings: this.settings } = primary);
    const bundle = istioBundleOf(primary.authority.latest.value);
    const copy = () => new StoredObject<TrustBundle>(readBundle(bundle), this.time.nowMs);
    this.rootConfigMaps = Array.from({ length: this.settings.namespaces }, copy);
    this.told = new StoredObject<Told>({ bundle, version: '' }, this.time.nowMs);
    this.statement = new StoredObject('', this.time.nowMs);
    this.told.whenWritten(() => this.#lookAgain(this.chance.between(5, 2_000)));
    for (let left = this.settings.proxies; left > 0; left -= 1) this.addProxy();
  }

  get isAway(): boolean {
    return this.time.nowMs < this.awayUntilMs;
  }

  newName(kind: string): string {
    return `${this.clusterName}/${this.#primary.newName(kind)}`;
  }

  note(what: string): void {
    this.#primary.note(`${this.clusterName}: ${what}`);
  }

  anyIstiod(): SimulatedIstiod | undefined {
    return this.#primary.anyIstiod();
  }

  addProxy(): void {
    new SimulatedProxy(this, this.chance.between(1_000, 20_000));
  }

  /** Its API server answers nobody. */
  loseApiServer(ms: number): void {
    this.note(`has no API server for ${Math.round(ms / 1000)} s`);
    this.awayUntilMs = Math.max(this.awayUntilMs, this.time.nowMs + ms);
    this.time.after(ms, () => {
      if (this.isAway) return;
      this.#lookAgain(this.chance.between(100, 60_000));
      for (const handle of this.#whenBack) handle();
    });
  }

  /** Calls back when its API server answers again. */
  whenBack(handle: () => void): void {
    this.#whenBack.push(handle);
  }

  /** Its operator ends, and another process begins later, which remembers nothing. */
  restartOperator(downMs: number): void {
    this.note(`the operator is down for ${Math.round(downMs / 1000)} s`);
    this.#process = { version: '', sinceMs: 0, done: new Set() };
    this.#lookAgain(downMs);
  }

  #lookAgain(afterMs: number): void {
    this.#nextPass += 1;
    const pass = this.#nextPass;
    this.time.after(afterMs, () => {
      if (pass === this.#nextPass && !this.isAway) this.#pass();
    });
  }

  #pass(): void {
    const { bundle, version } = this.told.latest.value;
    const behind = this.rootConfigMaps.findIndex(
      (configMap) => configMap.latest.value.rootsText !== bundle['root-cert.pem'],
    );
    if (behind >= 0) {
      this.#bring(behind, bundle);
      this.#lookAgain(this.chance.between(5, 2_000));
      return;
    }
    this.#answer({
      ...{ clusterName: this.#primary.clusterName, meshID: 'mesh', version },
      ...{ rootsPem: bundle['root-cert.pem'], signerPem: bundle['ca-cert.pem'] },
    });
  }

  #bring(namespace: number, bundle: IstioBundle): void {
    if (this.chance.isTrue(0.03)) return;
    this.rootConfigMaps[namespace]?.write(readBundle(bundle), this.time.nowMs);
    for (const proxy of this.proxies) if (proxy.namespace === namespace) proxy.refreshVolume();
  }

  #answer(bundle: FollowedBundle): void {
    const own = { clusterName: this.clusterName, meshID: 'mesh' };
    const now = new Date(this.time.nowMs);
    const before = readTrustStatement(this.statement.latest.value, own, now).statement;
    const answered = answer(this.clusterName, bundle);
    if (this.statement.latest.value === trustStatementText(answered)) return;
    const open = openStatement(this.clusterName, before, bundle);
    this.#say(trustStatementText(open));
    if (bundle.version === '') return;
    if (this.#process.version !== bundle.version) {
      this.#process = { version: bundle.version, sinceMs: this.time.nowMs, done: new Set() };
    }
    const process = this.#process;
    const asked = [...this.proxies].filter(
      ({ name, startedAtMs }) => startedAtMs !== undefined && !process.done.has(name),
    );
    const pass = this.#nextPass;
    this.time.after(this.chance.between(50, 10_000), () => {
      if (process !== this.#process || pass !== this.#nextPass || this.isAway) return;
      const blockers = followerBlockers(
        bundle,
        open,
        asked.flatMap((proxy) => this.#observe(proxy, bundle)),
      );
      if (blockers.length === 0) {
        this.#say(trustStatementText(answered));
        return;
      }
      const held = new Set(blockers.map(({ what }) => what));
      for (const { name } of asked) if (!held.has(`pod shop/${name}`)) process.done.add(name);
      const ageMs = this.time.nowMs - process.sinceMs;
      this.#lookAgain(Math.min(5 * minuteMs, Math.max(500, ageMs / 10)) * this.chance.between(1, 3));
    });
  }

  #observe(proxy: SimulatedProxy, { signerPem }: FollowedBundle): ObservedProxy[] {
    const intermediates: Slots<{ readonly certPem: string }> = { current: { certPem: signerPem } };
    const seen = this.proxies.has(proxy) ? proxy.observe({ intermediates }) : undefined;
    return seen === undefined ? [] : [seen];
  }

  #say(text: string): void {
    if (text !== this.statement.latest.value) this.statement.write(text, this.time.nowMs);
  }
}

/** Whether a follower has answered what istiod is given now. */
export function hasAnswered({ statement, clusterName }: SimulatedFollower, bundle: IstioBundle): boolean {
  const reading = readTrustStatement(
    statement.latest.value,
    { clusterName, meshID: 'mesh' },
    new Date(statement.latest.atMs),
  );
  return reading.statement?.answers === versionOfBundle(bundle);
}
