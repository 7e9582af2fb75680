import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import type { Telemetry } from '../../../src/api/spec/telemetry.ts';
import { isRecord } from '../../../src/base/stable-json.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { type AppContainer, callFrom, execIn } from '../../support/app-requests.ts';
import { binomialBounds } from '../../support/binomial.ts';
import { jsonLines, proxyLog } from '../../support/proxy-log.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { SettledProxies } from '../../support/settled-proxies.ts';
import {
  aTracedRequest,
  collectedSpans,
  collectorNamespace,
  installSpanCollector,
  type Span,
} from '../../support/span-collector.ts';

const manifest = 'test/e2e/telemetry/mesh.yaml';
const clients = {
  shop: { namespace: 'shop', workload: 'deployment/client' },
  payments: { namespace: 'payments', workload: 'deployment/client' },
  quiet: { namespace: 'quiet', workload: 'deployment/client' },
} satisfies Record<string, AppContainer>;
const apps: readonly AppContainer[] = [
  ...Object.values(clients),
  { namespace: 'shop', workload: 'deployment/web' },
];

let real: RealMesh;
let cluster: Cluster;
let proxies: SettledProxies;

beforeAll(async () => {
  real = await installRealMesh(manifest);
  cluster = real.cluster;
  await installSpanCollector(cluster);
  await cluster.apply(await readManifest('test/e2e/telemetry/apps.yaml'));
  for (const { namespace, workload } of apps) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, workload, '--timeout=240s');
  }
  proxies = new SettledProxies(cluster, apps);
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...Object.keys(clients), collectorNamespace);
});

describe('access logs', () => {
  test('are JSON with exactly the fields that are asked for', async () => {
    await tell({ accessLogs: [{ provider: 'json' }] });

    await call(clients.shop, '/?status=404');

    const [line, ...others] = await untilLogged(clients.shop, '/?status=404');
    expect(JSON.parse(line ?? '')).toEqual({
      method: 'GET',
      path: '/?status=404',
      code: 404,
      by: 'mesh outbound|80||web.shop.svc.cluster.local;',
    });
    expect(others).toEqual([]);
  });

  test('have what their filter is true for alone, and lines of text what is asked for', async () => {
    await tell({ accessLogs: [{ provider: 'json', filter: 'response.code >= 400' }, { provider: 'lines' }] });

    await call(clients.shop, '/?right');
    await call(clients.shop, '/?status=500');

    await untilLogged(clients.shop, '/?status=500', 2);
    const log = await proxyLog(cluster, clients.shop);
    expect(log).toEqual(expect.arrayContaining(['line GET /?right 200', 'line GET /?status=500 500']));
    expect(pathsIn(log).slice(-1)).toEqual(['/?status=500']);
    expect(pathsIn(log)).not.toContain('/?right');
  });

  test('are in a namespace those that it names, and in others those of the mesh', async () => {
    await tell({
      accessLogs: [{ provider: 'json' }],
      namespaces: [{ namespace: 'payments', accessLogs: [{ provider: 'lines' }] }],
    });

    for (const client of [clients.shop, clients.payments]) await call(client, '/?place');

    expect(await untilLogged(clients.payments, '/?place')).toEqual(['line GET /?place 200']);
    expect((await untilLogged(clients.shop, '/?place')).map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ path: '/?place', code: 200 }),
    ]);
  });

  test('are off where a namespace turns them off', async () => {
    const accessLogs = [{ provider: 'json' }, { provider: 'lines' }];
    await tell({
      accessLogs,
      namespaces: [
        { namespace: 'payments', accessLogs: [{ provider: 'json', disabled: true }, { provider: 'lines' }] },
        { namespace: 'quiet', accessLogs: [{ provider: 'json', disabled: true }] },
      ],
    });
    for (const client of Object.values(clients)) await call(client, '/?off');
    await tell({ accessLogs });
    for (const client of Object.values(clients)) await call(client, '/?on');

    for (const client of Object.values(clients)) await untilLogged(client, '/?on', 2);
    expect(await linesOf(clients.shop, '/?off')).toHaveLength(2);
    expect(await linesOf(clients.payments, '/?off')).toEqual(['line GET /?off 200']);
    // What is said of a namespace is all that is logged there.
    expect(await linesOf(clients.quiet, '/?off')).toEqual([]);
  });
});

