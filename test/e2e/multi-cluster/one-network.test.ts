import { afterAll, beforeAll, expect, test } from 'vitest';
import { askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { JoinedMeshes } from '../../support/joined-meshes.ts';
import {
  installShop,
  scaleServers,
  shopCaller,
  shopNamespace,
  shopUrl,
  untilAnsweredBy,
} from '../../support/shop-apps.ts';

let both: JoinedMeshes;

beforeAll(async () => {
  both = await JoinedMeshes.install('examples/multi-cluster/one-network', 'flat');
  await installShop(both);
});

afterAll(() => both?.remove(shopNamespace));

test('without gateways, a service is reached whose endpoints are in the other cluster, pod to pod over mTLS', async () => {
  const { east } = both;
  for (const { cluster } of both.all) {
    const gateways = await cluster.kubectl(
      'get',
      'services',
      '-A',
      '-l',
      'topology.istio.io/network',
      '-o',
      'name',
    );
    expect(gateways.trim()).toBe('');
  }
  const answer = await askAppFrom(east.cluster, shopCaller, shopUrl);
  expect(answer.name).toBe('server-west');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/client');
});

test('endpoints of the same region are used first, and the other cluster takes over when they go', async () => {
  const { cluster } = both.east;
  await scaleServers(cluster, 1);
  await untilAnsweredBy(cluster, 'server-east');
  const outcome = await callsWhile(
    cluster,
    { callers: [shopCaller], what: 'failover in one network', further: 20 },
    async () => {
      await scaleServers(cluster, 0);
      await untilAnsweredBy(cluster, 'server-west');
    },
  );
  expect(outcome.failures).toEqual({});
});
