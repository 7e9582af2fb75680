import { isRecord } from '../../src/base/stable-json.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { IstiodProcess } from './istiod-process.ts';

/** A service as an istiod knows it in one of its clusters. */
export interface KnownService {
  readonly clusterName: string;
  readonly namespace: string;
  readonly name: string;
}

/** Addresses of its endpoints in that cluster (`/debug/endpointShardz`). Throws while istiod does not answer. */
export async function knownEndpoints(istiod: IstiodProcess, service: KnownService): Promise<string[]> {
  const { clusterName, namespace, name } = service;
  const page = await istiod.debugPage('endpointShardz');
  const found = [
    `${name}.${namespace}.svc.cluster.local`,
    namespace,
    'Shards',
    `Kubernetes/${clusterName}`,
  ].reduce((value, key) => (isRecord(value) ? value[key] : undefined), page);
  return (Array.isArray(found) ? found : []).flatMap(({ Addresses }) => Addresses as string[]);
}

/** Waits until istiod knows exactly these endpoints of a service; none is a number as well. */
export async function untilKnown(
  istiod: IstiodProcess,
  service: KnownService,
  addresses: readonly string[],
): Promise<void> {
  const what = `istiod knows ${addresses.join(', ') || 'no address'} of ${service.name} in ${service.clusterName}`;
  const explain = () => istiod.lastWords();
  await waitUntil({ what, intervalMs: 20, explain }, async () => {
    return (await knownEndpoints(istiod, service)).join() === addresses.join();
  });
}

/** Waits until istiod says of a cluster that it has read it (`/debug/clusterz`). */
export async function untilSynced(istiod: IstiodProcess, clusterName: string): Promise<void> {
  const explain = () => istiod.lastWords();
  await waitUntil({ what: `istiod has read ${clusterName}`, intervalMs: 20, explain }, async () => {
    const clusters = (await istiod.debugPage('clusterz')) as { id: string; syncStatus: string }[];
    return clusters.some(({ id, syncStatus }) => id === clusterName && syncStatus === 'synced');
  });
}

/** Looks at a service again and again, and remembers whether it was ever without endpoints. */
export class EndpointWitness {
  #isEnding = false;
  #looks = 0;
  #missed = 0;
  readonly #looking: Promise<unknown>;

  constructor(istiod: IstiodProcess, service: KnownService) {
    const what = `somebody has seen enough of ${service.name}`;
    this.#looking = waitUntil({ what, limitMs: 300_000, intervalMs: 20 }, async () => {
      const addresses = await knownEndpoints(istiod, service);
      this.#looks += 1;
      if (addresses.length === 0) this.#missed += 1;
      return this.#isEnding;
    });
  }

  /** How often it has looked, and how often there was no endpoint. */
  async end(): Promise<{ readonly looks: number; readonly missed: number }> {
    this.#isEnding = true;
    await this.#looking;
    return { looks: this.#looks, missed: this.#missed };
  }
}
