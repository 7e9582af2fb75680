import { stableHash } from '../../../src/base/stable-json.ts';
import type { AuthorityState, IntermediateMaterial, RootMaterial } from '../../../src/pki/authority-state.ts';
import {
  isCompromised,
  isSoakDecisive,
  isUnderWay,
  type RotationStep,
} from '../../../src/pki/decide-rotation.ts';
import { trustStatementOf } from '../../../src/pki/exchange.ts';
import { type IstioBundle, signerOf, versionOfBundle } from '../../../src/pki/istio-bundle.ts';
import { type MemberView, memberView } from '../../../src/pki/member-view.ts';
import type { ObservedProxy, ObservedTrust } from '../../../src/pki/observed-trust.ts';
import { PhaseMemory } from '../../../src/pki/phase-memory.ts';
import type { RotationKind, RotationPolicy } from '../../../src/pki/rotation-policy.ts';
import { trustStatementText } from '../../../src/pki/trust-statement.ts';
import { minuteMs } from '../authority-states.ts';
import { FastAuthority } from '../fast-authority.ts';
import type { RotationLogic } from './rotation-logic.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedProxy } from './simulated-proxy.ts';
import type { StoredObject, Version } from './stored-object.ts';

const issuer = new FastAuthority();

interface Pass {
  /** The authority as its cache had it. */
  readonly known: Version<AuthorityState>;
  readonly state: AuthorityState;
  readonly memory: PhaseMemory;
  readonly members: readonly MemberView[];
  readonly followers: readonly MemberView[];
  readonly openForMs: number | undefined;
  readonly now: Date;
}

/**
 * One process of the operator: passes like those of `TrustReconciler`, of which each part takes its time, and any may
 * be the last. What it knows of the API server comes late; writes are lost on the way there or back.
 */
export class SimulatedOperator {
  readonly #cluster: SimulatedCluster;
  readonly #logic: RotationLogic;
  readonly #clockSkewMs: number;
  readonly #watchLagMs: number;
  readonly #startedAtMs: number;
  /** The answers to its own writes, which its caches take in at once. */
  readonly #written = new Map<object, Version<unknown>>();
  /** The last text of each other cluster. */
  readonly #heard = new Map<string, string>();
  #memory: PhaseMemory | undefined;
  /** The version that every replica was seen to have loaded. */
  #loaded = '';
  #bundle: { readonly state: AuthorityState; readonly bundle: IstioBundle } | undefined;
  #hasEnded = false;
  #isBusy = false;
  #isWoken = false;
  #nextPass = 0;

  constructor(cluster: SimulatedCluster, logic: RotationLogic) {
    const { chance, time } = cluster;
    this.#cluster = cluster;
    this.#logic = logic;
    this.#clockSkewMs = chance.between(-4 * minuteMs, 4 * minuteMs);
    this.#watchLagMs = chance.isTrue(0.1) ? chance.between(2_000, 20_000) : chance.between(5, 1_500);
    this.#startedAtMs = time.nowMs;
    this.#lookAgain(0);
  }

