import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adoptedFromAnnotation, keptTemplateAnnotation } from '../../../src/api/adoption.ts';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { meshLabel } from '../../../src/api/labels.ts';
import type { JsonObject } from '../../../src/api/resolved-mesh.ts';
import type { AdoptionPlan } from '../../../src/cli/adopt/plan-adoption.ts';
import { type AdoptOptions, adopt } from '../../../src/cli/adopt.ts';
import { diff } from '../../../src/cli/diff.ts';
import { ownedKinds } from '../../../src/controllers/mesh/owned-kinds.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { never } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';
import { openUpstreamCharts } from '../../support/upstream-charts.ts';

/** Charts of an unreleased build name no released image. */
const images = { hub: 'registry.example.com/istio', tag: '1.31.0' };
const namespace = 'by-helm';
const gatewayNamespace = 'by-helm-edge';
const global = { istioNamespace: namespace };
const injectorWebhook = `istio-sidecar-injector-${namespace}`;

let world: MeshCluster;
let mesh: TestMesh;
/** The MeshOperator that the test adopts by: simulated nodes run no injector. */
let wanted: JsonObject;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.createNamespace(namespace);
  await world.createNamespace(gatewayNamespace);
  await installByHelm();
  await world.startOperator();
  mesh = new TestMesh(world.client, { namespace, name: 'mesh' });
});

afterAll(() => world?.close());

/** As Istio's own guide has it: base, istiod, and a gateway in a namespace of its own. */
async function installByHelm(): Promise<void> {
  const charts = await openUpstreamCharts();
  const { kubeconfigPath } = world.cluster;
  await charts.install(
    { chart: 'base', release: 'istio-base', namespace, values: { global } },
    kubeconfigPath,
    'server-side',
  );
  const istiod = {
    chart: 'istio-control/istio-discovery',
    ...{
      release: 'istiod',
      namespace,
      values: { global: { ...global, ...images }, meshConfig: { accessLogFile: '/dev/stdout' } },
    },
  };
  await charts.install(istiod, kubeconfigPath, 'server-side');
  await ignoreFailures(injectorWebhook);
  const gateway = { chart: 'gateway', release: 'istio-ingress', namespace: gatewayNamespace, values: {} };
  await charts.install(gateway, kubeconfigPath, 'client-side');
  for (const [where, name] of [
    [namespace, 'istiod'],
    [gatewayNamespace, 'istio-ingress'],
  ] as const) {
    await world.cluster.kubectl('rollout', 'status', '-n', where, `deployment/${name}`, '--timeout=240s');
  }
}

/** Simulated nodes run no istiod that could answer. */
async function ignoreFailures(name: string): Promise<void> {
  const id = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', name };
  const { webhooks } = (await world.client.get(id, never)) as unknown as { webhooks: readonly object[] };
  const operations = webhooks.map((_webhook, index) => ({
    op: 'replace' as const,
    path: `/webhooks/${index}/failurePolicy`,
    value: 'Ignore',
  }));
  await world.client.patch(id, { type: 'json', operations }, { fieldManager: 'test' }, never);
}

function runAdopt(options: Partial<AdoptOptions> = {}, stdin = ''): Promise<CliRun> {
  const all = { kubeconfig: world.cluster.kubeconfigPath, output: 'json', ...options } as const;
  return runCli((terminal) => adopt(all, terminal), stdin);
}

async function planOf(options: Partial<AdoptOptions> = {}, stdin = ''): Promise<AdoptionPlan> {
  return JSON.parse((await runAdopt(options, stdin)).stdout) as AdoptionPlan;
}

/** Every object of the kinds that a mesh consists of, and pods, in the namespaces of the installation and of the cluster. */
async function everything(): Promise<ReadonlyMap<string, KubernetesObject>> {
  const kinds = [...ownedKinds, kindInfo('v1', 'Pod')];
  const lists = await Promise.all(kinds.map((kind) => world.client.list(kind, {}, never)));
  const objects = lists
    .flatMap(({ items }) => items)
    .filter(({ metadata }) => [namespace, gatewayNamespace, undefined].includes(metadata.namespace));
  return new Map(objects.map((object) => [idText(idOf(object)), object]));
}

function uidsOf(objects: ReadonlyMap<string, KubernetesObject>, names: Iterable<string>) {
  return [...names].map((name) => [name, objects.get(name)?.metadata.uid]);
}

