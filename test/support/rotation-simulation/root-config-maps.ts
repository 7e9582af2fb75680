import type { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedIstiod } from './simulated-istiod.ts';

/** The one istiod that writes root ConfigMaps: each time it has loaded other roots, and when it is elected. */
export class RootConfigMapWriter {
  readonly #cluster: SimulatedCluster;
  #leader: SimulatedIstiod | undefined;
  #isElecting = false;
  #idleUntilMs = 0;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  noteLoaded(istiod: SimulatedIstiod): void {
    if (istiod === this.#leader) this.#writeAll(istiod);
    else if (this.#leader === undefined) this.#elect();
  }

  /** Whoever is gone or down loses the lock. */
  noteLost(istiod: SimulatedIstiod): void {
    if (istiod !== this.#leader) return;
    this.#leader = undefined;
    this.#elect();
  }

  /** The lock is held by somebody who does nothing. */
  stall(ms: number): void {
    this.#cluster.note(`root ConfigMaps are not written for ${Math.round(ms / 1000)} s`);
    this.#idleUntilMs = this.#cluster.time.nowMs + ms;
  }

  #elect(): void {
    const { time, chance } = this.#cluster;
    if (this.#isElecting) return;
    this.#isElecting = true;
    time.after(chance.between(2_000, 40_000), () => {
      this.#isElecting = false;
      this.#leader = this.#cluster.anyIstiod();
      if (this.#leader !== undefined) this.#writeAll(this.#leader);
    });
  }

  #writeAll(leader: SimulatedIstiod): void {
    for (const namespace of this.#cluster.rootConfigMaps.keys()) this.#write(leader, namespace);
  }

  #write(leader: SimulatedIstiod, namespace: number): void {
    const { time, chance, rootConfigMaps, proxies } = this.#cluster;
    const waitMs = Math.max(0, this.#idleUntilMs - time.nowMs) + chance.between(100, 5_000);
    time.after(waitMs, () => {
      const configMap = rootConfigMaps[namespace];
      if (leader !== this.#leader || leader.loaded === undefined || configMap === undefined) return;
      if (configMap.latest.value.rootsText === leader.loaded.rootsText) return;
      configMap.write(leader.loaded, time.nowMs);
      for (const proxy of proxies) if (proxy.namespace === namespace) proxy.refreshVolume();
    });
  }
}
