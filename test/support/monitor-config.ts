import { load } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';

/** One way in which Prometheus finds what to read: of `endpoints` or of `pod`. */
export interface Discovery {
  readonly role: string;
}

interface ScrapeJob {
  readonly kubernetes_sd_configs: readonly Discovery[];
}

/**
 * The configuration of Prometheus that a real Prometheus Operator makes of monitors, read every second unless they say
 * otherwise. How targets are found is the caller's: this Prometheus runs in no cluster.
 */
export async function monitorConfig(
  monitors: readonly KubernetesObject[],
  findBy: (discovery: Discovery) => object,
): Promise<object> {
  const ofKind = (wanted: string) => monitors.filter(({ kind }) => kind === wanted);
  const prometheus = {
    metadata: { name: 'test', namespace: 'monitoring' },
    spec: { version: 'v2.42.0', scrapeInterval: '1s', evaluationInterval: '1s' },
  };
  const text = await run(await ensureTool('prometheus-operator'), [], {
    input: JSON.stringify({
      prometheus,
      serviceMonitors: ofKind('ServiceMonitor'),
      podMonitors: ofKind('PodMonitor'),
    }),
  });
  // Its reloader puts these in: the first of one shard.
  const whole = text.replaceAll('$(SHARD)', '0').replaceAll('$(POD_NAME)', 'test-0');
  const config = load(whole) as { readonly scrape_configs: readonly ScrapeJob[] };
  return {
    ...config,
    scrape_configs: config.scrape_configs.map(({ kubernetes_sd_configs: [discovery], ...job }) => ({
      ...job,
      ...(discovery === undefined ? {} : findBy(discovery)),
    })),
  };
}
