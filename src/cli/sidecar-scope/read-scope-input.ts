import { kindInfo } from '../../api/kinds.ts';
import { TransientError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type PrometheusSample, queryPrometheus } from '../../observability/prometheus-query.ts';
import { readCluster } from '../analyze/read-input.ts';
import { listAll } from '../istio-kinds.ts';
import { type ObservedTraffic, trafficOf, trafficQueries } from './observed-traffic.ts';
import type { ScopeCluster } from './proxy-knowledge.ts';
import { meshRouteKinds } from './routed-host.ts';

/** A week of metrics of a large mesh takes a while. */
const timeoutMs = 120_000;

/** What a cluster has. Only reads. */
export async function readScopeCluster(client: KubeClient, signal: AbortSignal): Promise<ScopeCluster> {
  const list = (apiVersion: string, kind: string) => listAll(client, kindInfo(apiVersion, kind), signal);
  const cluster = await readCluster(client, signal);
  const routes = meshRouteKinds.filter(({ crd }) => cluster.crds?.has(crd) === true);
  const controllers = ['Deployment', 'StatefulSet', 'DaemonSet'];
  return {
    ...cluster,
    services: await list('v1', 'Service'),
    endpointSlices: await list('discovery.k8s.io/v1', 'EndpointSlice'),
    routes: (await Promise.all(routes.map((kind) => listAll(client, kind, signal)))).flat(),
    controllers: (await Promise.all(controllers.map((kind) => list('apps/v1', kind)))).flat(),
  };
}

/** What proxies have told the Prometheus at `address` of the last `windowMs`. Throws TransientError when it does not say. */
export async function readTraffic(
  address: string,
  windowMs: number,
  now: Date,
  signal: AbortSignal,
): Promise<ObservedTraffic> {
  const queries = trafficQueries(windowMs);
  const ask = async (query: string): Promise<readonly PrometheusSample[]> => {
    const answer = await queryPrometheus(address, query, signal, timeoutMs);
    if ('samples' in answer) return answer.samples;
    throw new TransientError(
      `The Prometheus at ${address} cannot be asked for the calls of the mesh: ${answer.unknown}`,
      { reason: 'NoMetrics' },
    );
  };
  const calls: PrometheusSample[] = [];
  for (const query of queries.calls) calls.push(...(await ask(query)));
  const answers = { calls, first: await ask(queries.first), last: await ask(queries.last) };
  return trafficOf(answers, new Date(now.getTime() - windowMs), now);
}
