import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measureErrorRate } from '../../src/controllers/data-plane/upgrade/measure-error-rate.ts';
import { findFreePorts } from '../cluster/free-ports.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type CountedRequests, RunningPrometheus } from '../support/running-prometheus.ts';
import { never } from '../support/test-client.ts';

describe('the rate of errors that a Prometheus tells', () => {
  let prometheus: RunningPrometheus;

  beforeAll(async () => {
    prometheus = await RunningPrometheus.start();
  });

  afterAll(() => prometheus?.stop());

  test.each<[string, string, readonly CountedRequests[], number]>([
    ['is none where there was no request', 'none', [], 0],
    [
      'is none where no request came in the window',
      'idle',
      [seen('idle', '200', 0), seen('idle', '503', 0)],
      0,
    ],
    ['is none where every request was answered', 'well', [seen('well', '200', 9), seen('well', '404', 1)], 0],
    ['counts statuses of 5xx', 'sick', [seen('sick', '200', 9), seen('sick', '503', 1)], 0.1],
    [
      'counts gRPC statuses that are faults of the server, and no others',
      'grpc',
      [grpc('grpc', '0', 6), grpc('grpc', '5', 2), grpc('grpc', '14', 2)],
      0.2,
    ],
    [
      'is that of whichever side saw more of it',
      'lost',
      [
        seen('lost', '200', 8, 'destination'),
        seen('lost', '200', 8, 'source'),
        seen('lost', '503', 2, 'source'),
      ],
      0.2,
    ],
    [
      'is of the namespaces alone that are asked for',
      'asked',
      [seen('asked', '200', 1), seen('asked-not', '503', 1)],
      0,
    ],
  ])('%s', async (_what, namespace, traffic, ratio) => {
    prometheus.setTraffic(traffic);
    const question = { namespaces: [namespace, 'another'], windowMs: 10_000 };

    const isThere = ({ count }: CountedRequests) => count > 0;
    if (traffic.some(isThere)) await untilCounted(namespace);

    await waitUntil({ what: `the rate is ${ratio}` }, async () => {
      const measured = await measureErrorRate(prometheus.address, question, never);
      return 'ratio' in measured && Math.abs(measured.ratio - ratio) < 0.02;
    });
  });

  /** Until there is a rate of requests to the namespace: without one the rate of errors would be none as well. */
  async function untilCounted(namespace: string): Promise<void> {
    const query = `sum(rate(istio_requests_total{destination_service_namespace="${namespace}"}[10s])) > 0`;
    await waitUntil({ what: 'requests are counted' }, async () => {
      const answer = await fetch(`${prometheus.address}/api/v1/query?query=${encodeURIComponent(query)}`);
      const { data } = (await answer.json()) as { data: { result: unknown[] } };
      return data.result.length > 0;
    });
  }
});

test('the rate of errors is not known where nobody can be asked, and why is said', async () => {
  const address = `http://127.0.0.1:${(await findFreePorts('127.0.0.1')).apiServer}`;

  expect(await measureErrorRate(address, { namespaces: ['shop'], windowMs: 10_000 }, never)).toEqual({
    unknown: `the rate of errors, which ${address} cannot be asked for: ECONNREFUSED`,
  });
});

function seen(namespace: string, code: string, count: number, reporter = 'destination'): CountedRequests {
  return { labels: { reporter, destination_service_namespace: namespace, response_code: code }, count };
}

function grpc(namespace: string, status: string, count: number): CountedRequests {
  const { labels } = seen(namespace, '200', count);
  return { labels: { ...labels, grpc_response_status: status }, count };
}
