import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import type { ResolvedMesh } from '../../../src/api/resolved-mesh.ts';
import { decideInjection } from '../../../src/injection/decide-injection.ts';
import type { Pod } from '../../../src/injection/pod.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { renderAll } from '../../support/rendered-objects.ts';
import { aResolvedMesh } from '../../support/resolved-mesh.ts';
import { configurationText, RunningInjector } from '../../support/running-injector.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { never, type TestClient, testClient, uniqueName } from '../../support/test-client.ts';

type Labels = Readonly<Record<string, string>>;

const injection = 'istio-injection';
const revision = 'istio.io/rev';
const inject = 'sidecar.istio.io/inject';

const namespaceLabels: readonly Labels[] = [
  {},
  { [injection]: 'enabled' },
  { [injection]: 'disabled' },
  { [revision]: 'default' },
  { [revision]: 'canary' },
  { [revision]: 'prod' },
  { [revision]: 'other' },
  { [injection]: 'enabled', [revision]: 'canary' },
  { [injection]: 'disabled', [revision]: 'canary' },
];
const podLabels: readonly Labels[] = [
  {},
  { [inject]: 'true' },
  { [inject]: 'false' },
  { [inject]: 'maybe' },
  { [revision]: 'default' },
  { [revision]: 'canary' },
  { [revision]: 'prod' },
  { [inject]: 'true', [revision]: 'canary' },
  { [inject]: 'false', [revision]: 'canary' },
];

const controlPlane = 'selection-control-plane';
const stable = aResolvedMesh({ namespace: controlPlane });
const byDefault = aResolvedMesh({
  namespace: controlPlane,
  injection: { ...stable.injection, enableNamespacesByDefault: true },
});
const canary = aResolvedMesh({
  ...{ name: 'canary', namespace: controlPlane, revision: 'canary', revisionTags: ['prod'] },
});

let admin: TestClient;
let injectors: ReadonlyMap<string, RunningInjector>;
const namespaces = new Map<Labels, string>();
const configurations: KubernetesObject[] = [];

beforeAll(async () => {
  admin = testClient((await sharedCluster()).kubeconfigPath);
  for (const labels of [...namespaceLabels, controlPlaneLabels]) await createNamespace(labels);
  const started = await Promise.all([RunningInjector.start(), RunningInjector.start()]);
  injectors = new Map([
    ['', started[0]],
    ['canary', started[1]],
  ]);
});

afterAll(async () => {
  await removeConfigurations();
  await Promise.all([...(injectors?.values() ?? [])].map((injector) => injector.remove()));
  await admin.connection.close();
});

const controlPlaneLabels: Labels = { [injection]: 'enabled', 'mesh-operator.test/is': 'control-plane' };

describe.each([
  ['that asks', stable],
  ['by default', byDefault],
])('with two revisions, the default one injecting into each namespace %s', (_which, mesh) => {
  beforeAll(async () => {
    await removeConfigurations();
    for (const each of [mesh, canary]) await installWebhooks(each);
    await untilInEffect();
  });

  test.each(namespaceLabels)(
    'pods of a namespace with labels %o are injected by whom the core says',
    async (labels) => {
      const found: Record<string, string> = {};
      const expected: Record<string, string> = {};
      for (const own of podLabels) {
        const name = JSON.stringify(own);
        found[name] = await injectorOf(await createDryRun(labels, own));
        expected[name] = responsible([mesh, canary], labels, own);
      }

      expect(found).toEqual(expected);
    },
  );

  test('a pod of the control plane’s own namespace is never sent, whatever its labels', async () => {
    for (const own of podLabels) {
      expect(await injectorOf(await createDryRun(controlPlaneLabels, own))).toBe('nobody');
    }
  });
});

test('a pod gets what its mesh gives to proxies of its namespace, and what its annotations ask for instead', async () => {
  const labels = findLabels('canary');
  const own = { resources: { requests: { cpu: '20m' } }, concurrency: 1 };
  const proxyDefaults = [{ namespaces: [namespaces.get(labels) ?? ''], ...own }];
  const mesh = resolveMesh(
    aMeshOperator({ revision: 'canary', sidecarInjector: { proxyDefaults } }, { namespace: controlPlane }),
  );
  await injectors.get('canary')?.configuration.replace({ 'config.json': configurationText(mesh) });

  await waitUntil({ what: 'the injector has its configuration' }, async () => {
    const cpu = proxyOf(await createDryRun(labels, {})).resources.requests?.cpu;
    return cpu === '20m';
  });
  const elsewhere = proxyOf(await createDryRun(findLabels('prod'), {}));
  const asking = proxyOf(await createDryRun(labels, {}, { 'sidecar.istio.io/proxyCPU': '30m' }));

  expect(elsewhere.resources.requests).toEqual({ cpu: '100m', memory: '128Mi' });
  expect(asking.resources).toEqual({ requests: { cpu: '30m' } });
});

