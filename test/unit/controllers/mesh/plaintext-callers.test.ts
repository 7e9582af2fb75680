import { expect, test } from 'vitest';
import { plaintextQuery, readCallers } from '../../../../src/controllers/mesh/plaintext-callers.ts';
import type { PrometheusSample } from '../../../../src/observability/prometheus-query.ts';

const requests = 'istio_requests_total';
const any: PrometheusSample = { labels: { answer: 'any' }, value: 12 };

function sample(from: string, to: string, value: number, metric = requests): PrometheusSample {
  const [fromNamespace = '', fromWorkload = ''] = from.split('/');
  const [toNamespace = '', toWorkload = ''] = to.split('/');
  const labels = {
    answer: metric,
    source_workload_namespace: fromNamespace,
    source_workload: fromWorkload,
    destination_workload_namespace: toNamespace,
    destination_workload: toWorkload,
  };
  return { labels, value };
}

test('requests and connections are asked for, to the namespaces alone that are asked about', () => {
  const query = plaintextQuery({ namespaces: ['shop', 'legacy'], windowMs: 90_500 });

  expect(query).toContain('istio_requests_total{reporter="destination"');
  expect(query).toContain('istio_tcp_connections_opened_total{reporter="destination"');
  expect(query).toContain('destination_workload_namespace=~"shop|legacy"');
  expect(query).toContain('[300s] offset 91s');
  expect(plaintextQuery({ windowMs: 600_000 })).toContain('[600s] offset 600s');
  expect(plaintextQuery({ windowMs: 1000 })).not.toContain('destination_workload_namespace=~');
});

test('callers are told once for each whom they call, the busiest first, and nothing of one without a proxy', () => {
  const samples = [
    any,
    sample('batch/report', 'shop/web', 0.4),
    sample('unknown/unknown', 'shop/db', 7.6),
    sample('batch/report', 'shop/web', 2, 'istio_tcp_connections_opened_total'),
    sample('/', 'shop/db', 1),
  ];

  expect(readCallers(samples)).toEqual({
    callers: [
      { to: { namespace: 'shop', workload: 'db' }, count: 9 },
      {
        from: { namespace: 'batch', workload: 'report' },
        to: { namespace: 'shop', workload: 'web' },
        count: 3,
      },
    ],
  });
  expect(readCallers([any])).toEqual({ callers: [] });
});

test('nothing is known where no call is, or where somebody has not been scraped in the window', () => {
  const unseen = { labels: { answer: 'unseen' }, value: 1 };

  expect(readCallers([])).toEqual({ unknown: expect.stringMatching(/^knows of no call to any proxy: /) });
  expect(readCallers([any, unseen, sample('batch/report', 'shop/web', 1)])).toEqual({
    unknown: expect.stringMatching(/before the window alone: set a longer migration.window$/),
  });
});
