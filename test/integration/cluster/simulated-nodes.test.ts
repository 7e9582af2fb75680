import { expect, test } from 'vitest';
import { sharedCluster } from '../../support/shared-cluster.ts';

test('pods of a Deployment become Ready on a simulated node', async () => {
  const cluster = await sharedCluster('kwok');

  await cluster.kubectl('create', 'deployment', 'simulated', '--image=none.invalid/none', '--replicas=50');
  await cluster.kubectl('rollout', 'status', 'deployment', 'simulated', '--timeout=240s');

  const ready = await cluster.kubectl(
    'get',
    'deployment',
    'simulated',
    '-o',
    'jsonpath={.status.readyReplicas}',
  );
  expect(ready).toBe('50');
});

test('a Service of type LoadBalancer gets an address of the cluster', async () => {
  const cluster = await sharedCluster('kwok');
  await cluster.kubectl('create', 'service', 'loadbalancer', 'balanced', '--tcp=80:80');

  const path = '{.status.loadBalancer.ingress[0].ip}';
  await cluster.kubectl('wait', 'service/balanced', `--for=jsonpath=${path}`, '--timeout=240s');

  const address = await cluster.kubectl('get', 'service', 'balanced', '-o', `jsonpath=${path}`);
  expect(address.split('.').slice(0, 3)).toEqual(cluster.loadBalancerCidr.split('.').slice(0, 3));
});