/** Who has written what of each object and when, but for the status. */
function writtenBy(objects: ReadonlyMap<string, KubernetesObject>) {
  return [...objects].map(([name, { metadata }]) => [
    name,
    (metadata.managedFields ?? []).filter(({ subresource }) => subresource === undefined),
  ]);
}

function managersOf(object: KubernetesObject | undefined): string[] {
  return (object?.metadata.managedFields ?? []).map(({ manager }) => manager);
}

function deployment(where: string, name: string) {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace: where, name };
}

async function templateOf(where: string, name: string): Promise<unknown> {
  const { spec } = await world.client.get(deployment(where, name), never);
  return (spec as { template: unknown }).template;
}

test('the report names the releases, the mesh that means them, and what becomes of each object; it changes nothing', async () => {
  const before = await everything();

  const plan = await planOf();

  expect(plan).toMatchObject({
    ...{ namespace, name: 'mesh', revision: 'default', installer: 'helm' },
    ...{ losses: [], refusals: [] },
    mesh: {
      spec: {
        ...{ ...images, meshConfig: { accessLogFile: '/dev/stdout' } },
        components: { ingressGateways: [{ name: 'istio-ingress', namespace: gatewayNamespace }] },
      },
    },
  });
  expect(plan.releases.map((release) => release.replace(/ .* \(/, ' ('))).toEqual([
    `istiod (Helm release ${namespace}/istiod)`,
    `base (Helm release ${namespace}/istio-base)`,
    `gateway (Helm release ${gatewayNamespace}/istio-ingress)`,
  ]);
  const named = (action: string) =>
    plan.objects.filter((object) => object.action === action).map(({ object }) => object);
  expect(named('refuse')).toEqual([]);
  expect(named('take')).toEqual(
    expect.arrayContaining([
      ...[`Service ${namespace}/istiod`, `Deployment ${namespace}/istiod`, `ConfigMap ${namespace}/istio`],
      ...[`Service ${gatewayNamespace}/istio-ingress`, `Deployment ${gatewayNamespace}/istio-ingress`],
      'ValidatingWebhookConfiguration istiod-default-validator',
      `MutatingWebhookConfiguration ${injectorWebhook}`,
    ]),
  );
  expect(named('keep')).toEqual(
    expect.arrayContaining([
      ...[
        `ConfigMap ${namespace}/istio-sidecar-injector`,
        `ServiceAccount ${gatewayNamespace}/istio-ingress`,
      ],
    ]),
  );
  expect(named('create')).toContain(`Deployment ${namespace}/sidecar-injector`);
  expect(writtenBy(await everything())).toEqual(writtenBy(before));
  expect(await world.meshes()).toEqual([]);
  wanted = { ...plan.mesh, spec: { ...(plan.mesh.spec as JsonObject), sidecarInjector: { enabled: false } } };
});

test('a Service that would be changed stops it before anything is done', async () => {
  const spec = wanted.spec as unknown as { components: { ingressGateways: readonly JsonObject[] } };
  const [gateway] = spec.components.ingressGateways;
  const ingressGateways = [{ ...gateway, k8s: { service: { type: 'ClusterIP' } } }];
  const bad = { ...wanted, spec: { ...spec, components: { ...spec.components, ingressGateways } } };

  const { code, stderr } = await runAdopt({ filename: '-', yes: true }, dump(bad));

  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^Service by-helm-edge\/istio-ingress: spec\.type would be changed, .*\nNothing was done\.$/m,
  );
  expect(await world.meshes()).toEqual([]);
  const service = (await everything()).get(`Service ${gatewayNamespace}/istio-ingress`);
  expect(service?.metadata.labels).not.toHaveProperty(meshLabel);
});

test('the act takes every object over, deletes none, and makes no pod anew', async () => {
  const before = await everything();

  const { code, stderr } = await runAdopt({ filename: '-', yes: true, output: 'text' }, dump(wanted));
  await mesh.until('Ready');

  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^by-helm\/mesh takes over/),
  });
  const after = await everything();
  expect(uidsOf(after, before.keys())).toEqual(uidsOf(before, before.keys()));
  const pods = [...after.keys()].filter((name) => name.startsWith('Pod '));
  expect(pods).toEqual([...before.keys()].filter((name) => name.startsWith('Pod ')));
  for (const name of [`Service ${gatewayNamespace}/istio-ingress`, `Service ${namespace}/istiod`]) {
    expect(after.get(name)?.spec).toEqual(before.get(name)?.spec);
    expect(after.get(name)?.status).toEqual(before.get(name)?.status);
  }
});

