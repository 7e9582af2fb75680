import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { type DiffOptions, diff } from '../../../src/cli/diff.ts';
import type { MeshDiff } from '../../../src/cli/diff-mesh.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { isWrite, requestText } from '../../support/audit-log.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let operator: RunningOperator;
let mesh: TestMesh;
let spec: MeshOperatorSpec;

beforeAll(async () => {
  world = await MeshCluster.open();
  operator = await world.startOperator();
  mesh = await world.createMesh({ components: { ingressGateways: [{ name: 'one' }, { name: 'two' }] } });
  await mesh.until('Ready');
  spec = (await mesh.read()).spec as MeshOperatorSpec;
});

afterAll(() => world?.close());

function diffOf(wanted: object, options: Partial<DiffOptions> = {}): Promise<CliRun> {
  const all = {
    filename: '-',
    kubeconfig: world.cluster.kubeconfigPath,
    output: 'json',
    ...options,
  } as const;
  return runCli((terminal) => diff(all, terminal), dump(wanted));
}

async function changesOf(wanted: MeshOperatorSpec): Promise<MeshDiff> {
  const { code, stdout } = await diffOf(aMeshOperator(wanted, mesh.key));
  expect(code).toBe(1);
  const [found] = JSON.parse(stdout) as MeshDiff[];
  if (found === undefined) throw new Error('no mesh in the answer');
  return found;
}

test('a mesh that is as its file says differs in nothing', async () => {
  const run = await diffOf(aMeshOperator(spec, mesh.key), { output: 'text' });

  expect(run).toEqual({
    ...{ code: 0, stderr: '' },
    stdout: `${mesh.key.namespace}/mesh: no difference\n`,
  });
});

test('a changed field is shown with its values, and so are the pods that it restarts', async () => {
  const { namespace } = mesh.key;

  const { changes, restarts } = await changesOf({ ...spec, tag: '1.31.0' });

  const istiod = `Deployment ${namespace}/istiod-${spec.revision}`;
  const gateways = ['one', 'two'].map((name) => `Deployment ${namespace}/${name}`);
  expect(changes[0]).toEqual({
    object: `MeshOperator ${namespace}/mesh`,
    action: 'change',
    fields: [{ path: 'spec.tag', to: '1.31.0' }],
  });
  const image = changes
    .find(({ object }) => object === istiod)
    ?.fields?.find(({ path }) => /image$/.test(path));
  expect(image).toEqual({
    path: 'spec.template.spec.containers[name=discovery].image',
    from: expect.stringMatching(/pilot:1\.31\.1$/),
    to: expect.stringMatching(/pilot:1\.31\.0$/),
  });
  expect(restarts).toEqual([istiod, ...gateways]);
});

test('what would be created and what would be pruned is named; pods that stay are not', async () => {
  const { namespace } = mesh.key;

  const { changes, restarts } = await changesOf({
    ...spec,
    components: { ingressGateways: [{ name: 'one' }, { name: 'three' }] },
  });

  const having = (action: string) =>
    changes.filter((change) => change.action === action).map(({ object }) => object);
  expect(having('create')).toContain(`Deployment ${namespace}/three`);
  expect(having('prune')).toContain(`Deployment ${namespace}/two`);
  expect([...having('create'), ...having('prune')]).not.toContain(`Deployment ${namespace}/one`);
  expect(restarts).toEqual([]);
});

test('what somebody else has changed is set back, and says whose it was', async () => {
  await operator.end();
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: mesh.key.namespace, name: 'one' };
  const container = { name: 'istio-proxy', image: 'example.com/mine:1' };
  const spec_ = { template: { spec: { containers: [container] } } };
  const { apiVersion, kind, namespace, name } = id;
  const options = { fieldManager: 'somebody', force: true };
  await world.client.apply({ apiVersion, kind, metadata: { namespace, name }, spec: spec_ }, options, never);

  const { changes, restarts } = await changesOf(spec);
  operator = await world.startOperator();
  await operator.untilLogged('Applied object', { object: `Deployment ${namespace}/one` });

  const field = { path: 'spec.template.spec.containers[name=istio-proxy].image', manager: 'somebody' };
  expect(changes).toEqual([
    {
      ...{ object: `Deployment ${namespace}/one`, action: 'change', restartsPods: true },
      fields: [{ ...field, from: 'example.com/mine:1', to: expect.stringContaining('/proxyv2:') }],
    },
  ]);
  expect(restarts).toEqual([`Deployment ${namespace}/one`]);
});

test('what an annotation keeps as it is would be left, and is no difference', async () => {
  const { namespace } = mesh.key;
  const id = { apiVersion: 'v1', kind: 'Service', namespace, name: 'two' };
  const merge = {
    metadata: { annotations: { 'meshoperator.dev/ignore': 'ours' }, labels: { istio: 'mine' } },
  };
  await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'somebody' }, never);

  const { code, stdout } = await diffOf(aMeshOperator(spec, mesh.key));

  const [found] = JSON.parse(stdout) as MeshDiff[];
  expect(code).toBe(0);
  expect(found?.changes).toEqual([{ object: `Service ${namespace}/two`, action: 'leave', why: 'ours' }]);
  const annotations = { 'meshoperator.dev/ignore': null };
  await world.client.patch(
    id,
    { type: 'merge', merge: { metadata: { annotations } } },
    { fieldManager: 'somebody' },
    never,
  );
  await mesh.until('Ready');
});

