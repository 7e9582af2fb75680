import { dayMs, hourMs, minuteMs } from '../authority-states.ts';
import type { Mishaps } from './mishaps.ts';
import type { OperatorDeployment } from './operator-deployment.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** The last two are not taken: the one of a valid authority never, the other one by nobody. */
const wishes = ['root', 'intermediate', 'intermediate', 'KeyCompromise', 'Recovery', 'everything'];

/** A person who asks for rotations and pauses them, now and then. */
export class Wishes {
  readonly #cluster: SimulatedCluster;
  readonly #operators: OperatorDeployment;
  #areOver = false;
  #asked = 0;

  constructor(cluster: SimulatedCluster, operators: OperatorDeployment, mishaps: Mishaps) {
    this.#cluster = cluster;
    this.#operators = operators;
    this.#every(120 * dayMs, () => this.#ask());
    this.#every(100 * dayMs, () => this.#pause());
    this.#every(120 * dayMs, () => {
      mishaps.provoke();
      cluster.time.after(cluster.chance.between(0, minuteMs), () => this.#ask());
    });
    cluster.authority.whenWritten(() => {
      if (cluster.chance.isTrue(0.03))
        cluster.time.after(cluster.chance.between(0, hourMs), () => this.#ask());
    });
  }

  end(): void {
    this.#areOver = true;
  }

  #ask(): void {
    if (this.#areOver) return;
    this.#asked += 1;
    const request = `${this.#cluster.chance.pick(wishes)}/${this.#asked}`;
    this.#cluster.note(`asked for ${request}`);
    this.#cluster.request = request;
    this.#operators.wake();
  }

  /** Never so long that an authority could end meanwhile. */
  #pause(): void {
    if (this.#areOver) return;
    const { time, chance, settings } = this.#cluster;
    const { lifetimeMs, threshold } = settings.policy.intermediate;
    const ms = chance.between(hourMs, Math.min(10 * dayMs, (lifetimeMs * threshold) / 8));
    this.#cluster.note(`paused for ${Math.round(ms / hourMs)} h`);
    this.#cluster.pausedUntilMs = time.nowMs + ms;
    this.#operators.wake();
  }

  #every(meanMs: number, happen: () => void): void {
    const { turmoil } = this.#cluster.settings;
    this.#cluster.time.after(this.#cluster.chance.until(meanMs / turmoil), () => {
      if (this.#areOver) return;
      happen();
      this.#every(meanMs, happen);
    });
  }
}