describe('traces', () => {
  test.each([
    ['OTLP over gRPC', 'otlp-grpc'],
    ['OTLP over HTTP', 'otlp-http'],
    ['Zipkin', 'zipkin'],
  ])('reach a collector by %s, with their tags', async (_what, provider) => {
    await tell({ tracing: { provider, sampling: 100, tags: { stage: provider } } });

    await call(clients.shop, `/?by=${provider}`);

    const spans = await untilReported(`/?by=${provider}`, ['client.shop', 'web.shop']);
    const [client, server] = ['client.shop', 'web.shop'].map((app) =>
      spans.find(({ service }) => service === app),
    );
    expect(spans).toHaveLength(2);
    expect(server).toMatchObject({ traceId: client?.traceId, parentSpanId: client?.spanId });
    expect(spans.map(({ service, tags }) => [service, tags.stage, tags['http.method']]).sort()).toEqual([
      ['client.shop', provider, 'GET'],
      ['web.shop', provider, 'GET'],
    ]);
  });

  test('are of the share of requests that the mesh says, or the namespace of who calls', async () => {
    const times = 400;
    await tell({
      tracing: { provider: 'otlp-grpc', sampling: 30 },
      namespaces: [
        { namespace: 'payments', tracing: { sampling: 100 } },
        { namespace: 'quiet', tracing: { sampling: 0 } },
      ],
    });

    const shares = await Promise.all(
      Object.entries(clients).map(async ([name, client]) => {
        const path = `/?share=${name}`;
        await call(client, path, { times });
        return [name, await tracesOf(client, path)] as const;
      }),
    );

    const { least, most } = binomialBounds(times, 0.3);
    const { shop, payments, quiet } = Object.fromEntries(shares);
    expect(payments?.byClient.size).toBe(times);
    expect(quiet?.byClient.size).toBe(0);
    expect(shop?.byClient.size).toBeGreaterThanOrEqual(least);
    expect(shop?.byClient.size).toBeLessThanOrEqual(most);
    // The next proxy does not decide again.
    for (const [, { byClient, byServer }] of shares) expect(byServer).toEqual(byClient);
  });

  test('have no spans of a namespace that reports none', async () => {
    await tell({
      tracing: { provider: 'otlp-grpc', sampling: 100 },
      namespaces: [{ namespace: 'payments', tracing: { disabled: true } }],
    });

    await call(clients.payments, '/?disabled', { times: 20 });

    const { byClient, byServer } = await tracesOf(clients.payments, '/?disabled', ['web.shop']);
    expect(byClient.size).toBe(0);
    expect(byServer.size).toBe(20);
  });
});

describe('metrics', () => {
  // A stock Envoy lacks the filter that counts: it refuses it, and goes on with what it has.
  test('are counted with the labels that the mesh says, as istiod asks of proxies', async () => {
    await change({
      metrics: [
        { metric: 'REQUEST_COUNT', removeTags: ['source_principal'], tags: { request_host: 'request.host' } },
        { metric: 'REQUEST_SIZE', side: 'SERVER', disabled: true },
      ],
    });

    const counting = await waitUntil({ what: 'istiod asks to count' }, async () => {
      const filters = await statsFiltersOf('web', 'shop');
      return filters.length > 0 && filters;
    });

    const ofRequests = { name: 'requests_total', tagsToRemove: ['source_principal'] };
    const counted = { ...ofRequests, dimensions: { request_host: 'request.host' } };
    const type = 'type.googleapis.com/stats.PluginConfig';
    expect(counting).toEqual([
      { '@type': type, metrics: [counted] },
      {
        '@type': type,
        disableHostHeaderFallback: true,
        metrics: [counted, { name: 'request_bytes', drop: true }],
      },
    ]);
  });
});

