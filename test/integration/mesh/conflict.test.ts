import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ignoreAnnotation, ignoreUntilAnnotation } from '../../../src/api/ignore.ts';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import { fightsAfter } from '../../../src/controllers/mesh/drift-ledger.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
});

afterAll(() => world?.close());

describe('somebody who changes a field back again and again', () => {
  test('is named, and the field is left alone until it is as it should be', async () => {
    const { mesh, service } = await aMesh();
    const wanted = await selectedApp(service);

    for (let time = 1; time <= fightsAfter; time += 1) {
      await write(service, `theirs-${time}`);
      await untilSelects(service, wanted);
      await mesh.untilStatus(`counts ${time}`, ({ drift = [] }) => drift[0]?.times === time);
    }
    await write(service, 'theirs');
    await mesh.untilReason('Ready', 'FieldConflict');

    expect(await selectedApp(service)).toBe('theirs');
    const { state, drift } = await mesh.status();
    expect(state).toBe('Stalled');
    expect(drift?.[0]).toMatchObject({
      object: `Service ${service.namespace}/${service.name}`,
      path: 'spec.selector.app',
      ...{ manager: 'intruder', action: 'LeftAlone', times: fightsAfter },
    });
    await mesh.untilEvent('FieldConflict', 'spec.selector.app was changed by intruder');

    await write(service, wanted);
    await mesh.until('Ready');
  });
});

describe('an object with a reason to be ignored', () => {
  test('stays as it is, is named in the status, and is set back when that ends', async () => {
    const { mesh, service } = await aMesh();
    const wanted = await selectedApp(service);

    await annotate(service, { [ignoreAnnotation]: 'a look at port 1' });
    await write(service, 'theirs');
    await mesh.untilStatus('names the object', ({ ignored = [] }) => ignored.length > 0);
    await mesh.until('Ready');

    expect((await mesh.status()).ignored).toEqual([
      { object: `Service ${service.namespace}/${service.name}`, reason: 'a look at port 1' },
    ]);
    expect((await mesh.condition('Ready'))?.message).toContain('1 of which is ignored');
    expect(await selectedApp(service)).toBe('theirs');

    const until = new Date(Date.now() + 2_000).toISOString();
    await annotate(service, { [ignoreUntilAnnotation]: until });
    await untilSelects(service, wanted);

    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    await mesh.untilStatus('names it no longer', ({ ignored }) => ignored === undefined);
  });

  test('needs a reason', async () => {
    const { service } = await aMesh();
    const wanted = await selectedApp(service);

    await annotate(service, { [ignoreAnnotation]: '' });
    await write(service, 'theirs');

    await untilSelects(service, wanted);
  });
});

async function aMesh(): Promise<{ mesh: TestMesh; service: ObjectId }> {
  const mesh = await world.createMesh({ profile: 'minimal' });
  await mesh.until('Ready');
  const { namespace } = mesh.key;
  const { revision } = await mesh.status();
  return { mesh, service: { apiVersion: 'v1', kind: 'Service', namespace, name: `istiod-${revision}` } };
}

/** What pods the Service selects by `app`. */
async function selectedApp(service: ObjectId): Promise<string | undefined> {
  const { spec } = (await world.client.get(service, never)) as KubernetesObject & {
    spec: { selector: Record<string, string> };
  };
  return spec.selector.app;
}

async function untilSelects(service: ObjectId, app: string | undefined): Promise<void> {
  const what = `the Service selects ${app}`;
  await waitUntil({ what }, async () => (await selectedApp(service)) === app);
}

async function write(service: ObjectId, app: string | undefined): Promise<void> {
  const merge = { spec: { selector: { app } } };
  await world.client.patch(service, { type: 'merge', merge }, { fieldManager: 'intruder' }, never);
}

async function annotate(service: ObjectId, annotations: Record<string, string>): Promise<void> {
  const merge = { metadata: { annotations } };
  await world.client.patch(service, { type: 'merge', merge }, { fieldManager: 'intruder' }, never);
}
