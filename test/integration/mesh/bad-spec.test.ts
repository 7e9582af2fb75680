import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { isWrite, requestText } from '../../support/audit-log.ts';
import { badInputs } from '../../support/bad-input.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { observedFields } from '../../support/observed-fields.ts';
import { never } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

/** The one that the rows speak of. */
const namespace = 'istio-system';

const rows = badInputs
  .filter(({ refusedAt }) => refusedAt === 'validate')
  .map((row, index) => {
    const mesh = `bad-${index}`;
    const spec = load(row.spec) as MeshOperatorSpec;
    // Another cluster is one mesh's of a namespace alone, which would be said first.
    const hasRemotes = (spec.multiCluster?.remotes ?? []).length > 0;
    return { ...row, mesh, spec, namespace: hasRemotes ? mesh : namespace };
  });

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  for (const name of new Set(rows.map((row) => row.namespace))) await world.createNamespace(name);
  await world.audit.restart();
  for (const { mesh, spec, namespace: home } of rows) {
    // A revision of its own, so that it is refused for what the row is about.
    await world.createMesh({ revision: mesh, ...spec }, { namespace: home, name: mesh, asWritten: true });
  }
});

afterAll(() => world?.close());

describe('a spec that the API server takes and the operator refuses says why in its status', () => {
  test.each(rows)('$name', async ({ mesh: name, namespace: home, problems }) => {
    const mesh = new TestMesh(world.client, { namespace: home, name });
    await mesh.until('Stalled');

    for (const type of ['Ready', 'Stalled']) {
      expect(await mesh.condition(type)).toMatchObject({
        reason: 'InvalidSpec',
        message: problems.join('; '),
      });
    }
    expect(await mesh.condition('Reconciling')).toBeUndefined();
  });

  test('and nothing was written for any of them but finalizers, status and Events', async () => {
    const writes = (await world.audit.requestsOf(world.access.user)).filter(isWrite);

    const allowed = ['meshoperators', 'meshoperators/status', 'events', 'leases'];
    expect(writes.filter(({ resource }) => !allowed.includes(resource)).map(requestText)).toEqual([]);
    expect((await world.client.list(kindInfo('v1', 'Service'), { namespace }, never)).items).toEqual([]);
  });
});

test('a mesh that works keeps all it has while its spec is bad, and follows it again when it is good', async () => {
  const mesh = await world.createMesh();
  await mesh.until('Ready');
  const before = await mesh.objects();
  const { gateways, version, inventory } = await mesh.status();

  await mesh.change({ meshConfig: { acessLogFile: '/dev/stdout' }, tag: '1.31.0' });
  await mesh.until('Stalled');

  expect((await mesh.objects()).map((object) => object && observedFields(object))).toEqual(
    before.map((object) => object && observedFields(object)),
  );
  expect(await mesh.status()).toMatchObject({ gateways, version, inventory });
  expect(await mesh.condition('ControlPlaneReady')).toMatchObject({ status: 'True' });

  await mesh.change({ meshConfig: { acessLogFile: null }, tag: null });
  await mesh.until('Ready');
  expect(await mesh.condition('Stalled')).toBeUndefined();
});

test('an overlay that meets no object is said in status, with those that there are', async () => {
  const patches = [{ path: 'spec.minReadySeconds', value: 5 }];
  const overlays = [{ kind: 'Deployment', name: 'istoid', patches }];
  const mesh = await world.createMesh({ components: { pilot: { k8s: { overlays } } } });
  await mesh.until('Stalled');

  expect(await mesh.condition('Stalled')).toMatchObject({
    reason: 'InvalidSpec',
    message: expect.stringMatching(
      /^spec\.components\.pilot\.k8s\.overlays\[0\]: there is no Deployment istoid .* Deployment istiod-/,
    ),
  });
  expect(await mesh.objects()).toEqual([]);
});

test('a mesh whose spec was never good can be deleted', async () => {
  const mesh = await world.createMesh({ meshConfig: { nonsense: true } });
  await mesh.until('Stalled');

  await mesh.delete();

  await mesh.untilGone();
});