  /** Nothing comes of what it was about to do; what is on its way to the API server arrives. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Something has changed that a watch brings. */
  wake(): void {
    if (this.#isBusy) this.#isWoken = true;
    else this.#lookAgain(this.#watchLagMs);
  }

  #pass(): void {
    const known = this.#seen(this.#cluster.authority);
    const state = known.value;
    const now = this.#now();
    const members = this.#members(now);
    const followers = this.#followers(now);
    if (!isUnderWay({ state, members })) this.#loaded = versionOfBundle(this.#bundleOf(state));
    this.#publish({ state, members }, () => {
      const memory = this.#memoryOf(state);
      const openForMs = memory.openForMs(this.#monotonicMs());
      const pass: Pass = { known, state, memory, members, followers, openForMs, now };
      if (isUnderWay(pass)) this.#observe(pass, (observed) => this.#decide(pass, observed));
      else this.#decide(pass, undefined);
    });
  }

  /** The other clusters, as this process has heard them. */
  #members(now: Date): MemberView[] {
    const { others, time } = this.#cluster;
    return others.map((other) => {
      const isAway = time.nowMs < Math.max(other.cutOffUntilMs, this.#cluster.cutOffUntilMs);
      return this.#heardOf(other, isAway, now);
    });
  }

  #followers(now: Date): MemberView[] {
    return this.#cluster.followers.map((follower) => this.#heardOf(follower, follower.isAway, now));
  }

  #heardOf(
    other: Pick<SimulatedCluster, 'clusterName' | 'statement'>,
    isAway: boolean,
    now: Date,
  ): MemberView {
    const { clusterName, time } = this.#cluster;
    const said = isAway ? undefined : other.statement.seenAt(time.nowMs - this.#watchLagMs).value;
    if (said !== undefined) this.#heard.set(other.clusterName, said);
    const text = this.#heard.get(other.clusterName);
    const member = {
      clusterName: other.clusterName,
      ...(text === undefined || text === '' ? {} : { text }),
      ...(isAway ? { absentSince: now } : {}),
    };
    return memberView(member, { clusterName, meshID: 'mesh' }, now);
  }

  /** Tells the clusters that follow what istiod has, as `PrimaryTeller` does: to be answered once every replica has loaded it. */
  #tell(state: AuthorityState): void {
    const bundle = this.#bundleOf(state);
    const version = this.#loaded === versionOfBundle(bundle) ? this.#loaded : '';
    for (const { told, isAway } of this.#cluster.followers) {
      const known = told.latest.value;
      if (isAway || (known.version === version && isSame(known.bundle, bundle))) continue;
      if (!this.#cluster.chance.isTrue(0.03)) told.write({ bundle, version }, this.#cluster.time.nowMs);
    }
  }

  #say(state: AuthorityState, next: () => void): void {
    const { others, clusterName, statement } = this.#cluster;
    if (others.length === 0) {
      next();
      return;
    }
    const version = stableHash(textOf(this.#bundleOf(state)));
    const members = others.map((other) => other.clusterName);
    const urgency = isCompromised(state, this.#cluster.request) ? { isCompromised: true } : {};
    const about = { clusterName, meshID: 'mesh', members, version, ...urgency };
    const text = trustStatementText(trustStatementOf(state, about));
    if (this.#seen(statement).value === text) next();
    else this.#write(statement, text, undefined, next);
  }

  #publish({ state, members }: Pick<Pass, 'state' | 'members'>, next: () => void): void {
    const { cacerts } = this.#cluster;
    const bundle = this.#bundleOf(state);
    const then = () => {
      this.#tell(state);
      if (isUnderWay({ state, members })) this.#annotate(textOf(bundle));
      this.#say(state, next);
    };
    if (isSame(this.#seen(cacerts).value, bundle)) then();
    else this.#write(cacerts, bundle, undefined, then);
  }

  /** Has kubelets look at once, most of which then see what has been published. */
  #annotate(version: string): void {
    const { istiods, chance } = this.#cluster;
    for (const istiod of istiods) {
      if (istiod.annotation === version) continue;
      istiod.annotation = version;
      if (chance.isTrue(0.9)) istiod.refreshVolume([100, 3_000]);
    }
  }

  #observe(pass: Pass, next: (observed: ObservedTrust) => void): void {
    const { state, memory, members, followers, openForMs, now } = pass;
    const cluster = this.#cluster;
    const { chance, time } = cluster;
    this.#after(chance.between(50, 2_000), () => {
      const seenAtMs = time.nowMs - this.#watchLagMs;
      const replicas = [...cluster.istiods]
        .filter(({ createdAtMs }) => createdAtMs <= seenAtMs)
        .map((istiod) => istiod.observe());
      const bundles = [
        ...cluster.rootConfigMaps.map((configMap, namespace) => ({
          where: `ConfigMap shop-${namespace}/istio-ca-root-cert`,
          roots: configMap.seenAt(seenAtMs).value.roots,
        })),
        { where: 'webhook', roots: cluster.webhook.seenAt(seenAtMs).value.roots },
      ];
      if (this.#logic.blockersBeforeProxies(state, { replicas, bundles }).length > 0) {
        next({ replicas, bundles });
        return;
      }
      this.#loaded = versionOfBundle(this.#bundleOf(state));
      this.#tell(state);
      const running = [...cluster.proxies]
        .filter(({ startedAtMs }) => startedAtMs !== undefined && startedAtMs <= seenAtMs)
        .map((proxy) => ({ proxy, uid: proxy.name, pod: `shop/${proxy.name}` }));
      const policy = { ...cluster.settings.policy, isPaused: false };
      const isDecisive = isSoakDecisive({ state, policy, members, followers, now });
      const asked = memory.stillToAsk(running, isDecisive ? openForMs : undefined, policy.soakMs);
      this.#ask(state, asked, (proxies) => {
        memory.noteAnswers(state, asked, proxies);
        next({ replicas, bundles, proxies });
      });
    });
  }

  /** Each at its own time. */
  #ask(
    state: AuthorityState,
    asked: readonly { readonly proxy: SimulatedProxy }[],
    next: (proxies: readonly ObservedProxy[]) => void,
  ): void {
    const { chance } = this.#cluster;
    const proxies: ObservedProxy[] = [];
    let left = asked.length;
    if (left === 0) next(proxies);
    for (const { proxy } of asked) {
      this.#after(proxy.isFrozen ? 10_000 : chance.between(50, 1_500), () => {
        const seen = proxy.observe(state);
        if (seen !== undefined) proxies.push(seen);
        left -= 1;
        if (left === 0) next(proxies);
      });
    }
  }

  #decide(pass: Pass, observed: ObservedTrust | undefined): void {
    const { state, memory, members, followers, openForMs } = pass;
    const { request, settings, pausedUntilMs } = this.#cluster;
    const isPaused = pausedUntilMs > pass.now.getTime();
    const policy: RotationPolicy = { ...settings.policy, isPaused };
    const step = this.#logic.decideRotation({
      ...{ state, policy, request, observed, openForMs, members, followers },
      now: this.#now(),
    });
    memory.noteStep(step, this.#monotonicMs());
    this.#take(pass, step);
  }

  #take(pass: Pass, step: RotationStep): void {
    const { state, now } = pass;
    const { chance } = this.#cluster;
    switch (step.step) {
      case 'issue':
        this.#make(pass, () => {
          const { reason, answers } = step;
          const beginning = { reason, ...(answers === undefined ? {} : { answers }) };
          return this.#logic.beginRotation(state, beginning, this.#material(step.kind, state, now), now);
        });
        break;
      case 'renew':
        this.#make(pass, () => {
          const signer = this.#intermediate(step.root, signerOf(state), now);
          return this.#logic.renewSigner(state, signer, now);
        });
        break;
      case 'recover':
        this.#make(pass, () => {
          const { root, intermediate } = this.#material('root', state, now);
          if (root === undefined) throw new Error('A new authority came without a root');
          return this.#logic.recoverAuthority(state, step.answers, { root, intermediate }, now);
        });
        break;
      case 'advance':
      case 'exchange':
        this.#enter(pass, step.state);
        break;
      case 'soak':
        this.#lookAgain(Math.min(step.remainingMs, chance.between(500, 10 * minuteMs)));
        break;
      case 'wait':
        this.#lookAgain((step.againInMs ?? 5 * minuteMs) * chance.between(1, 4));
        break;
    }
  }

  /** Keys take their time. */
  #make(pass: Pass, make: () => AuthorityState): void {
    this.#after(this.#cluster.chance.between(5, 4_000), () => this.#enter(pass, make()));
  }

  #enter({ known }: Pass, after: AuthorityState): void {
    this.#write(this.#cluster.authority, after, known.version, () => this.#lookAgain(0));
  }

  #material(
    kind: RotationKind,
    { roots, intermediates }: AuthorityState,
    now: Date,
  ): { root?: RootMaterial; intermediate: IntermediateMaterial } {
    const { lifetimeMs } = this.#cluster.settings.policy.root;
    if (kind === 'intermediate') {
      return { intermediate: this.#intermediate(roots.current, intermediates.current, now) };
    }
    const root = issuer.root({ now, lifetimeMs, unlike: roots.current });
    return { root, intermediate: this.#intermediate(root, intermediates.current, now) };
  }

  #intermediate(root: RootMaterial, unlike: IntermediateMaterial, now: Date): IntermediateMaterial {
    const { lifetimeMs } = this.#cluster.settings.policy.intermediate;
    return issuer.intermediate(root, { now, lifetimeMs, unlike });
  }

  /** A write that arrives, or not, and is answered, or not; after whatever went wrong it looks again. */
  #write<T>(object: StoredObject<T>, value: T, expected: number | undefined, next: () => void): void {
    const { time, chance } = this.#cluster;
    const isLost = chance.isTrue(0.03);
    const isAnswerLost = chance.isTrue(0.03);
    // On its way it arrives even when the process has ended.
    time.after(chance.between(5, 500), () => {
      const written = isLost ? undefined : object.write(value, time.nowMs, expected);
      this.#after(chance.between(5, 500), () => {
        if (written === undefined || isAnswerLost) {
          this.#lookAgain(chance.between(500, 30_000));
          return;
        }
        this.#written.set(object, written);
        next();
      });
    });
  }

  /** What its cache has. */
  #seen<T>(object: StoredObject<T>): Version<T> {
    const watched = object.seenAt(this.#cluster.time.nowMs - this.#watchLagMs);
    const own = this.#written.get(object) as Version<T> | undefined;
    return own !== undefined && own.version > watched.version ? own : watched;
  }

  #bundleOf(state: AuthorityState): IstioBundle {
    if (this.#bundle?.state !== state) this.#bundle = { state, bundle: this.#logic.istioBundleOf(state) };
    return this.#bundle.bundle;
  }

  #memoryOf(state: AuthorityState): PhaseMemory {
    if (this.#memory?.isOf(state) !== true) this.#memory = new PhaseMemory(state);
    return this.#memory as PhaseMemory;
  }

  #now(): Date {
    return new Date(this.#cluster.time.nowMs + this.#clockSkewMs);
  }

  #monotonicMs(): number {
    return this.#cluster.time.nowMs - this.#startedAtMs;
  }

  /** One pass at a time, the soonest one that was asked for. */
  #lookAgain(afterMs: number): void {
    this.#isBusy = false;
    this.#nextPass += 1;
    const pass = this.#nextPass;
    const waitMs = this.#isWoken ? Math.min(afterMs, this.#watchLagMs) : afterMs;
    this.#isWoken = false;
    this.#after(Math.max(waitMs, 1), () => {
      if (pass !== this.#nextPass) return;
      this.#isBusy = true;
      this.#pass();
    });
  }

  #after(ms: number, happen: () => void): void {
    this.#cluster.time.after(ms, () => {
      if (!this.#hasEnded) happen();
    });
  }
}

function isSame(a: IstioBundle, b: IstioBundle): boolean {
  return a === b || textOf(a) === textOf(b);
}

function textOf(bundle: IstioBundle): string {
  return bundle['root-cert.pem'] + bundle['cert-chain.pem'];
}
