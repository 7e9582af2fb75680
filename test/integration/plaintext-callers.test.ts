import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  anyCallsQuery,
  type PlaintextCaller,
  plaintextQueries,
  readCallers,
} from '../../src/controllers/mesh/plaintext-callers.ts';
import { type PrometheusSample, queryPrometheus } from '../../src/observability/prometheus-query.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type CountedRequests, RunningPrometheus } from '../support/running-prometheus.ts';
import { never } from '../support/test-client.ts';

const windowMs = 10_000;
let prometheus: RunningPrometheus;

beforeAll(async () => {
  prometheus = await RunningPrometheus.start();
});

afterAll(() => prometheus?.stop());

test('a Prometheus that scrapes no proxy knows of no call at all, and one that does knows', async () => {
  expect(await ask(anyCallsQuery)).toEqual([]);

  prometheus.setTraffic([call({ to: 'any', security: 'mutual_tls' })]);
  await waitUntil({ what: 'a call is known of', limitMs: 60_000 }, async () => {
    return (await ask(anyCallsQuery)).length === 1;
  });
});

test.each<[string, CountedRequests]>([
  ['a request', call({ to: 'request' })],
  ['a connection', call({ to: 'connection', metric: tcp() })],
  ['a connection that ztunnel has taken', call({ to: 'ambient', security: 'unknown', metric: tcp() })],
])('%s in plaintext is known as long as it is in the window, even a single one', async (_what, counted) => {
  prometheus.setTraffic([counted]);
  const namespace = counted.labels.destination_workload_namespace ?? '';

  await waitUntil({ what: 'the caller is known', limitMs: 60_000 }, async () => {
    const callers = await callersOf(namespace);
    return callers.length === 1;
  });
  expect(await callersOf(namespace)).toEqual([
    { from: { namespace: 'batch', workload: 'report' }, to: { namespace, workload: 'web' }, count: 1 },
  ]);
  await waitUntil({ what: 'the caller is forgotten', limitMs: 60_000 }, async () => {
    return (await callersOf(namespace)).length === 0;
  });
});

test('whoever calls on is known, also by a counter that is older than the window', async () => {
  prometheus.setTraffic([{ ...call({ to: 'busy' }), count: 1 }]);
  const older = `istio_requests_total{destination_workload_namespace="busy"} offset ${windowMs / 1000 + 1}s`;
  await waitUntil({ what: 'the counter is older', limitMs: 60_000 }, async () => {
    return (await ask(older)).length === 1;
  });

  expect(await callersOf('busy')).toMatchObject([{ to: { namespace: 'busy', workload: 'web' } }]);
});

test('calls by mutual TLS, calls that only the caller has counted, and those to others are none', async () => {
  const others = [
    call({ to: 'quiet', security: 'mutual_tls' }),
    call({ to: 'quiet', reporter: 'source', security: 'unknown' }),
    call({ to: 'quiet-not' }),
  ];
  prometheus.setTraffic(others);
  await waitUntil({ what: 'all are counted', limitMs: 60_000 }, async () => {
    return (await ask('istio_requests_total{destination_workload_namespace=~"quiet.*"}')).length === 3;
  });

  expect(await callersOf('quiet')).toEqual([]);
  expect(await callersOf('quiet', 'quiet-not')).toHaveLength(1);
});

async function callersOf(...namespaces: string[]): Promise<PlaintextCaller[]> {
  const answers = await Promise.all(plaintextQueries({ namespaces, windowMs }).map(ask));
  return readCallers(answers.flat());
}

async function ask(query: string): Promise<readonly PrometheusSample[]> {
  const answer = await queryPrometheus(prometheus.address, query, never);
  if (!('samples' in answer)) throw new Error(answer.unknown);
  return answer.samples;
}

function tcp(): string {
  return 'istio_tcp_connections_opened_total';
}

interface Call {
  readonly to: string;
  readonly security?: string;
  readonly reporter?: string;
  readonly metric?: string;
}

/** One that is counted once: the counter begins with it, as that of a proxy does with its first request. */
function call({ to, security = 'none', reporter = 'destination', metric }: Call): CountedRequests {
  return {
    ...(metric === undefined ? {} : { metric }),
    labels: {
      ...{ reporter, connection_security_policy: security },
      ...{ source_workload: 'report', source_workload_namespace: 'batch' },
      ...{ destination_workload: 'web', destination_workload_namespace: to },
    },
    ...{ first: 1, count: 0 },
  };
}
