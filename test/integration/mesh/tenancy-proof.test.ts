import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { type TenancyProveOptions, tenancyProve } from '../../../src/cli/tenancy-prove.ts';
import type { IsolationLayer } from '../../../src/isolation/finding.ts';
import type { IsolationReport } from '../../../src/isolation/prove-isolation.ts';
import { secretTexts } from '../../../src/kube/secret-data.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { writeTokenKubeconfig } from '../../support/operator-access.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

const tenantLabel = 'meshoperator.dev/tenant';
const rbac = 'rbac.authorization.k8s.io';

/** A tenant of its own, with one member. */
interface Tenant {
  readonly name: string;
  readonly mesh: TestMesh;
  readonly member: string;
}

let world: MeshCluster;
let red: Tenant;
let blue: Tenant;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  [red, blue] = [await createTenant('red'), await createTenant('blue')];
});

afterAll(() => world?.close());

async function createTenant(prefix: string): Promise<Tenant> {
  const name = uniqueName(prefix);
  const namespace = await aNamespace(`${prefix}-system`, `${tenantLabel}=${name}`);
  const mesh = await world.createMesh(
    {
      ...{ revision: name, profile: 'minimal', tenancy: { tenant: name, members: { selector: {} } } },
      networkPolicy: { apiServer: { cidrs: ['192.0.2.10/32'] } },
      security: { mtls: { mode: 'STRICT' }, authorization: { defaultDeny: true } },
    },
    { namespace },
  );
  const member = await aNamespace(`${prefix}-app`, `${tenantLabel}=${name}`);
  await mesh.untilStatus(`has member ${member}`, ({ members = [] }) =>
    members.some((each) => each.namespace === member && each.state === 'Enrolled'),
  );
  await mesh.until('Ready');
  await world.client.create(
    bundle(member, name, await rootsOf(mesh)),
    { fieldManager: 'pilot-discovery' },
    never,
  );
  return { name, mesh, member };
}

async function aNamespace(prefix: string, label: string): Promise<string> {
  const namespace = await world.ownNamespace(prefix);
  await world.cluster.kubectl('label', 'namespace', namespace, label);
  return namespace;
}

/** The roots that the operator has given to the istiod of a mesh. */
async function rootsOf(mesh: TestMesh): Promise<string> {
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace: mesh.key.namespace, name: 'cacerts' };
  return waitUntil({ what: `${secret.namespace} has cacerts` }, async () => {
    const found = await world.client.find(secret, never);
    return found === undefined ? undefined : secretTexts(found)['root-cert.pem'];
  });
}

/** What istiod would have written, which nobody runs here. */
function bundle(namespace: string, tenant: string, roots: string): KubernetesObject {
  const metadata = { name: `istio-ca-root-cert-${tenant}`, namespace, labels: { 'istio.io/config': 'true' } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': roots } };
}

function run(options: Partial<TenancyProveOptions> = {}): Promise<CliRun> {
  const given = {
    kubeconfig: world.cluster.kubeconfigPath,
    ...redMesh(),
    output: 'json' as const,
    ...options,
  };
  return runCli((terminal) => tenancyProve(given, terminal));
}

function redMesh(): { readonly name: string; readonly namespace: string } {
  return { name: red.mesh.key.name, namespace: red.mesh.key.namespace };
}

function reportOf({ stdout }: CliRun): IsolationReport {
  const [report, ...more] = JSON.parse(stdout) as IsolationReport[];
  if (report === undefined || more.length > 0) throw new Error(`${more.length} reports more than one`);
  return report;
}

test('a tenant beside another one is isolated as the operator makes it', async () => {
  const result = await run();

  const report = reportOf(result);
  expect(report.layers.flatMap(({ findings, unproven }) => [...findings, ...unproven])).toEqual([]);
  expect(report).toMatchObject({ tenant: red.name, verdict: 'Isolated', members: [red.member] });
  expect(report.platform.map(({ subject }) => subject)).toContain(
    `ServiceAccount ${blue.mesh.key.namespace}/istiod-${blue.name}`,
  );
  expect(result.code).toBe(0);
});

interface Hole {
  readonly layer: IsolationLayer;
  readonly objects: () => KubernetesObject[] | Promise<KubernetesObject[]>;
  /** Object and path that must be named. */
  readonly named: () => { readonly object: string; readonly path?: string };
}

const inMember = (name = 'hole') => ({ name, namespace: red.member });

const holes: readonly Hole[] = [
  {
    layer: 'NetworkPolicy',
    objects: () => [
      {
        ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: inMember() },
        spec: {
          podSelector: {},
          ingress: [
            { from: [{ podSelector: {} }] },
            { from: [{ namespaceSelector: { matchLabels: { 'meshoperator.dev/member': blue.name } } }] },
            { from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] },
          ],
        },
      },
    ],
    named: () => ({ object: `NetworkPolicy ${red.member}/hole`, path: 'spec.ingress[2]' }),
  },
  {
    layer: 'AuthorizationPolicy',
    objects: () => [
      {
        ...{ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: inMember() },
        spec: { rules: [{ from: [{ source: { principals: [`${blue.name}/ns/${blue.member}/sa/app`] } }] }] },
      },
    ],
    named: () => ({
      ...{ object: `AuthorizationPolicy ${red.member}/hole`, path: 'spec.rules[0].from[0].source' },
    }),
  },
  {
    layer: 'RBAC',
    objects: () => [
      {
        ...{ apiVersion: `${rbac}/v1`, kind: 'Role', metadata: inMember() },
        rules: [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] }],
      },
      {
        ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata: inMember() },
        roleRef: { apiGroup: rbac, kind: 'Role', name: 'hole' },
        subjects: [{ kind: 'ServiceAccount', namespace: blue.member, name: 'app' }],
      },
    ],
    named: () => ({ object: `RoleBinding ${red.member}/hole`, path: 'subjects[0]' }),
  },
  {
    layer: 'TrustRoots',
    objects: async () => [bundle(blue.member, 'another', await rootsOf(red.mesh))],
    named: () => ({ object: `ConfigMap ${blue.member}/istio-ca-root-cert-another` }),
  },
  {
    layer: 'Discovery',
    objects: () => [
      {
        ...{ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata: inMember() },
        spec: {
          ...{ hosts: [`db.${blue.member}.svc.cluster.local`], resolution: 'DNS' },
          ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        },
      },
    ],
    named: () => ({ object: `ServiceEntry ${red.member}/hole`, path: 'spec.hosts[0]' }),
  },
];

