import { restartAnnotation } from '../../../api/labels.ts';
import { NotFoundError } from '../../../base/errors.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { Informer } from '../../../runtime/informer.ts';
import { restartManager } from '../field-managers.ts';
import { podText } from '../findings.ts';
import { podsOfController } from '../observed-pods.ts';
import { planEvictions } from '../plan-evictions.ts';
import type { ObservedProxy } from './observed-upgrade.ts';
import { groupText, type RestartGroup, rollsOut } from './restart-groups.ts';

export interface RestartDeps {
  readonly client: KubeClient;
  readonly pods: Informer;
}

export interface RestartOrder {
  readonly groups: readonly RestartGroup[];
  readonly isBehind: (proxy: ObservedProxy) => boolean;
  /** What the pods should have afterwards; the same text restarts a workload only once. */
  readonly version: string;
}

/** More at once would be a restart of everything. */
const mostAtOnce = 20;
const nothing: ReadonlyMap<string, ReadonlySet<string>> = new Map();

/**
 * Has the pods of workloads replaced: by a rolling update of their own where they know one, so that their strategy keeps
 * them serving, else by evicting one ready pod at a time within disruption budgets. Remembers whom it has told; what a
 * process forgets costs a patch that changes nothing.
 */
export class Restarts {
  readonly #deps: RestartDeps;
  #version: string | undefined;
  readonly #told = new Set<string>();

  constructor(deps: RestartDeps) {
    this.#deps = deps;
  }

  /** True when more is left to do than this time could. */
  async order(order: RestartOrder, { signal, log }: { signal: AbortSignal; log: Logger }): Promise<boolean> {
    if (this.#version !== order.version) this.#told.clear();
    this.#version = order.version;
    const { groups } = order;
    const rolling = groups.filter(rollsOut);
    const underWay = rolling.filter((group) => this.#told.has(groupText(group)));
    const waiting = rolling.filter((group) => !this.#told.has(groupText(group)));
    for (const group of waiting.slice(0, Math.max(0, mostAtOnce - underWay.length))) {
      await this.#rollOut(group, order.version, signal);
      log.info('Restarted workload', { workload: groupText(group), version: order.version });
      this.#told.add(groupText(group));
    }
    const others = groups.filter((group) => !rollsOut(group));
    await this.#evict(others, order.isBehind, { signal, log });
    return others.length > 0 || underWay.length + waiting.length > mostAtOnce;
  }

  async #rollOut(
    { apiVersion, kind, namespace, name }: RestartGroup,
    version: string,
    signal: AbortSignal,
  ): Promise<void> {
    const annotations = { [restartAnnotation]: version };
    const merge = { spec: { template: { metadata: { annotations } } } };
    try {
      await this.#deps.client.patch(
        { apiVersion, kind, namespace, name },
        { type: 'merge', merge },
        { fieldManager: restartManager },
        signal,
      );
    } catch (error) {
      // Its pods are told of by the upgrade for as long as they are there.
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  async #evict(
    groups: readonly RestartGroup[],
    isBehind: (proxy: ObservedProxy) => boolean,
    { signal, log }: { signal: AbortSignal; log: Logger },
  ): Promise<void> {
    const { client, pods } = this.#deps;
    const { evict } = planEvictions({
      bare: groups.flatMap(({ proxies }) => proxies.filter(isBehind).map(({ pod }) => pod)),
      siblings: (uid) => podsOfController(pods, uid),
      evicted: nothing,
      refused: new Set(),
    });
    for (const pod of evict) {
      const { namespace = '', name, uid = '' } = pod.metadata;
      try {
        await client.evict({ apiVersion: 'v1', kind: 'Pod', namespace, name }, uid, signal);
        log.info('Evicted pod with a proxy of another version', { pod: podText(pod) });
      } catch (error) {
        if (signal.aborted) throw error;
        // A disruption budget keeps it, as a rule: the upgrade says that it is still there.
        if (!(error instanceof NotFoundError)) log.info('Pod not evicted', { pod: podText(pod), error });
      }
    }
  }
}
