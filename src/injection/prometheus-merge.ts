import { names } from './annotation-names.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf, findProxy, type Pod, podNameText } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';
import { parseBoolean } from './validate-annotations.ts';

interface ScrapeTarget {
  readonly port: string;
  readonly path: string;
}

/** What Prometheus makes of the name of an annotation: several spellings are one. */
const labels = {
  scrape: 'prometheus_io_scrape',
  port: 'prometheus_io_port',
  path: 'prometheus_io_path',
  targets: 'prometheus_istio_io_scrape_targets',
  securePort: 'prometheus_istio_io_secure_port',
} as const;

/** Ports at which the proxy itself listens: scraping one of them would scrape the proxy, or for ever. */
const proxyPorts = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

/**
 * Lets the agent scrape the application and offer its metrics with the proxy's: the pod's own annotations move into
 * the proxy's environment, and the agent's take their place. Changes the pod; throws PodRejectedError for a port that
 * the agent cannot scrape.
 */
export function mergePrometheus(pod: Pod, facts: InjectionFacts): void {
  const statusPort = String(facts.meshStatusPort);
  const found = readAnnotations(pod);
  if (!isWanted(pod, facts, found) || found.port === statusPort) return;
  const targets = facts.isAtLeast131 ? parseTargets(found.targets) : [];
  const [first] = targets;
  const port = first?.port ?? found.port;
  const path = first?.path ?? found.path;
  if (facts.isAtLeast131)
    checkPorts(pod, targets.length > 0 ? targets.map((target) => target.port) : [port], statusPort);

  const proxy = findProxy(pod);
  if (proxy !== undefined && [found.scrape, path, port].some((text) => text !== undefined && text !== '')) {
    const value = JSON.stringify({
      scrape: found.scrape ?? '',
      path: path ?? '',
      port: port ?? '',
      ...(targets.length === 0 ? {} : { targets }),
    });
    proxy.env = [...(proxy.env ?? []), { name: 'ISTIO_PROMETHEUS_ANNOTATIONS', value }];
  }
  const ours: readonly string[] = [labels.scrape, labels.port, labels.path, labels.targets];
  const others = Object.entries(pod.metadata.annotations ?? {}).filter(
    ([name]) => !ours.includes(labelNameOf(name)),
  );
  pod.metadata.annotations = {
    ...Object.fromEntries(others),
    'prometheus.io/port': statusPort,
    'prometheus.io/path': '/stats/prometheus',
    'prometheus.io/scrape': 'true',
  };
}

/** Tells Prometheus where merged metrics are to be had over mTLS, when the proxy offers them: from 1.31 on. Changes the pod. */
export function announceSecurePort(pod: Pod, { isAtLeast131 }: InjectionFacts): void {
  if (!isAtLeast131) return;
  const annotations = pod.metadata.annotations ?? {};
  if (Object.keys(annotations).some((name) => labelNameOf(name) === labels.securePort)) return;
  const port = findProxy(pod)?.env?.find(({ name }) => name === 'ENVOY_SECURE_MERGED_METRICS_PORT')?.value;
  if (port === undefined || port === '' || port === '0') return;
  pod.metadata.annotations = { ...annotations, [names.securePort]: port };
}

type Found = Readonly<Partial<Record<keyof typeof labels, string>>>;

function readAnnotations(pod: Pod): Found {
  const found: Partial<Record<keyof typeof labels, string>> = {};
  for (const [name, value] of Object.entries(pod.metadata.annotations ?? {})) {
    const label = labelNameOf(name);
    for (const key of Object.keys(labels) as (keyof typeof labels)[]) {
      if (labels[key] === label) found[key] = value;
    }
  }
  return found;
}

function labelNameOf(annotation: string): string {
  return annotation.startsWith('prometheus') ? annotation.replace(/[^a-zA-Z0-9_]/g, '_') : annotation;
}

function isWanted(pod: Pod, { mesh }: InjectionFacts, found: Found): boolean {
  if (parseBoolean(found.scrape) === false) return false;
  return (
    parseBoolean(annotationOf(pod, names.mergeMetrics)) ?? mesh.meshConfig.enablePrometheusMerge !== false
  );
}

/** `port[:path]` joined by commas; an entry without a port makes the whole text count for nothing. */
function parseTargets(text: string | undefined): ScrapeTarget[] {
  const targets = (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const colon = entry.indexOf(':');
      const port = (colon === -1 ? entry : entry.slice(0, colon)).trim();
      const path = colon === -1 ? '' : entry.slice(colon + 1).trim();
      return { port, path: path === '' ? '/metrics' : path };
    });
  return targets.some(({ port }) => port === '') ? [] : targets;
}

function checkPorts(pod: Pod, ports: readonly (string | undefined)[], statusPort: string): void {
  for (const port of ports) {
    if (port === undefined || port === '') continue;
    const number = /^\+?[0-9]+$/.test(port) ? Number(port) : Number.NaN;
    const problem =
      Number.isNaN(number) || number < 1 || number > 65_535
        ? 'must be a port number from 1 to 65535'
        : number === Number(statusPort) || proxyPorts.includes(number)
          ? 'is a port of the proxy itself'
          : undefined;
    if (problem === undefined) continue;
    throw new PodRejectedError(
      `Pod ${podNameText(pod)}: the port ${JSON.stringify(port)} in its prometheus annotations ${problem}; correct it, or set ${names.mergeMetrics} to "false"`,
    );
  }
}
