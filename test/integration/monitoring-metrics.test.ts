import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveMesh } from '../../src/api/resolve.ts';
import { istioVersions } from '../../src/api/versions.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { dashboardsOf } from '../../src/render/monitoring/dashboards/dashboards.ts';
import { MeshSeries } from '../../src/render/monitoring/mesh-series.ts';
import { ruleGroups } from '../../src/render/monitoring/rule-groups.ts';
import { ensureIstioSource } from '../cluster/toolchain/istio-source.ts';
import {
  definedMetrics,
  type KnownMetrics,
  shownMetrics,
  standardMetrics,
} from '../support/known-metrics.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { groupingLabelsIn, isPromql, namesIn, type PromqlSelector, selectorsIn } from '../support/promql.ts';
import { envoyMetrics } from '../support/running-envoy.ts';
import { RunningInjector } from '../support/running-injector.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { ownNamespace, testClient } from '../support/test-client.ts';
import { openUpstreamCharts } from '../support/upstream-charts.ts';
import { UpstreamInjector } from '../support/upstream-injector.ts';

/** Whose metric it is, as label `job` says. */
type Origin = 'istiod' | 'injector' | 'proxies' | 'own';

interface Question {
  readonly where: string;
  readonly expr: string;
}

const mesh = resolveMesh(aMeshOperator({ telemetry: { monitoring: {} } }));
const { alerts } = mesh.monitoring ?? {};
const rules = alerts === undefined ? [] : ruleGroups(mesh, alerts).flatMap((group) => group.rules);

const questions: readonly Question[] = [
  ...rules.map((rule) => ({ where: 'alert' in rule ? rule.alert : rule.record, expr: rule.expr })),
  ...dashboardsOf(new MeshSeries(mesh)).flatMap(({ title, variables, rows }) => [
    ...variables.map(({ name, of, values }) => ({
      where: `${title}: $${name}`,
      expr: `count by (${values}) (${of})`,
    })),
    ...rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr }) => ({
          where: `${title}: ${panel.title}`,
          expr: expr.replaceAll('$__rate_interval', '5m'),
        })),
      ),
    ),
  ]),
];
const selectors = questions.flatMap(({ expr }) => selectorsIn(expr));

/** Labels that Prometheus gives to what it reads, by whom it reads. */
const ofTarget = ['job', 'instance', 'namespace', 'pod', 'container', 'endpoint'];
const targetLabels: Readonly<Record<Origin, readonly string[]>> = {
  istiod: [...ofTarget, 'service'],
  injector: [...ofTarget, 'service'],
  proxies: [...ofTarget, 'gateway'],
  own: ofTarget,
};

const jobs: readonly (readonly [job: string, origin: Origin])[] = [
  ['istio-system/istiod', 'istiod'],
  ['istio-system/sidecar-injector', 'injector'],
  ['istio-system/mesh-proxies', 'proxies'],
];

function originOf({ values }: PromqlSelector): Origin {
  return jobs.find(([job]) => values.includes(`"${job}"`))?.[1] ?? 'own';
}

function usedBy(origin: Origin): PromqlSelector[] {
  return selectors.filter((selector) => originOf(selector) === origin && selector.metric !== 'up');
}

/** Names and labels that nobody has: `metric` or `metric{label}`. */
function unknownIn(used: readonly PromqlSelector[], known: KnownMetrics, origin: Origin): string[] {
  const unknown = used.flatMap(({ metric, labels }) => {
    const own = known.get(metric);
    if (own === undefined) return [metric];
    const has = (label: string) => own.has(label) || targetLabels[origin].includes(label);
    return labels.filter((label) => !has(label)).map((label) => `${metric}{${label}}`);
  });
  return [...new Set(unknown)];
}

const merged = (...all: readonly KnownMetrics[]): KnownMetrics => new Map(all.flatMap((one) => [...one]));

/** Labels of requests that are asked for. */
const requestLabels = [
  ...new Set(
    questions
      .filter(({ expr }) => expr.includes('istio_'))
      .flatMap(({ expr }) => [...namesIn(expr, 'LabelName'), ...groupingLabelsIn(expr)]),
  ),
];