test('what had been Helm’s is the operator’s, but for what pods that run still use', async () => {
  const objects = await everything();

  for (const name of [
    `Service ${namespace}/istiod`,
    `HorizontalPodAutoscaler ${gatewayNamespace}/istio-ingress`,
  ]) {
    const object = objects.get(name);
    expect([name, managersOf(object)]).not.toContain('helm');
    expect(object?.metadata.annotations ?? {}).not.toHaveProperty(adoptedFromAnnotation);
    expect(object?.metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'mesh-operator' });
    expect(object?.metadata.labels).not.toHaveProperty('helm.sh/chart');
  }
  const { adopted = [] } = await mesh.status();
  expect(adopted.filter(({ keeps }) => keeps === 'PodTemplate').map(({ object }) => object)).toEqual([
    `Deployment ${namespace}/istiod`,
    `Deployment ${gatewayNamespace}/istio-ingress`,
  ]);
  expect(adopted).toContainEqual({
    object: `ConfigMap ${namespace}/istio-sidecar-injector`,
    keeps: 'Object',
  });
});

test('diff knows of it, and finds nothing to do', async () => {
  const options = { filename: '-', kubeconfig: world.cluster.kubeconfigPath, output: 'text' } as const;

  const { stdout } = await runCli((terminal) => diff(options, terminal), dump(wanted));

  expect(stdout).toBe(`${namespace}/mesh: no difference\n`);
});

test('a change of the spec that makes pods anew gives them the pod template of the operator', async () => {
  const gateway = await templateOf(gatewayNamespace, 'istio-ingress');

  await mesh.change({ components: { pilot: { k8s: { podAnnotations: { 'example.com/changed': 'yes' } } } } });
  await mesh.untilStatus('has let go of the template of istiod', ({ adopted = [], state }) => {
    const kept = adopted.filter(({ keeps }) => keeps === 'PodTemplate').map(({ object }) => object);
    return state === 'Ready' && kept.join() === `Deployment ${gatewayNamespace}/istio-ingress`;
  });

  expect(await templateOf(namespace, 'istiod')).toMatchObject({
    metadata: { annotations: { 'example.com/changed': 'yes' }, labels: { 'meshoperator.dev/mesh': 'mesh' } },
  });
  expect(await templateOf(gatewayNamespace, 'istio-ingress')).toEqual(gateway);
  expect(managersOf((await everything()).get(`Deployment ${namespace}/istiod`))).not.toContain('helm');
});

test('when the last template is let go of, so is all that is not of the mesh', async () => {
  const id = deployment(gatewayNamespace, 'istio-ingress');
  const merge = { metadata: { annotations: { [keptTemplateAnnotation]: null } } };

  await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  await mesh.untilStatus(
    'keeps nothing of Helm',
    ({ adopted, state }) => adopted === undefined && state === 'Ready',
  );

  const objects = await everything();
  expect(objects.has(`ConfigMap ${namespace}/istio-sidecar-injector`)).toBe(false);
  expect(objects.has(`MutatingWebhookConfiguration ${injectorWebhook}`)).toBe(false);
  expect(objects.has(`ServiceAccount ${gatewayNamespace}/istio-ingress`)).toBe(false);
  expect(await templateOf(gatewayNamespace, 'istio-ingress')).toMatchObject({
    spec: { serviceAccountName: 'istio-ingress-service-account' },
  });
  const left = [...objects].filter(([, object]) => managersOf(object).includes('helm'));
  expect(left.map(([name]) => name)).toEqual([]);
});

test('the mesh goes as any other', async () => {
  await mesh.delete();
  await waitUntil({ what: 'the mesh is gone' }, async () => (await world.meshes()).length === 0);

  const left = [...(await everything()).values()].filter(
    ({ metadata }) =>
      metadata.labels?.[meshLabel] !== undefined ||
      metadata.labels?.['app.kubernetes.io/part-of'] === 'istio',
  );
  expect(left.map((object) => idText(idOf(object)))).toEqual([]);
});