/** What istiod gives the proxy of an app as settings of the filter that counts, each once. */
async function statsFiltersOf(app: string, namespace: string): Promise<unknown[]> {
  const pod = [
    'get',
    'pods',
    '-n',
    namespace,
    '-l',
    `app=${app}`,
    '-o',
    'jsonpath={.items[0].metadata.name}',
  ];
  const path = `/debug/config_dump?proxyID=${await cluster.kubectl(...pod)}.${namespace}`;
  const istiod = { namespace: 'istio-system', workload: 'deployment/istiod', container: 'discovery' };
  const config = JSON.parse(
    await execIn(cluster, istiod, 'pilot-discovery', 'request', 'GET', path),
  ) as unknown;
  const filters = filtersNamed('istio.stats', config).map((filter) => JSON.stringify(filter));
  return [...new Set(filters)].map((filter) => JSON.parse(filter) as unknown);
}

function filtersNamed(name: string, node: unknown): unknown[] {
  if (Array.isArray(node)) return node.flatMap((item) => filtersNamed(name, item));
  if (!isRecord(node)) return [];
  return node.name === name
    ? [node.typed_config ?? node.typedConfig]
    : Object.values(node).flatMap((inner) => filtersNamed(name, inner));
}

/** Has the mesh say this beside what its file says, and nothing of before, and waits until its proxies have it. */
async function tell(telemetry: Telemetry): Promise<void> {
  await change(telemetry);
  await proxies.wait();
}

/** The operator has done it; proxies need not have it. */
async function change(telemetry: Telemetry): Promise<void> {
  const mesh = load(await readManifest(manifest)) as MeshOperator;
  const { apiVersion, kind, metadata, spec } = mesh;
  const whole = { ...spec?.telemetry, ...telemetry };
  await cluster.apply(dump({ apiVersion, kind, metadata, spec: { telemetry: whole } }), 'steps');
  await real.mesh.until('Ready');
}

/** GETs from a client to the server; all must be answered. */
async function call(
  from: AppContainer,
  path: string,
  { times = 1, headers = [] }: { readonly times?: number; readonly headers?: readonly string[] } = {},
): Promise<void> {
  const flags = headers.flatMap((header) => ['-header', header]);
  const { total } = await callFrom(
    ...[cluster, from, '-url', urlOf(path), '-count', `${times}`, '-rate', '50', ...flags],
  );
  expect(total.answeredBy['web/v1']).toBe(times);
}

function urlOf(path: string): string {
  return `http://web.shop${path}`;
}

/** Lines that a proxy has logged of requests with that path. */
async function linesOf(of: AppContainer, path: string): Promise<string[]> {
  return (await proxyLog(cluster, of)).filter((line) => line.includes(path));
}

function untilLogged(of: AppContainer, path: string, count = 1): Promise<string[]> {
  const explain = async () => (await proxyLog(cluster, of)).slice(-20).join('\n');
  const what = `${of.namespace} has ${count} lines of ${path}`;
  return waitUntil({ what, intervalMs: 300, explain }, async () => {
    const lines = await linesOf(of, path);
    return lines.length >= count && lines;
  });
}

function pathsIn(log: readonly string[]): unknown[] {
  return jsonLines(log).map(({ path }) => path);
}

/** The spans of requests with that path, once the proxies of these apps have reported theirs. */
function untilReported(path: string, services: readonly string[]): Promise<Span[]> {
  const explain = async () => JSON.stringify((await collectedSpans(cluster)).slice(-10));
  const what = `spans of ${path} arrive from ${services.join(' and ')}`;
  return waitUntil({ what, intervalMs: 500, explain }, async () => {
    const spans = (await collectedSpans(cluster)).filter(({ tags }) => tags['http.url'] === urlOf(path));
    return services.every((app) => spans.some(({ service }) => service === app)) && spans;
  });
}

/**
 * Traces of requests with that path, by the proxy that has reported a span: all, since one more request, for which
 * somebody else has decided that it is traced, has been reported by each of them.
 */
async function tracesOf(
  client: AppContainer,
  path: string,
  services: readonly string[] = [`client.${client.namespace}`, 'web.shop'],
) {
  const { id, header } = aTracedRequest();
  const last = `/?last=${id}`;
  await call(client, last, { headers: [header] });
  await untilReported(last, services);
  const spans = (await collectedSpans(cluster)).filter(({ tags }) => tags['http.url'] === urlOf(path));
  const idsOf = (app: string) =>
    new Set(spans.filter(({ service }) => service === app).map(({ traceId }) => traceId));
  return { byClient: idsOf(`client.${client.namespace}`), byServer: idsOf('web.shop') };
}
