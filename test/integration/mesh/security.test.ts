import { afterAll, beforeAll, expect, test } from 'vitest';
import { idText, type ObjectId } from '../../../src/api/kubernetes-object.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import { wholeSecurity } from '../../support/whole-security.ts';

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  for (const name of ['shop', 'legacy']) await world.createNamespace(name);
  await world.startOperator();
  mesh = await world.createMesh(wholeSecurity[0]);
  await mesh.until('Ready');
});

afterAll(() => world?.close());

async function policies(): Promise<ObjectId[]> {
  return (await mesh.inventory()).filter(({ apiVersion }) => apiVersion.includes('.istio.io/'));
}

test('a mesh is Ready with the policies that its security settings ask for', async () => {
  const { namespace } = mesh.key;
  const rows = (await policies()).map(idText).sort();

  expect(rows).toEqual(
    [
      `AuthorizationPolicy ${namespace}/default-deny`,
      `AuthorizationPolicy ${namespace}/other-way-passes-on`,
      `AuthorizationPolicy ${namespace}/way-out-passes-on`,
      'AuthorizationPolicy shop/login-required',
      'AuthorizationPolicy shop/read',
      `Gateway ${namespace}/way-out-egress`,
      `PeerAuthentication ${namespace}/default`,
      'PeerAuthentication legacy/default',
      'PeerAuthentication shop/db',
      `RequestAuthentication ${namespace}/batch`,
      'RequestAuthentication shop/login',
      `ServiceEntry ${namespace}/api.example.com`,
      `VirtualService ${namespace}/api.example.com`,
    ].sort(),
  );
  expect(await mesh.condition('PoliciesReady')).toMatchObject({ status: 'True', reason: 'Healthy' });
});

test('a policy that somebody deletes or opens is as the spec says again', async () => {
  const strict = {
    ...{ apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', name: 'default' },
    namespace: mesh.key.namespace,
  };
  const deny = { ...strict, kind: 'AuthorizationPolicy', name: 'default-deny' };
  await world.client.delete(strict, {}, never);
  await world.client.patch(
    deny,
    { type: 'merge', merge: { spec: { rules: [{}] } } },
    { fieldManager: 'somebody' },
    never,
  );

  await waitUntil({ what: 'both are back' }, async () => {
    const [peer, policy] = [await world.client.find(strict, never), await world.client.find(deny, never)];
    return (
      (peer?.spec as { mtls?: { mode: string } } | undefined)?.mtls?.mode === 'STRICT' &&
      (policy?.spec as { rules?: unknown } | undefined)?.rules === undefined
    );
  });
  await mesh.untilStatus('the ledger names both', ({ drift = [] }) => {
    const text = JSON.stringify(drift);
    return text.includes('default-deny') && text.includes('somebody');
  });
});

test('what the spec no longer asks for goes, and the condition with it', async () => {
  const before = await policies();
  await mesh.change({ security: null });
  await mesh.untilStatus('nothing of security is left', ({ conditions = [], inventory = [] }) => {
    const isLeft = inventory.some(({ apiVersion }) => apiVersion.includes('.istio.io/'));
    return !isLeft && !conditions.some(({ type }) => type === 'PoliciesReady');
  });

  const left = await Promise.all(before.map((id) => world.client.find(id, never)));
  expect(left.filter((object) => object !== undefined)).toEqual([]);
});