test('an object that another tool has would be refused', async () => {
  const { namespace } = mesh.key;
  const metadata = { name: 'taken', namespace };
  const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };
  await world.client.create(service, { fieldManager: 'somebody' }, never);

  const { changes } = await changesOf({ ...spec, components: { ingressGateways: [{ name: 'taken' }] } });

  expect(changes.filter(({ action }) => action === 'refuse')).toEqual([
    {
      ...{ object: `Service ${namespace}/taken`, action: 'refuse' },
      why: expect.stringContaining('exists already and is managed by somebody'),
    },
  ]);
});

test('a version that the proxies could not follow would be refused', async () => {
  const { changes } = await changesOf({ ...spec, version: '1.29' });

  expect(changes).toEqual([
    {
      ...{ object: `MeshOperator ${mesh.key.namespace}/mesh`, action: 'refuse' },
      why: expect.stringContaining('2 minors away'),
    },
  ]);
});

test('a mesh that is not there yet would be created whole, and a revision that another one has be refused', async () => {
  const namespace = await world.ownNamespace();
  const revision = `${spec.revision}x`;

  const fresh = await diffOf(aMeshOperator({ ...spec, revision }, { namespace }));
  const taken = await diffOf(aMeshOperator(spec, { namespace }), { output: 'yaml' });

  const [created] = JSON.parse(fresh.stdout) as MeshDiff[];
  expect(fresh.code).toBe(1);
  expect(new Set(created?.changes.map(({ action }) => action))).toEqual(new Set(['create']));
  expect(created?.changes.map(({ object }) => object)).toContain(
    `Deployment ${namespace}/istiod-${revision}`,
  );
  expect(taken.code).toBe(1);
  expect(load(taken.stdout)).toMatchObject([
    {
      changes: [
        {
          action: 'refuse',
          why: expect.stringContaining(`belongs to MeshOperator ${mesh.key.namespace}/mesh`),
        },
      ],
    },
  ]);
});

test('the API server is asked to store nothing', async () => {
  await mesh.until('Ready');
  await operator.end();
  await world.audit.restart();

  const kubeconfig = world.access.kubeconfig;
  const wanted = aMeshOperator(
    { ...spec, tag: '1.31.0', components: { ingressGateways: [{ name: 'new' }] } },
    mesh.key,
  );
  const { code } = await diffOf(wanted, { kubeconfig });

  const writes = (await world.audit.requestsOf(world.access.user)).filter(isWrite);
  operator = await world.startOperator();
  expect(code).toBe(1);
  expect(writes.length).toBeGreaterThan(3);
  expect(writes.filter(({ isDryRun }) => !isDryRun).map(requestText)).toEqual([]);
});

test('what cannot be asked, or is wrong in the file, is exit code 2', async () => {
  const bad = diffOf(aMeshOperator({ nonsense: true } as MeshOperatorSpec, mesh.key));
  const lost = diffOf(aMeshOperator(spec, mesh.key), { kubeconfig: '/does/not/exist' });

  await expect(bad).rejects.toThrow(UsageError);
  await expect(bad).rejects.toThrow('spec.nonsense');
  await expect(lost).rejects.toThrow(UsageError);
});

test('an object whose kind the cluster does not have would be refused, and it says what to do', async () => {
  await withoutCrd('network-attachment-definitions.k8s.cni.cncf.io');

  const { changes } = await changesOf({
    ...spec,
    components: { ...spec.components, cni: { enabled: true } },
    values: { cni: { provider: 'multus' } },
  });

  expect(changes.find(({ object }) => object.startsWith('NetworkAttachmentDefinition'))).toEqual({
    object: 'NetworkAttachmentDefinition default/istio-cni',
    action: 'refuse',
    why: expect.stringMatching(
      /has no kind NetworkAttachmentDefinition.*set values\.cni\.provider to default$/,
    ),
  });
});

test('a policy would be created where the mesh brings its kind', async () => {
  await world.endOperators();
  await withoutCrd('peerauthentications.security.istio.io');

  const { changes } = await changesOf({ ...spec, security: { mtls: { mode: 'STRICT' } } });

  expect(changes).toContainEqual({
    object: 'CustomResourceDefinition peerauthentications.security.istio.io',
    action: 'create',
  });
  expect(changes).toContainEqual({
    object: `PeerAuthentication ${mesh.key.namespace}/default`,
    action: 'create',
  });
  await world.startOperator();
});

async function withoutCrd(name: string): Promise<void> {
  const id = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name };
  await world.client.delete(id, {}, never);
  await waitUntil({ what: `${name} is gone` }, async () => {
    return (await world.client.find(id, never)) === undefined;
  });
}
