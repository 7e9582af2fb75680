import { expect, test } from 'vitest';
import { askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { installShop, shopCaller, shopUrl } from '../../support/shop-apps.ts';

const both = joinedShop('examples/multi-cluster/primary-remote', 'separate');

test('the cluster without an istiod has none, and its proxies follow that of the other one', async () => {
  const { west } = both;
  const istiods = await west.cluster.kubectl('get', 'deployments', '-A', '-l', 'app=istiod', '-o', 'name');
  expect(istiods.trim()).toBe('');
  const slices = await west.cluster.kubectl(
    ...['get', 'endpointslices', '-n', 'istio-system', '-l', 'kubernetes.io/service-name=istiod'],
    ...['-o', 'jsonpath={.items[*].endpoints[*].addresses[*]}'],
  );
  const { gateways = [] } = await both.east.mesh.status();
  expect(slices.trim()).toBe(gateways.flatMap(({ addresses }) => addresses).join(' '));
});

test('a workload of the cluster with the istiod calls one of the other over mTLS, through its gateway', async () => {
  const answer = await askAppFrom(both.east.cluster, shopCaller, shopUrl);

  expect(answer.name).toBe('server-west');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/client');
});

test('a workload of the cluster without an istiod calls one of the other in the same way', async () => {
  await installShop({ east: both.west, west: both.east });

  const answer = await askAppFrom(both.west.cluster, shopCaller, shopUrl);

  expect(answer.name).toBe('server-west');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/client');
});
