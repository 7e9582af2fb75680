import type { KindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject, ObjectId } from '../../src/api/kubernetes-object.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { Informer } from '../../src/runtime/informer.ts';

/** A signal that is never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** What a watch has brought of some kinds. */
export interface ClusterView {
  get(id: ObjectId): KubernetesObject | undefined;
  /** Every object of a kind. */
  all(kind: KindInfo): KubernetesObject[];
  /** The check's first answer that is not undefined; asked now and after each change. */
  until<T>(what: string, limitMs: number, check: () => T | undefined): Promise<T>;
  close(): Promise<void>;
}

/** Lists and watches the kinds; returns when the lists are there. */
export async function watchKinds(
  client: KubeClient,
  kinds: readonly KindInfo[],
  labelSelector?: string,
): Promise<ClusterView> {
  const log = createLogger('error', process.stderr);
  const stop = new AbortController();
  const selected = labelSelector === undefined ? {} : { labelSelector };
  const informers = kinds.map(
    (kind) => new Informer({ kind, ...selected }, { client, clock: systemClock, log, random: Math.random }),
  );
  const checks = new Set<() => void>();
  for (const informer of informers) {
    informer.addHandler(() => {
      for (const check of checks) check();
    });
  }
  const running = informers.map((informer) => informer.run(stop.signal));
  await Promise.all(informers.map((informer) => informer.waitForSync(stop.signal)));
  const informerOf = (kind: { readonly apiVersion: string; readonly kind: string }) =>
    informers.find((found) => found.kind.kind === kind.kind && found.kind.apiVersion === kind.apiVersion);
  return {
    get: (id) => informerOf(id)?.get(id.namespace, id.name),
    all: (kind) => [...(informerOf(kind)?.values() ?? [])],
    until: (what, limitMs, check) => firstAnswer(checks, what, limitMs, check),
    close: async () => {
      stop.abort();
      await Promise.all(running);
    },
  };
}

function firstAnswer<T>(
  checks: Set<() => void>,
  what: string,
  limitMs: number,
  check: () => T | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      checks.delete(ask);
      reject(new Error(`gave up waiting until ${what} after ${limitMs / 1000} s`));
    }, limitMs);
    const ask = () => {
      const answer = check();
      if (answer === undefined) return;
      clearTimeout(timer);
      checks.delete(ask);
      resolve(answer);
    };
    checks.add(ask);
    ask();
  });
}
