import { isIPv4 } from 'node:net';
import { expect, test } from 'vitest';
import { maximumClusters, planCluster, usualPorts } from '../../cluster/cluster-plan.ts';

const everyNode = Array.from({ length: maximumClusters('kubelet') }, (_, index) =>
  planCluster('kubelet', index, usualPorts),
);

test('no two clusters with real nodes share an address', () => {
  const addresses = everyNode.flatMap((plan) => [
    plan.podCidr,
    plan.serviceCidr,
    plan.loadBalancerCidr,
    plan.hostAddress,
    plan.nodeAddress,
  ]);

  expect(new Set(addresses).size).toBe(addresses.length);
  expect(addresses.filter((address) => !isIPv4(address.split('/')[0] ?? ''))).toEqual([]);
});

test('no two clusters without a real node share the address of their API server', () => {
  const addresses = Array.from(
    { length: maximumClusters('none') },
    (_, index) => planCluster('none', index, usualPorts).apiAddress,
  );

  expect(new Set(addresses).size).toBe(addresses.length);
  expect(addresses.filter((address) => !isIPv4(address) || !address.startsWith('127.'))).toEqual([]);
});

test('DNS and the API server have addresses of the Service range', () => {
  const { serviceCidr, dnsAddress, firstServiceAddress } = planCluster('kubelet', 3, usualPorts);

  expect([serviceCidr, firstServiceAddress, dnsAddress]).toEqual(['10.99.0.0/16', '10.99.0.1', '10.99.0.10']);
});
