import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { NotFoundError } from '../../../src/base/errors.ts';
import { istioKinds } from '../../../src/cli/istio-kinds.ts';
import { type UninstallOptions, uninstall } from '../../../src/cli/uninstall.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { listEverything } from '../../support/list-everything.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';
import { TrustSecrets } from '../../support/trust-secrets.ts';

/** What a namespace has of itself, and what belongs to Kubernetes or the operator. */
const exceptions = [
  / CustomResourceDefinition /,
  / APIService /,
  / Lease mesh-operator\//,
  / Event /,
  / IPAddress /,
  / Namespace /,
  / ServiceAccount \S+\/default$/,
  / ConfigMap \S+\/kube-root-ca\.crt$/,
  / Secret mesh-operator\/\S+\.ca$/,
];
const virtualServices = 'virtualservices.networking.istio.io';

let world: MeshCluster;
let operator: RunningOperator;
let leaseName: string;
let before: string[];
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  before = await listEverything(world.cluster);
});

afterAll(() => world?.close());

/** Each test has one operator alone, and leaves no mesh. */
afterEach(async () => {
  for (const { metadata } of await world.meshes()) {
    const left = new TestMesh(world.client, { namespace: metadata.namespace ?? '', name: metadata.name });
    await left.delete();
    await left.untilGone();
  }
  await world.endOperators();
});

async function install(spec: MeshOperatorSpec = {}): Promise<void> {
  leaseName = uniqueName('lease');
  operator = await world.startOperator(['--lease-name', leaseName]);
  mesh = await world.createMesh(spec);
  await mesh.until('Ready');
}

function uninstallMesh(flags: Partial<UninstallOptions>, stdin = ''): Promise<CliRun> {
  const { kubeconfigPath: kubeconfig } = world.cluster;
  const { namespace } = mesh.key;
  const options = { kubeconfig, namespace, leaseName, deadline: '10m', ...flags };
  return runCli((terminal) => uninstall('mesh', options, terminal), stdin);
}

/** What has owners goes a moment later, and kinds that go cannot be listed meanwhile. */
async function untilNothingIsNew(): Promise<void> {
  let added: string[] = [];
  const explain = async () => added.join('\n');
  await waitUntil({ what: 'nothing is left', explain }, async () => {
    const now = await listEverything(world.cluster);
    added = now.filter((line) => !before.includes(line) && !exceptions.some((text) => text.test(line)));
    return added.length === 0;
  });
}

function findCrd(name: string) {
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name };
  return world.client.find(crd, never);
}