interface Proxy {
  readonly name: string;
  readonly resources: { readonly requests?: Readonly<Record<string, string>> };
}

function proxyOf({ spec }: KubernetesObject): Proxy {
  const { initContainers = [] } = spec as { initContainers?: readonly Proxy[] };
  const proxy = initContainers.find(({ name }) => name === 'istio-proxy');
  if (proxy === undefined) throw new Error('the pod has no proxy');
  return proxy;
}

/** The revision whose core injects the pod; fails when two would. */
function responsible(meshes: readonly ResolvedMesh[], labels: Labels, own: Labels): string {
  const pod = { metadata: { labels: own }, spec: { containers: [{ name: 'app', image: 'app' }] } } as Pod;
  const injecting = meshes.filter(
    (mesh) =>
      decideInjection({ pod, mesh, namespace: { name: 'app', labels }, kubernetesMinor: 35 }).kind ===
      'inject',
  );
  expect(injecting.length).toBeLessThanOrEqual(1);
  return injecting[0] === undefined ? 'nobody' : injecting[0].revision || 'default';
}

async function injectorOf(pod: KubernetesObject): Promise<string> {
  const status = pod.metadata.annotations?.['sidecar.istio.io/status'];
  return status === undefined ? 'nobody' : (JSON.parse(status) as { revision: string }).revision;
}

async function createDryRun(
  labels: Labels,
  own: Labels,
  annotations: Labels = {},
): Promise<KubernetesObject> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'app',
      namespace: namespaces.get(labels) ?? '',
      labels: { ...own },
      annotations: { ...annotations },
    },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  };
  return admin.client.create(pod, { fieldManager: 'test', dryRun: true }, never);
}

async function createNamespace(labels: Labels): Promise<void> {
  const name = labels === controlPlaneLabels ? controlPlane : uniqueName('selection');
  namespaces.set(labels, name);
  const create = (object: KubernetesObject) => admin.client.create(object, { fieldManager: 'test' }, never);
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...labels } } });
  await create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
}

/**
 * The configurations of a mesh as they are rendered, strict at once. No Service leads to the injector here, so they call
 * it where it listens.
 */
async function installWebhooks(mesh: ResolvedMesh): Promise<void> {
  const injector = injectors.get(mesh.revision);
  if (injector === undefined) throw new Error(`no injector of revision ${mesh.revision}`);
  await injector.configuration.replace({ 'config.json': configurationText(mesh) });
  const clientConfig = {
    url: `https://127.0.0.1:${injector.port}/inject`,
    caBundle: Buffer.from(injector.authority.caPem).toString('base64'),
  };
  for (const rendered of renderAll(mesh)) {
    if (rendered.kind !== 'MutatingWebhookConfiguration') continue;
    const webhooks = (rendered.webhooks as object[]).map((entry) => ({
      ...entry,
      clientConfig,
      failurePolicy: 'Fail',
    }));
    const configuration = { ...rendered, webhooks };
    await admin.client.create(configuration, { fieldManager: 'test' }, never);
    configurations.push(configuration);
  }
}

/** An API server follows webhook configurations by a watch, so a moment after they are written. */
async function untilInEffect(): Promise<void> {
  await waitUntil({ what: 'both revisions inject', intervalMs: 50 }, async () => {
    const asked = await Promise.all(
      (['default', 'canary', 'prod'] as const).map(async (name) =>
        injectorOf(await createDryRun(findLabels(name), {})),
      ),
    );
    return asked.join() === 'default,canary,canary';
  });
}

function findLabels(name: string): Labels {
  const found = namespaceLabels.find(
    (labels) => labels[revision] === name && labels[injection] === undefined,
  );
  if (found === undefined) throw new Error(`no namespace of revision ${name}`);
  return found;
}

async function removeConfigurations(): Promise<void> {
  for (const { apiVersion, kind, metadata } of configurations.splice(0)) {
    await admin.client.delete({ apiVersion, kind, name: metadata.name }, {}, never);
  }
}
