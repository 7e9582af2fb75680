import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureIstioSource } from '../cluster/toolchain/istio-source.ts';

/** Labels of each metric, by its name as Prometheus reads it. */
export type KnownMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** What a program shows at `/metrics`: all names with the labels that they have there. */
export function shownMetrics(exposition: string): KnownMetrics {
  const known = new Map<string, Set<string>>();
  for (const line of exposition.split('\n')) {
    const [, name, labels = ''] = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const names = known.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/([A-Za-z_][A-Za-z0-9_]*)="(?:[^"\\]|\\.)*"/g))
      names.add(label);
    known.set(name, names);
  }
  return known;
}

/** Where istiod and the agent define their metrics, in the source of Istio. */
const folders = ['pilot', 'pkg', 'security'];
const definition = /monitoring\.New(Sum|Gauge|DerivedGauge|Distribution)\(\s*"([a-z_0-9]+)"/g;
const histogramParts = ['_bucket', '_sum', '_count'];

/**
 * The metrics that istiod defines in a minor of Istio, with the labels of their Go package; many are shown only once
 * something has been counted. The agent has some of them with `istio_agent_` in front.
 */
export async function definedMetrics(minor: string): Promise<KnownMetrics> {
  const source = await ensureIstioSource(minor, 'istio.io/istio', () => {});
  const known = new Map<string, Set<string>>();
  const entries = await Promise.all(
    folders.map((folder) => readdir(join(source, folder), { recursive: true, withFileTypes: true })),
  );
  const files = entries
    .flat()
    .filter((entry) => entry.isFile() && entry.name.endsWith('.go') && !entry.name.endsWith('_test.go'));
  const byPackage = Map.groupBy(files, (file) => file.parentPath);
  for (const [folder, members] of byPackage) {
    const texts = await Promise.all(members.map(({ name }) => readFile(join(folder, name), 'utf8')));
    const text = texts.join('\n');
    const labels = [...text.matchAll(/CreateLabel\("([a-z_]+)"\)/g)].map(([, label = '']) => label);
    for (const [, kind, name = ''] of text.matchAll(definition)) {
      const isHistogram = kind === 'Distribution';
      const names = isHistogram ? histogramParts.map((part) => `${name}${part}`) : [name];
      for (const one of names) {
        known.set(one, new Set([...labels, ...(isHistogram ? ['le'] : [])]));
        known.set(`istio_agent_${one}`, new Set([...labels, ...(isHistogram ? ['le'] : [])]));
      }
    }
  }
  return known;
}

/** What Istio's own tests and dashboards ask of proxies: its standard metrics have these labels. */
const askedIn = ['tests/integration/telemetry', 'tests/integration/ambient', 'manifests/addons/dashboards'];

/**
 * The metrics of requests and connections that Istio's proxies have by the filter that a stock Envoy lacks: names from
 * istiod's own table of them, and those of `labels` that Istio's tests and dashboards know.
 */
export async function standardMetrics(minor: string, labels: readonly string[]): Promise<KnownMetrics> {
  const source = await ensureIstioSource(minor, 'istio.io/istio', () => {});
  const table = await readFile(join(source, 'pilot/pkg/model/telemetry.go'), 'utf8');
  const start = table.indexOf('metricToPrometheusMetric = map');
  const names = [...table.slice(start, table.indexOf('}', start)).matchAll(/"[A-Z_]+":\s+"([a-z_]+)"/g)];
  const entries = await Promise.all(
    askedIn.map((folder) => readdir(join(source, folder), { recursive: true, withFileTypes: true })),
  );
  const files = entries.flat().filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')),
  );
  const text = texts.join('\n');
  const known = new Set(labels.filter((label) => new RegExp(`\\b${label}\\b`).test(text)));
  return new Map(
    names.flatMap(([, name = '']) =>
      ['', ...histogramParts].map((part) => [`istio_${name}${part}`, new Set([...known, 'le'])]),
    ),
  );
}
