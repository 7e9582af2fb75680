import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { ownershipLabels } from '../../../src/api/labels.ts';
import { ownedKinds } from '../../../src/controllers/mesh/owned-kinds.ts';
import { renderIstioCrds } from '../../../src/render/istio-crds.ts';
import { type AuditedRequest, isWrite, requestText } from '../../support/audit-log.ts';
import { meshOperator } from '../../support/command-line.ts';
import { expectedReads } from '../../support/expected-reads.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

/** Beyond the objects: the finalizer, and status when the inventory is known, when a wave is done, and in the end. */
const allowedOverhead = 5;

let world: MeshCluster;
let mesh: TestMesh;
let ready: KubernetesObject;
let requests: readonly AuditedRequest[];

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.audit.restart();
  await world.startOperator();
  mesh = await world.createMesh();
  ready = await mesh.until('Ready');
  await mesh.untilEvent('Ready', 'applied and healthy');
  requests = await world.audit.requestsOf(world.access.user);
});

afterAll(() => world?.close());

test('every object that mesh-operator render prints exists, with the labels of its mesh', async () => {
  const { apiVersion, kind, metadata, spec } = ready;
  const input = { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace }, spec };
  const { stdout } = await meshOperator(['render', '-f', '-'], JSON.stringify(input));
  const printed = (loadAll(stdout) as (KubernetesObject | null)[]).filter((object) => object !== null);
  expect(printed.length).toBeGreaterThan(15);

  for (const object of printed) {
    const found = await world.client.find(idOf(object), never);
    expect(found?.metadata.labels, idText(idOf(object))).toMatchObject(ownershipLabels(mesh.key));
  }
});

test('the inventory in status names exactly what exists with the labels of the mesh', async () => {
  const labelSelector = `meshoperator.dev/mesh-namespace=${mesh.key.namespace}`;
  const lists = await Promise.all(
    ownedKinds.map((kind) => world.client.list(kind, { labelSelector }, never)),
  );
  const existing = lists.flatMap(({ items }) => items.map((object) => idText(idOf(object)))).sort();

  expect((await mesh.inventory()).map(idText).sort()).toEqual(existing);
});

test('Istio’s CRDs are there, with fields that the API server checks', async () => {
  for (const crd of renderIstioCrds()) {
    const { status } = await world.client.get(idOf(crd), never);
    const { conditions } = status as { conditions: { type: string; status: string }[] };
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
  }
});

test('the conditions are what kstatus and Argo CD read as current', async () => {
  const { observedGeneration, conditions = [] } = await mesh.status();

  expect(observedGeneration).toBe(ready.metadata.generation);
  expect(Object.fromEntries(conditions.map(({ type, status }) => [type, status]))).toEqual({
    Ready: 'True',
    ControlPlaneReady: 'True',
    GatewaysReady: 'True',
    TrustHealthy: 'True',
  });
  for (const condition of conditions) {
    expect(condition.observedGeneration).toBe(ready.metadata.generation);
    expect(condition.message).not.toBe('');
  }
});

test('kubectl get mesh shows state, version, revision and age', async () => {
  const table = await world.cluster.kubectl('get', 'mesh', '--namespace', mesh.key.namespace);
  const { revision } = await mesh.status();

  const [heading = '', row = ''] = table.trim().split('\n');
  expect(heading.split(/\s+/)).toEqual(expect.arrayContaining(['NAME', 'VERSION', 'REVISION', 'AGE']));
  expect(row.split(/\s+/)).toEqual(expect.arrayContaining(['mesh', 'Ready', '1.31.1', revision]));
});

test('the gateway’s address is in status', async () => {
  const { gateways } = await mesh.status();

  const { namespace } = mesh.key;
  const service = { apiVersion: 'v1', kind: 'Service', namespace, name: 'istio-ingressgateway' };
  const { status } = await world.client.get(service, never);
  const { ingress } = (status as { loadBalancer: { ingress: { ip: string }[] } }).loadBalancer;
  expect(gateways).toEqual([{ namespace, name: 'istio-ingressgateway', addresses: [ingress[0]?.ip] }]);
});

test('an install costs its objects and at most five writes more', async () => {
  const { namespace } = mesh.key;
  const written = requests
    .filter(isWrite)
    .filter(({ resource, name }) => !isOfTheCluster(resource) && !isOfAnotherMesh(name, namespace));
  const ids = new Set((await mesh.inventory()).map(({ name }) => name));
  const objects = written.filter(({ resource, name = '' }) => resource !== 'meshoperators' && ids.has(name));
  const others = written.filter(({ resource }) => resource.startsWith('meshoperators'));

  expect(objects).toHaveLength((await mesh.inventory()).length);
  expect(others.map(requestText).length).toBeLessThanOrEqual(allowedOverhead);
  const beside = written.filter((request) => ![...objects, ...others].includes(request));
  const [kept] = (await mesh.status()).history ?? [];
  expect(beside.map(({ name }) => name).sort()).toEqual(['cacerts', `${namespace}.ca`, kept?.name].sort());
});

test('an install reads nothing but one list of each watched kind, and the version of the API server', async () => {
  const reads = requests.filter(
    ({ verb, resource }) => ['get', 'list'].includes(verb) && resource !== 'leases',
  );
  expect(reads.map(requestText).sort()).toEqual(expectedReads);
});

test('no request of an install is refused', async () => {
  expect(requests.filter(({ code, resource }) => code >= 400 && resource !== 'leases')).toEqual([]);
});

test('pods of the gateway are complete as they are applied', async () => {
  const { namespace } = mesh.key;
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'istio-ingressgateway' };
  const text = JSON.stringify((await world.client.get(id, never)).spec);

  expect(text).toContain('proxyv2:1.31.1');
  expect(text).not.toContain('"auto"');
  expect(text).not.toContain('sidecar.istio.io/inject":"true"');
});

test('mesh-operator status shows the mesh, its conditions and its gateway', async () => {
  const flags = ['--kubeconfig', world.cluster.kubeconfigPath, '--namespace', mesh.key.namespace];
  const { code, stdout } = await meshOperator(['status', ...flags]);

  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^${mesh.key.namespace}/mesh +Ready$`, 'm'));
  expect(stdout).toMatch(/Version +Istio 1\.31\.1/);
  expect(stdout).toMatch(/Control plane +Healthy/);
  expect(stdout).toMatch(new RegExp(`Gateway +${mesh.key.namespace}/istio-ingressgateway: 10\\.`));
});

/** CRDs are all meshes', Leases the operator's own, and Events a courtesy. */
function isOfTheCluster(resource: string): boolean {
  return ['customresourcedefinitions', 'leases', 'events'].includes(resource);
}

/** The authority of a mesh before this one goes with it, in its own time. */
function isOfAnotherMesh(name: string | undefined, namespace: string): boolean {
  return name?.endsWith('.ca') === true && name !== `${namespace}.ca`;
}
