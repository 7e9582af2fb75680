import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { queryPrometheus } from '../../src/observability/prometheus-query.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { RunningPrometheus } from '../support/running-prometheus.ts';
import { never } from '../support/test-client.ts';

describe('the answer of a Prometheus', () => {
  let prometheus: RunningPrometheus;

  beforeAll(async () => {
    prometheus = await RunningPrometheus.start();
  });

  afterAll(() => prometheus?.stop());

  test('has every series, with its labels', async () => {
    const namespaces = Array.from({ length: 500 }, (_, index) => `ns-${index}`);
    prometheus.setTraffic(
      namespaces.map((name, count) => ({ labels: { destination_service_namespace: name }, count })),
    );
    const query = 'sum by (destination_service_namespace) (istio_requests_total) > 0';

    await waitUntil({ what: 'there is one of each that was called' }, async () => {
      const answer = await queryPrometheus(prometheus.address, query, never);
      if (!('samples' in answer)) throw new Error(answer.unknown);
      const names = answer.samples.map(({ labels }) => labels.destination_service_namespace);
      return new Set(names).size === 499 && answer.samples.every(({ value }) => value > 0);
    });
  });

  test('has no series where nothing was counted, and no number for 0/0', async () => {
    expect(await queryPrometheus(prometheus.address, 'nothing_total', never)).toEqual({ samples: [] });
    expect(await queryPrometheus(prometheus.address, 'vector(0) / 0', never)).toEqual({
      samples: [{ labels: {}, value: Number.NaN }],
    });
  });

  test('to a query that is none says so', async () => {
    expect(await queryPrometheus(prometheus.address, 'sum(', never)).toEqual({ unknown: 'it answers 400' });
  });
});

describe('there is no answer, and why is said', () => {
  let server: Server | undefined;

  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
    server = undefined;
  });

  test('when nobody listens', async () => {
    const address = await addressOf((_request, response) => response.end());
    server?.close();

    expect(await queryPrometheus(address, 'up', never)).toEqual({ unknown: 'ECONNREFUSED' });
  });

  test.each<[string, RequestListener, string]>([
    ['when the answer is no success', (_, answer) => answer.writeHead(403).end('secret'), 'it answers 403'],
    ['when it is no JSON', (_, answer) => answer.end('<secret>'), 'it does not answer as Prometheus does'],
    ['when it is other JSON', (_, answer) => answer.end('{}'), 'it does not answer as Prometheus does'],
    [
      'when it is too much',
      (_, answer) => answer.end(' '.repeat(5 * 1_048_576)),
      'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    ],
  ])('%s', async (_what, answer, why) => {
    const address = await addressOf(answer);

    expect(await queryPrometheus(address, 'up', never)).toEqual({ unknown: why });
  });

  test('but an abort is one', async () => {
    const address = await addressOf(() => {});

    await expect(queryPrometheus(address, 'up', AbortSignal.abort(new Error('ended')))).rejects.toThrow(
      'ended',
    );
  });

  async function addressOf(answer: RequestListener): Promise<string> {
    server = createServer(answer).listen(0, '127.0.0.1');
    await new Promise((done) => server?.once('listening', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});