describe('with an operator', () => {
  beforeEach(() => install());

  test('nothing is done unless its name is typed', async () => {
    const { code, stderr } = await uninstallMesh({}, 'yes\n');

    expect(code).toBe(1);
    expect(stderr).toContain('Type mesh to go on');
    expect(stderr).toContain('Nothing was done');
    expect((await mesh.read()).metadata.deletionTimestamp).toBeUndefined();
  });

  test('it says how far the operator is, and returns when the mesh is gone', async () => {
    const { namespace } = mesh.key;

    const { code, stdout } = await uninstallMesh({ wait: true }, 'mesh\n');

    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^MeshOperator ${namespace}/mesh goes, with [0-9]+ objects\n`));
    expect(stdout).toMatch(/[0-9]+ objects left\. Waiting for \w+ \S+/);
    expect(stdout.trim().split('\n').at(-1)).toBe(`${namespace}/mesh is gone`);
    await untilNothingIsNew();
    expect(await findCrd(virtualServices)).toBeDefined();
  });

  test('a control plane of another mesh is not uninstalled by itself', async () => {
    const { namespace } = mesh.key;
    const labels = {
      'app.kubernetes.io/managed-by': 'mesh-operator',
      'meshoperator.dev/mesh': 'whole',
      'meshoperator.dev/mesh-namespace': namespace,
    };
    await world.client.patch(
      mesh.id,
      { type: 'merge', merge: { metadata: { labels } } },
      { fieldManager: 'test' },
      never,
    );

    const { code, stderr } = await uninstallMesh({ yes: true });

    expect(code).toBe(1);
    expect(stderr).toContain(`is a control plane of MeshOperator ${namespace}/whole`);
    expect((await mesh.read()).metadata.deletionTimestamp).toBeUndefined();
  });
});

describe('without an operator', () => {
  beforeEach(async () => {
    await install({ components: { ingressGateways: [{ name: 'one' }] } });
    await operator.end();
  });

  test('it says so, and removes everything when it is forced', async () => {
    const plain = await uninstallMesh({ yes: true });
    const forced = await uninstallMesh({ yes: true, force: true });

    expect(plain.code).toBe(1);
    expect(plain.stderr).toContain(`No operator is at work (Lease ${leaseName})`);
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    expect(forced.stdout).toContain('removing everything from here');
    expect(forced.stdout).toMatch(/left, waits for MutatingWebhookConfiguration|left, waits for Valid/);
    await mesh.untilGone();
    await untilNothingIsNew();
  });
});

describe('a tenant without an operator', () => {
  let tenant: string;
  let member: string;

  beforeEach(async () => {
    tenant = uniqueName('tenant');
    leaseName = uniqueName('lease');
    const consent = `meshoperator.dev/tenant=${tenant}`;
    const namespace = await world.ownNamespace('control-plane');
    member = await world.ownNamespace('member');
    for (const name of [namespace, member])
      await world.cluster.kubectl('label', 'namespace', name, consent, 'theirs=kept');
    operator = await world.startOperator(['--lease-name', leaseName]);
    const tenancy = { tenant, members: { namespaces: [member] }, quota: { pods: '20' } };
    mesh = await world.createMesh(
      { revision: tenant, profile: 'minimal', tenancy, networkPolicy: {} },
      { namespace },
    );
    await mesh.until('Ready');
    await mesh.untilReason('TenancyReady', 'MembersEnrolled');
    await operator.end();
    for (const name of [namespace, member]) await createRoots(name);
  });

  test('gives its members back when it is forced', async () => {
    const { code, stdout } = await uninstallMesh({ yes: true, force: true });

    expect(code).toBe(0);
    expect(stdout).toContain(`Its tenant leaves ${member}\n`);
    await mesh.untilGone();
    expect(await labelsOf(member)).toEqual({ ...ownLabels(), theirs: 'kept' });
    await untilNothingIsNew();
  });

  test('gives them back as well when its MeshOperator is gone already', async () => {
    const merge = { metadata: { finalizers: [] } };
    await world.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await mesh.delete();
    await mesh.untilGone();

    const { code, stdout } = await uninstallMesh({ yes: true, force: true });

    expect(code).toBe(0);
    expect(stdout).toContain(`Its tenant leaves ${member}\n`);
    expect(await labelsOf(member)).toEqual({ ...ownLabels(), theirs: 'kept' });
    await untilNothingIsNew();
  });

  /** As istiod does, which nobody runs here. */
  async function createRoots(namespace: string): Promise<void> {
    const name = `istio-ca-root-cert-${tenant}`;
    const roots = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: {} };
    await world.client.create(roots, { fieldManager: 'pilot-discovery' }, never);
  }

  function ownLabels(): Record<string, string> {
    return { 'kubernetes.io/metadata.name': member, 'meshoperator.dev/tenant': tenant };
  }

  async function labelsOf(name: string): Promise<unknown> {
    return (await world.client.get({ apiVersion: 'v1', kind: 'Namespace', name }, never)).metadata.labels;
  }
});

describe('purge', () => {
  beforeEach(() => install());

  test('names what else goes, and removes CRDs and the authority when that is confirmed', async () => {
    const { namespace } = mesh.key;
    const shop = await world.ownNamespace();
    const trust = new TrustSecrets(world.client, namespace);
    expect(await trust.findAuthority()).toBeDefined();
    await world.cluster.apply(
      JSON.stringify({
        ...{ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' },
        metadata: { name: 'cart', namespace: shop },
        spec: { hosts: ['cart'], http: [{ route: [{ destination: { host: 'cart' } }] }] },
      }),
    );

    const refused = await uninstallMesh({ purge: true });
    const purged = await uninstallMesh({ purge: true }, 'mesh\n');

    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(`VirtualService ${shop}/cart`);
    expect(refused.stdout).toContain(`Secret mesh-operator/${namespace}.ca: the authority, for good`);
    expect(purged.code).toBe(0);
    expect(await trust.findAuthority()).toBeUndefined();
    const crds = istioKinds().map(
      async ({ crd }) => (await findCrd(crd))?.metadata.deletionTimestamp ?? 'gone',
    );
    expect(await Promise.all(crds)).not.toContain(undefined);
    await untilNothingIsNew();
  });

  test('leaves what another mesh needs', async () => {
    const { namespace } = mesh.key;
    const other = await world.createMesh({}, { name: 'other', namespace });

    const { code, stdout } = await uninstallMesh({ purge: true, yes: true });

    expect(code).toBe(0);
    expect(stdout).toContain(`Istio's CRDs stay: they are needed by MeshOperator ${namespace}/other`);
    expect(stdout).toContain(`The authority of namespace ${namespace} stays`);
    expect(await findCrd(virtualServices)).toBeDefined();
    expect(await new TrustSecrets(world.client, namespace).findAuthority()).toBeDefined();
    await other.until('Ready');
  });

  test('can be done when the mesh is gone already', async () => {
    await uninstallMesh({ yes: true, wait: true });

    await expect(uninstallMesh({ yes: true })).rejects.toThrow(NotFoundError);
    const { code, stdout } = await uninstallMesh({ yes: true, purge: true });

    expect(code).toBe(0);
    expect(stdout).toContain('There is no MeshOperator');
    expect(await new TrustSecrets(world.client, mesh.key.namespace).findAuthority()).toBeUndefined();
  });
});