describe('what rules and dashboards ask for', () => {
  let istiod: UpstreamInjector;
  let shownByIstiod: KnownMetrics;
  let shownByInjector: KnownMetrics;
  let shownByEnvoy: KnownMetrics;

  beforeAll(async () => {
    const { kubeconfigPath: kubeconfig } = await sharedCluster();
    const { client, connection } = testClient(kubeconfig);
    const namespace = await ownNamespace(client, 'metrics');
    await connection.close();
    istiod = await UpstreamInjector.start({ kubeconfig, namespace, charts: await openUpstreamCharts() });
    shownByIstiod = shownMetrics(await (await fetch(istiod.metrics)).text());
    const injector = await RunningInjector.start();
    shownByInjector = shownMetrics(await injector.metrics());
    await injector.remove();
    shownByEnvoy = shownMetrics(await envoyMetrics());
  });

  afterAll(() => istiod?.stop());

  it('is PromQL', () => {
    expect(questions.length).toBeGreaterThan(80);
    expect(questions.filter(({ expr }) => !isPromql(expr))).toEqual([]);
  });

  it.each(istioVersions.map(({ minor }) => minor))('is what istiod %s has', async (minor) => {
    const known = merged(await definedMetrics(minor), processOf(shownByIstiod));

    expect(usedBy('istiod').length).toBeGreaterThan(20);
    expect(unknownIn(usedBy('istiod'), known, 'istiod')).toEqual([]);
  });

  it('has the names and labels that a real istiod shows, as far as it has something to count', () => {
    const shown = usedBy('istiod').filter(({ metric }) => shownByIstiod.has(metric));

    expect([...new Set(shown.map(({ metric }) => metric))]).toEqual(
      expect.arrayContaining([
        'citadel_server_root_cert_expiry_timestamp',
        'pilot_services',
        'process_cpu_seconds_total',
        'process_resident_memory_bytes',
      ]),
    );
    expect(unknownIn(shown, shownByIstiod, 'istiod')).toEqual([]);
  });

  it('is what the sidecar injector shows', () => {
    expect(usedBy('injector').length).toBeGreaterThan(5);
    // A series with labels is there from its first count on.
    const counted: KnownMetrics = new Map([['mesh_operator_injection_failures_total', new Set(['reason'])]]);
    expect(unknownIn(usedBy('injector'), merged(shownByInjector, counted), 'injector')).toEqual([]);
  });

  it.each(istioVersions.map(({ minor }) => minor))('is what proxies of Istio %s have', async (minor) => {
    const known = merged(
      await definedMetrics(minor),
      await standardMetrics(minor, requestLabels),
      await keptByIstio(shownByEnvoy, minor),
    );

    expect(usedBy('proxies').length).toBeGreaterThan(30);
    expect(unknownIn(usedBy('proxies'), known, 'proxies')).toEqual([]);
  });

  it('is what the operator shows, what rules record, and what Prometheus itself has', () => {
    const metrics = new Metrics().registry.getMetricsAsArray();
    const ofOperator = metrics.map(
      (metric) =>
        [metric.name, new Set('labelNames' in metric ? (metric.labelNames as string[]) : [])] as const,
    );
    const recorded = rules.flatMap((rule) =>
      'record' in rule
        ? [[rule.record, new Set([...groupingLabelsIn(rule.expr), ...Object.keys(rule.labels)])] as const]
        : [],
    );
    const ofPrometheus = [['ALERTS', new Set(['alertstate', 'alertname', 'namespace', 'mesh'])] as const];

    const known: KnownMetrics = new Map([...ofOperator, ...recorded, ...ofPrometheus]);
    expect(usedBy('own').length).toBeGreaterThan(10);
    expect(unknownIn(usedBy('own'), known, 'own')).toEqual([]);
  });

  it('is grouped by labels that it has', async () => {
    const { minor } = istioVersions[0];
    const known = merged(
      await definedMetrics(minor),
      await standardMetrics(minor, requestLabels),
      new Map(
        new Metrics().registry
          .getMetricsAsArray()
          .map((metric) => [
            metric.name,
            new Set('labelNames' in metric ? (metric.labelNames as string[]) : []),
          ]),
      ),
      new Map([['mesh_operator_injection_failures_total', new Set(['reason'])]]),
    );
    const astray = questions.flatMap(({ where, expr }) => {
      const has = new Set([
        // What label_replace makes of another label.
        'workload_namespace',
        ...selectorsIn(expr).flatMap((selector) => [
          ...(known.get(selector.metric) ?? shownByInjector.get(selector.metric) ?? []),
          ...targetLabels[originOf(selector)],
        ]),
      ]);
      return groupingLabelsIn(expr)
        .filter((label) => label !== '' && !has.has(label))
        .map((label) => `${where}: ${label}`);
    });

    expect(astray).toEqual([]);
  });
});

/** What the libraries of a process tell of it. */
function processOf(shown: KnownMetrics): KnownMetrics {
  return new Map([...shown].filter(([name]) => /^(process|go)_/.test(name)));
}

/** Of what Envoy has, Istio's bootstrap keeps what begins with some words (its `pkg/bootstrap/config.go`). */
async function keptByIstio(shown: KnownMetrics, minor: string): Promise<KnownMetrics> {
  const source = await ensureIstioSource(minor, 'istio.io/istio', () => {});
  const text = await readFile(join(source, 'pkg/bootstrap/config.go'), 'utf8');
  const [, list = ''] = /requiredEnvoyStatsMatcherInclusionPrefixes = "([^"]+)"/.exec(text) ?? [];
  const prefixes = list.split(',').map((prefix) => `envoy_${prefix.replace(/\W/g, '_')}_`);
  return new Map([...shown].filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))));
}
