import type { Clock } from '../base/clock.ts';
import type { KubeClient } from './client.ts';

export interface ClusterVersionDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
}

/** An API server is rarely upgraded, and whoever asks usually asks for many meshes at once. */
const keptMs = 600_000;

/** The version of the API server, read when somebody asks and kept for ten minutes. */
export class ClusterVersion {
  readonly #deps: ClusterVersionDeps;
  #minor: Promise<number> | undefined;
  #readAtMs = 0;

  constructor(deps: ClusterVersionDeps) {
    this.#deps = deps;
  }

  /** Its minor version: 35 for Kubernetes 1.35. Those who ask at once share one request. */
  async minor(signal: AbortSignal): Promise<number> {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#minor === undefined || nowMs - this.#readAtMs > keptMs) {
      this.#readAtMs = nowMs;
      this.#minor = this.#deps.client.serverMinor(signal);
    }
    try {
      return await this.#minor;
    } catch (error) {
      this.#minor = undefined;
      throw error;
    }
  }
}
