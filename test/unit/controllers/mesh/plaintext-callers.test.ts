import { expect, test } from 'vitest';
import { plaintextQueries, readCallers } from '../../../../src/controllers/mesh/plaintext-callers.ts';

function sample(from: string, to: string, value: number) {
  const [fromNamespace = '', fromWorkload = ''] = from.split('/');
  const [toNamespace = '', toWorkload = ''] = to.split('/');
  const labels = {
    source_workload_namespace: fromNamespace,
    source_workload: fromWorkload,
    destination_workload_namespace: toNamespace,
    destination_workload: toWorkload,
  };
  return { labels, value };
}

test('requests and connections are asked for, to the namespaces alone that are asked about', () => {
  const [requests, connections] = plaintextQueries({ namespaces: ['shop', 'legacy'], windowMs: 90_500 });

  expect(requests).toContain('istio_requests_total{reporter="destination"');
  expect(connections).toContain('istio_tcp_connections_opened_total{reporter="destination"');
  for (const query of [requests, connections]) {
    expect(query).toContain('destination_workload_namespace=~"shop|legacy"');
    expect(query).toContain('[91s] offset 91s');
  }
  expect(plaintextQueries({ windowMs: 1000 })[0]).not.toContain('destination_workload_namespace=~');
});

test('callers are told once for each whom they call, the busiest first, and nothing of one without a proxy', () => {
  const samples = [
    sample('batch/report', 'shop/web', 0.4),
    sample('unknown/unknown', 'shop/db', 7.6),
    sample('batch/report', 'shop/web', 2),
    sample('/', 'shop/db', 1),
  ];

  expect(readCallers(samples)).toEqual([
    { to: { namespace: 'shop', workload: 'db' }, count: 9 },
    {
      from: { namespace: 'batch', workload: 'report' },
      to: { namespace: 'shop', workload: 'web' },
      count: 3,
    },
  ]);
});
