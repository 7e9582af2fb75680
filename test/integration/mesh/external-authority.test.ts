import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyText } from '../../../src/api/kubernetes-object.ts';
import { factsOf } from '../../../src/pki/certificate-facts.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { requestText } from '../../support/audit-log.ts';
import { anAuthority } from '../../support/authorities.ts';
import { BundleMesh } from '../../support/bundle-mesh.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';

const rootPem = async () => (await anAuthority()).root.certPem;

let world: MeshCluster;
let operator: RunningOperator;

beforeAll(async () => {
  // Nothing runs in it: neither istiods nor anybody else writes bundles.
  world = await MeshCluster.open('none');
  operator = await world.startOperator();
});

afterAll(() => world?.close());

/** A mesh and one of its namespaces that hold this bundle. */
async function aMeshWithRoots() {
  const roots = await rootPem();
  const bundle = await BundleMesh.prepare(world);
  const app = await bundle.addNamespace();
  await bundle.putRoots(roots);
  const mesh = await bundle.create();
  await mesh.untilReason('TrustHealthy', 'Healthy');
  await bundle.untilCopied(roots, bundle.namespace, app);
  return { bundle, mesh, app, roots };
}

describe('the bundle of an external authority', () => {
  test('is in every namespace of the mesh, whenever that becomes one, and in no other', async () => {
    const { bundle, roots } = await aMeshWithRoots();
    const other = await world.ownNamespace('other');

    await bundle.untilCopied(roots, await bundle.addNamespace());
    expect(await bundle.copyIn(other)).toBeUndefined();

    await bundle.label(other);
    await bundle.untilCopied(roots, other);
    expect(await bundle.copyIn('kube-public')).toBeUndefined();
  });

  test('is shown in status with the end of each root', async () => {
    const { mesh, roots, bundle } = await aMeshWithRoots();
    const { fingerprint, serial, notAfter } = factsOf(roots);

    const { trustBundle, certificateAuthority, conditions = [] } = await mesh.status();

    expect(trustBundle).toEqual({
      configMap: `${bundle.namespace}/roots`,
      roots: [{ fingerprint, serial, notAfter: notAfter.toISOString() }],
    });
    expect(certificateAuthority).toBeUndefined();
    const { message = '' } = conditions.find(({ type }) => type === 'TrustHealthy') ?? {};
    expect(message).toContain('ca.example.com:443');
  });

  test('comes back when somebody edits or deletes a copy, and leaves other entries alone', async () => {
    const { bundle, app, roots } = await aMeshWithRoots();
    const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: app, name: 'istio-ca-root-cert' };
    const merge = { data: { 'root-cert.pem': 'nonsense', 'mine.txt': 'kept' } };

    await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await bundle.untilCopied(roots, app);
    expect((await bundle.copyIn(app))?.data).toMatchObject({ 'mine.txt': 'kept' });

    await bundle.deleteCopy(app);
    await bundle.untilCopied(roots, app);
  });

  test('follows its ConfigMap', async () => {
    const { bundle, mesh, app, roots } = await aMeshWithRoots();
    const more = `${await rootPem()}${roots}`;

    await bundle.putRoots(more);

    await bundle.untilCopied(more, bundle.namespace, app);
    await mesh.untilStatus('names both roots', ({ trustBundle }) => trustBundle?.roots.length === 2);
  });

  test('stays the last good one when its ConfigMap gets a bad one, for new namespaces and a new operator, too', async () => {
    const { bundle, mesh, app, roots } = await aMeshWithRoots();

    await bundle.putRoots('nonsense');
    await mesh.untilReason('TrustHealthy', 'BundleRefused');
    await bundle.untilCopied(roots, app, await bundle.addNamespace());

    await operator.end('SIGKILL');
    operator = await world.startOperator();
    await bundle.untilCopied(roots, await bundle.addNamespace());

    await bundle.putRoots(roots);
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });

  test('is refused with a private key in it, which goes nowhere', async () => {
    const { bundle, mesh, app, roots } = await aMeshWithRoots();
    const { root } = await anAuthority();

    await bundle.putRoots(`${root.certPem}${root.keyPem}`);
    await mesh.untilReason('TrustHealthy', 'BundleRefused');

    expect((await mesh.condition('TrustHealthy'))?.message).toContain('holds a private key');
    await bundle.untilCopied(roots, app);
  });

  test('is not fought over: who keeps changing a copy back gets it, and is named', async () => {
    const { bundle, mesh, app } = await aMeshWithRoots();
    const theirs = await rootPem();

    for (const round of [1, 2, 3]) {
      await bundle.overwrite(app, theirs, 'cert-manager-istio-csr');
      if (round < 3) {
        await waitUntil({ what: 'the copy is ours again' }, async () => {
          return (await bundle.textIn(app)) !== theirs;
        });
      }
    }

    await mesh.untilReason('TrustHealthy', 'BundleContested');
    const { message = '' } = (await mesh.condition('TrustHealthy')) ?? {};
    expect(message).toContain(`namespace ${app} by cert-manager-istio-csr`);
    expect(await bundle.textIn(app)).toBe(theirs);
  });

  test('costs no request while nothing changes, whatever wakes its mesh', async () => {
    const { bundle, mesh, app } = await aMeshWithRoots();
    const key = keyText(mesh.key);
    const before = operator.logged('Reconciled', { controller: 'trust', key }).length;
    await world.audit.restart();

    const merge = { metadata: { annotations: { note: 'somebody was here' } } };
    const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: app, name: 'istio-ca-root-cert' };
    await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await operator.untilLogged('Reconciled', { controller: 'trust', key }, { times: before + 1 });

    const requests = await world.audit.requestsOf(world.access.user);
    const own = [bundle.namespace, app];
    expect(requests.filter(({ namespace = '' }) => own.includes(namespace)).map(requestText)).toEqual([]);
  });

  test('goes with its mesh', async () => {
    const { bundle, mesh, app } = await aMeshWithRoots();

    await mesh.delete();

    await bundle.untilNoCopy(bundle.namespace, app);
  });

  test('goes with a mesh that has gone while nobody looked', async () => {
    const { bundle, mesh, app } = await aMeshWithRoots();
    await operator.end('SIGKILL');

    const merge = { metadata: { finalizers: [] } };
    await world.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await mesh.delete();
    operator = await world.startOperator();

    await bundle.untilNoCopy(bundle.namespace, app);
  });
});

describe('an external authority that brings its roots itself', () => {
  test('is waited for, and then shown; nothing is written for it', async () => {
    const bundle = await BundleMesh.prepare(world);
    const app = await bundle.addNamespace();
    const mesh = await bundle.create({ distributes: false });
    await mesh.untilReason('TrustHealthy', 'BundleRefused');
    const { message = '' } = (await mesh.condition('TrustHealthy')) ?? {};
    expect(message).toContain('the authority has to write it');

    await bundle.overwrite(bundle.namespace, await rootPem(), 'cert-manager-istio-csr');
    await mesh.untilReason('TrustHealthy', 'Healthy');

    expect((await mesh.status()).trustBundle?.roots).toHaveLength(1);
    expect(await bundle.copyIn(app)).toBeUndefined();
  });
});

test('whoever asks us to rotate an external authority is told whose that is', async () => {
  const { mesh } = await aMeshWithRoots();

  await mesh.askFor('root/1');

  await mesh.untilStatus('says who rotates', ({ conditions = [] }) =>
    conditions.some(({ type, message }) => type === 'TrustHealthy' && message.includes('has no effect')),
  );
  expect((await mesh.condition('TrustHealthy'))?.status).toBe('True');
});
