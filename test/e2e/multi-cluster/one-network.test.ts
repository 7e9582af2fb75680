import { expect, test } from 'vitest';
import { askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { scaleServers, shopCaller, shopUrl, untilAnsweredBy } from '../../support/shop-apps.ts';

const both = joinedShop('examples/multi-cluster/one-network', 'flat');

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
