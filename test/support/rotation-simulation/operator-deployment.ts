import type { RotationLogic } from './rotation-logic.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { SimulatedOperator } from './simulated-operator.ts';

/** The processes of the operator: one that leads, none, or for a moment two. */
export class OperatorDeployment {
  readonly #cluster: SimulatedCluster;
  readonly #logic: RotationLogic;
  readonly #running = new Set<SimulatedOperator>();

  constructor(cluster: SimulatedCluster, logic: RotationLogic) {
    this.#cluster = cluster;
    this.#logic = logic;
    cluster.authority.whenWritten(() => this.wake());
    cluster.cacerts.whenWritten(() => this.wake());
    cluster.statement.whenWritten(() => this.wake());
    for (const other of cluster.others) {
      other.statement.whenWritten(() => this.wake());
      for (const each of [cluster, other]) each.whenReached(() => this.wake());
    }
    for (const follower of cluster.followers) {
      follower.statement.whenWritten(() => this.wake());
      follower.whenBack(() => this.wake());
    }
    this.#start();
  }

  /** What a watch brings to all of them. */
  wake(): void {
    for (const process of this.#running) process.wake();
  }

  /** The process that leads ends, and another begins later, which remembers nothing. */
  restart(downMs: number): void {
    if (this.#running.size === 0) return;
    this.#cluster.note(`the operator is down for ${Math.round(downMs / 1000)} s`);
    this.#endAll(this.#running);
    this.#cluster.time.after(downMs, () => {
      if (this.#running.size === 0) this.#start();
    });
  }

  /** Another process takes the lead while the one before does not know yet that it has lost it. */
  overlap(ms: number): void {
    if (this.#running.size !== 1) return;
    this.#cluster.note(`a second operator leads for ${Math.round(ms / 1000)} s`);
    const before = new Set(this.#running);
    this.#start();
    this.#cluster.time.after(ms, () => this.#endAll(before));
  }

  #start(): void {
    this.#running.add(new SimulatedOperator(this.#cluster, this.#logic));
  }

  #endAll(processes: Iterable<SimulatedOperator>): void {
    for (const process of [...processes]) {
      process.end();
      this.#running.delete(process);
    }
  }
}
