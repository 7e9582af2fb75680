import { dayMs, hourMs, minuteMs } from '../authority-states.ts';
import type { OperatorDeployment } from './operator-deployment.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedFollower } from './simulated-follower.ts';
import { SimulatedIstiod } from './simulated-istiod.ts';
import { SimulatedProxy } from './simulated-proxy.ts';

const fewestProxies = 3;
const mostProxies = 12;
const mostReplicas = 3;
const evictedAfterMs = 5 * minuteMs;

type Mishap = readonly [happen: () => void, meanMs: number];

/** Whatever happens to a mesh besides rotations: at any time, and more often while one is under way. */
export class Mishaps {
  readonly #cluster: SimulatedCluster;
  readonly #operators: OperatorDeployment;
  readonly #all: readonly Mishap[];
  #areOver = false;

  constructor(cluster: SimulatedCluster, operators: OperatorDeployment) {
    this.#cluster = cluster;
    this.#operators = operators;
    this.#all = [...this.#ofCluster, ...(cluster.followers.length === 0 ? [] : this.#ofFollowers)];
    for (const [happen, meanMs] of this.#all) this.#every(meanMs, happen);
    cluster.authority.whenWritten(({ phase }) => {
      if (phase !== 'Stable') this.provoke();
    });
  }

  /** Nothing more happens; what has happened runs its course. */
  end(): void {
    this.#areOver = true;
  }

  readonly #ofFollowers: readonly Mishap[] = [
    [() => this.#pickFollower()?.loseApiServer(this.#absenceMs()), 40 * dayMs],
    [() => this.#pickFollower()?.restartOperator(this.#outageMs()), 20 * dayMs],
    [() => this.#pickFollowerProxy()?.freeze(this.#outageMs()), 20 * dayMs],
    [() => this.#replaceFollowerProxy(), 14 * dayMs],
  ];

  readonly #ofCluster: readonly Mishap[] = [
    [() => this.#freezeProxy(), 20 * dayMs],
    [() => this.#replaceProxy(), 7 * dayMs],
    [() => this.#scaleProxies(), 30 * dayMs],
    [() => this.#pickProxy()?.loseKubelet(this.#outageMs()), 60 * dayMs],
    [() => this.#pickIstiod()?.crash(this.#cluster.chance.between(2_000, 30_000)), 15 * dayMs],
    [() => this.#replaceIstiod(), 10 * dayMs],
    [() => this.#scaleIstiods(), 45 * dayMs],
    [() => this.#loseIstiodsNode(), 60 * dayMs],
    [() => this.#pickIstiod()?.stickVolume(this.#outageMs()), 60 * dayMs],
    [() => this.#cluster.rootConfigMapWriter.stall(this.#outageMs()), 90 * dayMs],
    [() => this.#operators.restart(this.#cluster.chance.between(1_000, 60_000)), 7 * dayMs],
    [() => this.#operators.restart(this.#outageMs()), 100 * dayMs],
    [() => this.#cutOff(), 40 * dayMs],
    [() => this.#operators.overlap(this.#cluster.chance.between(1_000, 30_000)), 20 * dayMs],
  ];

  #every(meanMs: number, happen: () => void): void {
    const { turmoil } = this.#cluster.settings;
    this.#cluster.time.after(this.#cluster.chance.until(meanMs / turmoil), () => {
      if (this.#areOver) return;
      happen();
      this.#every(meanMs, happen);
    });
  }

  /** Things happen in the next minutes. */
  provoke(): void {
    const { chance, time, settings } = this.#cluster;
    if (chance.isTrue(0.3)) return;
    for (let left = chance.whole(1, 5); left > 0; left -= 1) {
      const [happen] = chance.pick(this.#all);
      time.after(chance.between(0, minuteMs + chance.pick([0, 1, 2]) * settings.policy.soakMs), () => {
        if (!this.#areOver) happen();
      });
    }
  }

  /** Of something that a person comes to mend: minutes, at times hours. */
  #outageMs(): number {
    const { chance } = this.#cluster;
    return chance.isTrue(0.5)
      ? chance.between(10_000, 10 * minuteMs)
      : chance.between(10 * minuteMs, 8 * hourMs);
  }

  /** Other clusters cannot reach it, nor it them, at times for days. */
  #cutOff(): void {
    const { others } = this.#cluster;
    if (others.length > 0) this.#cluster.cutOff(this.#absenceMs());
  }

  #absenceMs(): number {
    const { chance } = this.#cluster;
    return chance.isTrue(0.2) ? chance.between(0.5, 5) * dayMs : this.#outageMs();
  }

  #freezeProxy(): void {
    const { chance } = this.#cluster;
    this.#pickProxy()?.freeze(chance.isTrue(0.15) ? chance.between(0.5, 4) * dayMs : this.#outageMs());
  }

  #replaceProxy(): void {
    this.#pickProxy()?.remove();
    this.#addProxy();
  }

  #scaleProxies(): void {
    const { chance, proxies } = this.#cluster;
    const wanted = chance.whole(fewestProxies, mostProxies);
    while (proxies.size > wanted) this.#pickProxy()?.remove();
    while (proxies.size < wanted) this.#addProxy();
  }

  #addProxy(): void {
    new SimulatedProxy(this.#cluster, this.#pullMs());
  }

  /** Before or after its successor runs. */
  #replaceIstiod(): void {
    const { chance, time } = this.#cluster;
    const before = this.#pickIstiod();
    if (before === undefined) return;
    const startsAfterMs = this.#pullMs();
    new SimulatedIstiod(this.#cluster, startsAfterMs);
    const isRolling = this.#cluster.istiods.size === 2 || chance.isTrue(0.6);
    time.after(isRolling ? startsAfterMs + 1_000 : 0, () => {
      if (this.#cluster.istiods.has(before)) this.#removeIstiod(before);
    });
  }

  /** A Deployment has at least one on a node that is there. */
  #removeIstiod(istiod: SimulatedIstiod): void {
    istiod.remove();
    const isOneLeft = [...this.#cluster.istiods].some(({ isLeftOut }) => !isLeftOut);
    if (!isOneLeft) new SimulatedIstiod(this.#cluster, this.#pullMs());
  }

  /** After five minutes its Deployment makes another pod, and it ends when its kubelet is back. */
  #loseIstiodsNode(): void {
    const { time } = this.#cluster;
    const istiod = this.#pickIstiod();
    const ms = this.#outageMs();
    istiod?.loseKubelet(ms);
    if (istiod === undefined || ms < evictedAfterMs) return;
    time.after(evictedAfterMs, () => {
      if (!this.#cluster.istiods.has(istiod)) return;
      new SimulatedIstiod(this.#cluster, this.#pullMs());
      time.after(ms - evictedAfterMs, () => {
        if (this.#cluster.istiods.has(istiod)) this.#removeIstiod(istiod);
      });
    });
  }

  #scaleIstiods(): void {
    const { chance, istiods } = this.#cluster;
    const wanted = chance.whole(1, mostReplicas);
    // As a ReplicaSet does it: those that are not ready go first.
    const kept = [...istiods].sort((a, b) => Number(a.isLeftOut) - Number(b.isLeftOut));
    for (const istiod of kept.slice(wanted)) this.#removeIstiod(istiod);
    while (istiods.size < wanted) new SimulatedIstiod(this.#cluster, this.#pullMs());
  }

  /** From the time a pod's volumes are mounted until its container runs. */
  #pullMs(): number {
    const { chance } = this.#cluster;
    return chance.isTrue(0.7) ? chance.between(1_000, 20_000) : chance.between(20_000, 10 * minuteMs);
  }

  #pickFollower(): SimulatedFollower | undefined {
    const { chance, followers } = this.#cluster;
    return followers.length === 0 ? undefined : chance.pick(followers);
  }

  #pickFollowerProxy(): SimulatedProxy | undefined {
    const { chance } = this.#cluster;
    const proxies = [...(this.#pickFollower()?.proxies ?? [])];
    return proxies.length === 0 ? undefined : chance.pick(proxies);
  }

  #replaceFollowerProxy(): void {
    this.#pickFollowerProxy()?.remove();
    this.#pickFollower()?.addProxy();
  }

  #pickProxy(): SimulatedProxy | undefined {
    const { chance, proxies } = this.#cluster;
    return proxies.size === 0 ? undefined : chance.pick([...proxies]);
  }

  #pickIstiod(): SimulatedIstiod | undefined {
    const { chance, istiods } = this.#cluster;
    return istiods.size === 0 ? undefined : chance.pick([...istiods]);
  }
}
