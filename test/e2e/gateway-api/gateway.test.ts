import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { renderGatewayApiCrds } from '../../../src/render/gateway-api-crds.ts';
import { readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { CallInterval, untilCallsSucceed } from '../../support/call-interval.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { never } from '../../support/test-client.ts';

const callers = [{ namespace: 'web', workload: 'client', container: 'caller' }];
const gateway = 'gateways.gateway.networking.k8s.io/front';

let real: RealMesh;

beforeAll(async () => {
  real = await installRealMesh('test/e2e/gateway-api/mesh.yaml');
  await real.cluster.apply(await readManifest('test/e2e/gateway-api/apps.yaml'));
});

afterAll(async () => {
  if (real === undefined) return;
  // They are the cluster's: nobody else takes them away.
  for (const crd of renderGatewayApiCrds('Standard')) await real.admin.client.delete(idOf(crd), {}, never);
  await removeRealMesh(real, 'web');
});

test('a Gateway is deployed by istiod, gets an address, and leads to the app', async () => {
  const { cluster } = real;
  await cluster.kubectl('wait', gateway, '-n', 'web', '--for=condition=Programmed', '--timeout=240s');
  await cluster.kubectl('rollout', 'status', 'deployment/front-istio', '-n', 'web', '--timeout=240s');
  const addresses = await cluster.kubectl(
    'get',
    gateway,
    '-n',
    'web',
    '-o',
    'jsonpath={.status.addresses[*].value}',
  );
  expect(addresses).not.toBe('');

  await untilCallsSucceed(cluster, callers);
  const calls = await (await CallInterval.start(cluster, callers)).end(20);

  expect(calls.failures).toEqual({});
});

test('its proxy has the image and the settings that the mesh says', async () => {
  const deployment = (await real.admin.client.get(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'front-istio' },
    never,
  )) as KubernetesObject & { spec: { template: { spec: { containers: unknown[] } } } };

  expect(deployment.spec.template.spec.containers).toEqual([
    expect.objectContaining({
      name: 'istio-proxy',
      image: expect.stringMatching(/^registry\.istio\.io\/release\/proxyv2:1\.31\.1$/),
      resources: expect.objectContaining({ requests: { cpu: '10m', memory: '40Mi' } }),
    }),
  ]);
});

test('the CRDs stay when the mesh asks for them no longer', async () => {
  await real.mesh.change({ components: { base: { gatewayApi: null } } });
  await real.mesh.until('Ready');

  expect(await real.cluster.kubectl('get', gateway, '-n', 'web', '-o', 'name')).toContain('front');
  await waitUntil({ what: 'the Gateway still works' }, async () => {
    const calls = await (await CallInterval.start(real.cluster, callers)).end(3);
    return Object.keys(calls.failures).length === 0;
  });
});