describe.each(holes)('a hole in layer $layer', ({ layer, objects, named }) => {
  test('is found and named, and nothing else is', async () => {
    const planted = await objects();
    for (const object of planted) await world.client.create(object, { fieldManager: 'somebody' }, never);

    const result = await run();

    for (const { apiVersion, kind, metadata } of planted) {
      const { namespace = '', name } = metadata;
      await world.client.delete({ apiVersion, kind, namespace, name }, {}, never);
    }
    const report = reportOf(result);
    expect(report.layers.filter(({ verdict }) => verdict !== 'Isolated').map((each) => each.layer)).toEqual([
      layer,
    ]);
    const findings = report.layers
      .flatMap((each) => each.findings)
      .filter(({ severity }) => severity === 'open');
    expect(findings).toMatchObject([{ layer, ...named() }]);
    expect(result.code).toBe(1);
  });
});

test('what the caller may not read is not proven, and the missing right is named', async () => {
  const account = uniqueName('reader');
  const inSystem = ['--namespace', red.mesh.key.namespace];
  await world.cluster.kubectl('create', 'serviceaccount', account, ...inSystem);
  await world.cluster.kubectl(
    ...['create', 'clusterrole', account, '--verb=list'],
    '--resource=namespaces,pods,networkpolicies.networking.k8s.io,meshoperators.meshoperator.dev',
  );
  await world.cluster.kubectl(
    ...['create', 'clusterrolebinding', account, `--clusterrole=${account}`],
    `--serviceaccount=${red.mesh.key.namespace}:${account}`,
  );
  const token = await world.cluster.kubectl('create', 'token', account, ...inSystem);
  const kubeconfig = path.join(path.dirname(world.access.kubeconfig), account);
  await writeTokenKubeconfig(world.cluster, token, kubeconfig);

  const result = await run({ kubeconfig });

  await world.cluster.kubectl('delete', 'clusterrolebinding,clusterrole', account);
  await rm(kubeconfig);
  const { verdict, layers } = reportOf(result);
  expect(layers.map((each) => `${each.layer} ${each.verdict}`)).toEqual([
    ...['NetworkPolicy Isolated', 'AuthorizationPolicy NotProven', 'RBAC NotProven', 'TrustRoots NotProven'],
    'Discovery NotProven',
  ]);
  expect(layers.find(({ layer }) => layer === 'RBAC')?.unproven).toContainEqual(
    expect.stringMatching(/^Cannot list (cluster)?roles: .* forbidden/),
  );
  expect([verdict, result.code]).toEqual(['NotProven', 1]);
});

test('a person reads who gets where, by what, and what to do', async () => {
  const labels = { 'istio/multiCluster': 'true' };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'east', namespace: red.mesh.key.namespace, labels },
  };
  await world.client.create(
    { ...secret, stringData: { east: 'not to be printed' } },
    { fieldManager: 'test' },
    never,
  );

  const { stdout, code } = await run({ output: 'text' });

  await world.client.delete({ apiVersion: 'v1', kind: 'Secret', ...red.mesh.key, name: 'east' }, {}, never);
  expect(stdout).toContain(`Tenant ${red.name} (MeshOperator ${red.mesh.key.namespace}/mesh): open`);
  expect(stdout).toContain('  RBAC: isolated');
  expect(stdout).toContain(
    `    open: Secret ${red.mesh.key.namespace}/east metadata.labels[istio/multiCluster]`,
  );
  expect(stdout).toContain('      Fix: delete it');
  expect(stdout).not.toMatch(/not to be printed|PRIVATE KEY/);
  expect(code).toBe(1);
});

test('a mesh that is no tenant, or is not there, is an error', async () => {
  await expect(run({ name: 'nobody' })).rejects.toThrow('There is no MeshOperator nobody with spec.tenancy');
});
