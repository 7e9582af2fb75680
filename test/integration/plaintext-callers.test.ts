import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type KnownCallers,
  type PlaintextCaller,
  plaintextQuery,
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

test('a Prometheus that scrapes no proxy knows nothing, and one that does knows that nobody calls', async () => {
  expect(await known([])).toEqual({ unknown: 'knows of no call to any proxy: see that it scrapes them' });

  prometheus.setTraffic([call({ to: 'any', security: 'mutual_tls' })]);
  await waitUntil({ what: 'a call is known of' }, async () => 'callers' in (await known([])));
});

test.each<[string, CountedRequests]>([
  ['a request', call({ to: 'request' })],
  ['a connection', call({ to: 'connection', metric: tcp() })],
  ['a connection that ztunnel has taken', call({ to: 'ambient', security: 'unknown', metric: tcp() })],
])('%s in plaintext is known as long as it is in the window, even a single one', async (_what, counted) => {
  prometheus.setTraffic([counted]);
  const namespace = counted.labels.destination_workload_namespace ?? '';

  await waitUntil({ what: 'the caller is known' }, async () => {
    const callers = await callersOf(namespace);
    return callers.length === 1;
  });
  expect(await callersOf(namespace)).toEqual([
    { from: { namespace: 'batch', workload: 'report' }, to: { namespace, workload: 'web' }, count: 1 },
  ]);
  await waitUntil({ what: 'the caller is forgotten' }, async () => {
    return (await callersOf(namespace)).length === 0;
  });
});

test('whoever calls on is known, also by a counter that is older than the window', async () => {
  prometheus.setTraffic([{ ...call({ to: 'busy' }), count: 1 }]);
  const older = `istio_requests_total{destination_workload_namespace="busy"} offset ${windowMs / 1000 + 1}s`;
  await waitUntil({ what: 'the counter is older' }, async () => {
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
  await waitUntil({ what: 'all are counted' }, async () => {
    return (await ask('istio_requests_total{destination_workload_namespace=~"quiet.*"}')).length === 3;
  });

  expect(await callersOf('quiet')).toEqual([]);
  expect(await callersOf('quiet', 'quiet-not')).toHaveLength(1);
});

test.each([
  ['one scrape', '700ms'],
  ['one scrape or none', '2s'],
])('with %s in the window, a caller is known or nothing is, but never nobody', async (_many, interval) => {
  const slow = await RunningPrometheus.start(interval);
  try {
    slow.setTraffic([{ ...call({ to: 'slow' }), count: 1 }]);
    const counter = 'istio_requests_total{destination_workload_namespace="slow"}';
    const grown = (by: number) => `${counter} - ${counter} offset 5s >= ${by}`;
    await waitUntil({ what: 'the caller has called on' }, async () => {
      return (await ask(grown(1), slow)).length === 1;
    });

    const answers: KnownCallers[] = [];
    const first = await ask(counter, slow);
    await waitUntil({ what: 'it is scraped some more times' }, async () => {
      answers.push(await known(['slow'], 1000, slow));
      return ((await ask(counter, slow))[0]?.value ?? 0) >= (first[0]?.value ?? 0) + 4;
    });

    const callers = answers.flatMap((answer) => ('callers' in answer ? [answer.callers] : []));
    expect(callers).not.toEqual([]);
    expect(callers.filter(([caller]) => caller?.to.namespace !== 'slow')).toEqual([]);
  } finally {
    await slow.stop();
  }
});

test('a window without any scrape tells nothing, though nobody has called in plaintext', async () => {
  const slow = await RunningPrometheus.start('3s');
  try {
    slow.setTraffic([call({ to: 'slow', security: 'mutual_tls' })]);
    await waitUntil({ what: 'the window is empty' }, async () => {
      const answer = await known(['slow'], 1000, slow);
      return (
        'unknown' in answer && answer.unknown.startsWith('has scraped some of the called proxies before')
      );
    });
  } finally {
    await slow.stop();
  }
});

async function callersOf(...namespaces: string[]): Promise<readonly PlaintextCaller[]> {
  const answer = await known(namespaces, windowMs);
  if (!('callers' in answer)) throw new Error(answer.unknown);
  return answer.callers;
}

async function known(namespaces: string[], ms = windowMs, from = prometheus): Promise<KnownCallers> {
  return readCallers(await ask(plaintextQuery({ namespaces, windowMs: ms }), from));
}

async function ask(query: string, from = prometheus): Promise<readonly PrometheusSample[]> {
  const answer = await queryPrometheus(from.address, query, never);
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
