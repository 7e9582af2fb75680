import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { type AuditedRequest, isWrite } from '../../support/audit-log.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

type Tenancy = NonNullable<MeshOperatorSpec['tenancy']>;

const tenantLabel = 'meshoperator.dev/tenant';

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
});

afterAll(() => world?.close());

async function label(namespace: string, ...labels: string[]): Promise<void> {
  await world.cluster.kubectl('label', '--overwrite', 'namespace', namespace, ...labels);
}

async function aNamespace(prefix: string, ...labels: string[]): Promise<string> {
  const namespace = await world.ownNamespace(prefix);
  if (labels.length > 0) await label(namespace, ...labels);
  return namespace;
}

async function labelsOf(namespace: string): Promise<Record<string, string>> {
  const { metadata } = await world.client.get(
    { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    never,
  );
  return metadata.labels ?? {};
}

/** Kind and name of what the operator has put into a namespace. */
async function contentsOf(namespace: string): Promise<string[]> {
  const text = await world.cluster.kubectl(
    ...['get', 'resourcequotas,limitranges,rolebindings,networkpolicies', '-n', namespace],
    ...['-l', 'app.kubernetes.io/managed-by=mesh-operator', '-o', 'name'],
  );
  return text.split('\n').filter((line) => line !== '');
}

/** A tenant with a control plane of its own, whose own namespace has the label unless it is to be left out. */
async function createTenant(
  fields: Partial<Tenancy>,
  { isAdmitted = true } = {},
): Promise<{ readonly mesh: TestMesh; readonly tenant: string }> {
  const tenant = uniqueName('tenant');
  const namespace = await aNamespace('control-plane', ...(isAdmitted ? [`${tenantLabel}=${tenant}`] : []));
  const tenancy = { tenant, members: { selector: { matchLabels: { team: tenant } } }, ...fields };
  const mesh = await world.createMesh({ revision: tenant, profile: 'minimal', tenancy }, { namespace });
  return { mesh, tenant };
}

async function untilMember(mesh: TestMesh, namespace: string, state: string | undefined): Promise<void> {
  await mesh.untilStatus(`namespace ${namespace} is ${state}`, ({ members = [] }) => {
    return members.find((member) => member.namespace === namespace)?.state === state;
  });
}

async function untilGone(id: ObjectId): Promise<void> {
  await waitUntil(
    { what: `${id.kind} ${id.name} is gone`, intervalMs: 100 },
    async () => (await world.client.find(id, never)) === undefined,
  );
}

describe('a tenant', () => {
  // The first one: where there are tenants already, they are the older ones.
  test('waits while an older mesh could discover its namespaces, and is made when that leaves them out', async () => {
    const older = await world.createMesh({ profile: 'minimal' });
    await older.until('Ready');
    const { mesh } = await createTenant({});

    await mesh.until('Stalled');
    expect(await mesh.condition('Stalled')).toMatchObject({
      reason: 'TenancyOverlap',
      message: expect.stringContaining(`MeshOperator ${older.key.namespace}/mesh, which can discover them`),
    });

    const withoutTenants = { matchExpressions: [{ key: tenantLabel, operator: 'DoesNotExist' }] };
    await older.change({ meshConfig: { discoverySelectors: [withoutTenants] } });
    await mesh.until('Ready');
    await older.delete();
    await older.untilGone();
  });

  test('is nothing before its own namespace is said to be of that tenant, and is made then', async () => {
    const { mesh, tenant } = await createTenant({}, { isAdmitted: false });

    await mesh.until('Stalled');
    expect(await mesh.condition('Stalled')).toMatchObject({
      reason: 'TenantNotAdmitted',
      message: expect.stringContaining(`have it labelled ${tenantLabel}=${tenant}`),
    });
    expect(await mesh.inventory()).toEqual([]);

    await label(mesh.key.namespace, `${tenantLabel}=${tenant}`);
    await mesh.until('Ready');
  });

  test('makes members of those that both sides want, and says of the others why they are none', async () => {
    const named = await aNamespace('named');
    const missing = uniqueName('missing');
    const { mesh, tenant } = await createTenant({
      quota: { pods: '20' },
      limits: [{ type: 'Container', default: { cpu: '1' } }],
    });
    await mesh.change({ networkPolicy: {} });
    const ours = [`team=${tenant}`, `${tenantLabel}=${tenant}`];
    const member = await aNamespace('member', ...ours);
    const follower = await aNamespace('follower', ...ours, 'istio.io/rev=somebody');
    const silent = await aNamespace('silent', `team=${tenant}`);
    await mesh.change({ tenancy: { members: { namespaces: [named, missing] } } });
    await label(named, `${tenantLabel}=${tenant}`);

    await untilMember(mesh, member, 'Enrolled');
    await untilMember(mesh, named, 'Enrolled');

    const states = (await mesh.status()).members?.map(({ namespace, state }) => [namespace, state]);
    expect(Object.fromEntries(states ?? [])).toEqual({
      ...{ [member]: 'Enrolled', [named]: 'Enrolled', [follower]: 'OtherRevision' },
      ...{ [silent]: 'NoConsent', [missing]: 'Missing' },
    });
    expect(await mesh.condition('TenancyReady')).toMatchObject({
      ...{ status: 'False', reason: 'MembersRefused' },
      message: expect.stringContaining(`namespace ${missing} does not exist`),
    });
    expect(await labelsOf(member)).toMatchObject({
      'istio.io/rev': tenant,
      'meshoperator.dev/member': tenant,
    });
    expect(await labelsOf(follower)).toMatchObject({ 'istio.io/rev': 'somebody' });
    expect(await contentsOf(member)).toEqual([
      `resourcequota/tenant-${tenant}`,
      `limitrange/tenant-${tenant}`,
      `rolebinding.rbac.authorization.k8s.io/istiod-member-${tenant}-${mesh.key.namespace}`,
      `networkpolicy.networking.k8s.io/tenant-${tenant}`,
    ]);
    expect(await contentsOf(silent)).toEqual([]);
    const istiod = `system:serviceaccount:${mesh.key.namespace}:istiod-${tenant}`;
    const mayWrite = (namespace: string) =>
      world.cluster
        .kubectl('auth', 'can-i', 'create', 'configmaps', '-n', namespace, '--as', istiod)
        .then(() => true)
        .catch(() => false);
    expect(await Promise.all([member, named, silent, 'default'].map(mayWrite))).toEqual([
      true,
      true,
      false,
      false,
    ]);

    await label(silent, `${tenantLabel}=${tenant}`);
    await untilMember(mesh, silent, 'Enrolled');
  });

  test('keeps a member that another tenant could have by a label that comes later, and the other one says so', async () => {
    const [older, younger] = [await createTenant({}), await createTenant({})];
    const member = await aNamespace('member', `team=${older.tenant}`, `${tenantLabel}=${older.tenant}`);
    await untilMember(older.mesh, member, 'Enrolled');
    const byStage = { matchLabels: { team: null, stage: younger.tenant } };
    await younger.mesh.change({ tenancy: { members: { selector: byStage } } });
    await younger.mesh.untilReason('TenancyReady', 'MembersEnrolled');

    await label(member, `stage=${younger.tenant}`);

    await younger.mesh.untilReason('TenancyReady', 'MembersRefused');
    expect(await younger.mesh.condition('TenancyReady')).toMatchObject({
      ...{ status: 'False', message: `namespace ${member} belongs to another tenant` },
    });
    expect(await older.mesh.condition('TenancyReady')).toMatchObject({ status: 'True' });
    expect(await labelsOf(member)).toMatchObject({
      'istio.io/rev': older.tenant,
      'meshoperator.dev/member': older.tenant,
    });

    await label(member, 'stage-');
    await younger.mesh.untilReason('TenancyReady', 'MembersEnrolled');
  });

  test('has no part in the namespace of the operator, whatever labels that gets', async () => {
    const { mesh, tenant } = await createTenant({});
    await mesh.until('Ready');
    const ours = [`team=${tenant}`, `${tenantLabel}=${tenant}`];
    onTestFinished(() => label(operatorNamespace, 'team-', `${tenantLabel}-`));

    await label(operatorNamespace, ...ours);

    await untilMember(mesh, operatorNamespace, 'Operator');
    expect(await mesh.condition('TenancyReady')).toMatchObject({
      ...{ status: 'False', message: `namespace ${operatorNamespace} is where the operator runs` },
    });
    expect(Object.keys(await labelsOf(operatorNamespace))).not.toContain('istio.io/rev');
    expect(await contentsOf(operatorNamespace)).toEqual([]);
  });

  test('sets back the bounds of a member that somebody has widened', async () => {
    const { mesh, tenant } = await createTenant({ limits: [{ type: 'Container', max: { cpu: '1' } }] });
    const member = await aNamespace('member', `team=${tenant}`, `${tenantLabel}=${tenant}`);
    await untilMember(mesh, member, 'Enrolled');
    await mesh.until('Ready');
    const limits = { apiVersion: 'v1', kind: 'LimitRange', namespace: member, name: `tenant-${tenant}` };
    const { spec } = await world.client.get(limits, never);

    const wider = { spec: { limits: [{ type: 'Container', max: { cpu: '100' } }] } };
    await world.client.patch(limits, { type: 'merge', merge: wider }, { fieldManager: 'somebody' }, never);

    await waitUntil({ what: 'the bounds are as before' }, async () => {
      return isDeepStrictEqual((await world.client.get(limits, never)).spec, spec);
    });
  });

  test('sets back the labels that a member has lost, and leaves one that follows somebody else', async () => {
    const { mesh, tenant } = await createTenant({});
    const member = await aNamespace('member', `team=${tenant}`, `${tenantLabel}=${tenant}`);
    await untilMember(mesh, member, 'Enrolled');

    await label(member, 'istio.io/rev-');
    await waitUntil(
      { what: 'the label is back', intervalMs: 100 },
      async () => (await labelsOf(member))['istio.io/rev'] === tenant,
    );

    await label(member, 'istio.io/rev=somebody');
    await untilMember(mesh, member, 'OtherRevision');
    const { 'istio.io/rev': revision, 'meshoperator.dev/member': owner } = await labelsOf(member);
    expect([revision, owner]).toEqual(['somebody', undefined]);
    expect(await contentsOf(member)).toEqual([]);
  });

  test.each<[string, (tenant: string) => string]>([
    ['consents no more', () => `${tenantLabel}-`],
    ['is wanted no more', () => 'team-'],
  ])('cleans up a namespace that %s', async (_why, change) => {
    const { mesh, tenant } = await createTenant({ quota: { pods: '20' } });
    const member = await aNamespace('member', `team=${tenant}`, `${tenantLabel}=${tenant}`, 'theirs=kept');
    await untilMember(mesh, member, 'Enrolled');
    const roots = await rootsOf(member, tenant);

    await label(member, change(tenant));

    await untilGone(roots);
    await waitUntil(
      { what: 'the labels are gone', intervalMs: 100 },
      async () => (await labelsOf(member))['meshoperator.dev/member'] === undefined,
    );
    expect(await labelsOf(member)).toMatchObject({ theirs: 'kept' });
    expect(Object.keys(await labelsOf(member))).not.toContain('istio.io/rev');
    expect(await contentsOf(member)).toEqual([]);
    await mesh.until('Ready');
  });

  test('leaves nothing in its members when it goes', async () => {
    const { mesh, tenant } = await createTenant({ quota: { pods: '20' } });
    const member = await aNamespace('member', `team=${tenant}`, `${tenantLabel}=${tenant}`);
    await untilMember(mesh, member, 'Enrolled');
    const roots = await rootsOf(member, tenant);

    await mesh.delete();
    await mesh.untilGone();

    expect(await world.client.find(roots, never)).toBeUndefined();
    expect(await contentsOf(member)).toEqual([]);
    const { 'istio.io/rev': revision, 'meshoperator.dev/member': owner } = await labelsOf(member);
    expect([revision, owner]).toEqual([undefined, undefined]);
  });

  test('belongs to the older of two meshes of one name, whose members stay when the younger goes', async () => {
    const { mesh, tenant } = await createTenant({});
    const member = await aNamespace('member', `team=${tenant}`, `${tenantLabel}=${tenant}`);
    await untilMember(mesh, member, 'Enrolled');
    const namespace = await aNamespace('z-younger', `${tenantLabel}=${tenant}`);
    const younger = await world.createMesh(
      { profile: 'minimal', tenancy: { tenant, members: { selector: {} } } },
      { namespace },
    );

    await younger.until('Stalled');
    expect(await younger.condition('Stalled')).toMatchObject({
      message: expect.stringContaining(`tenant ${tenant} belongs to MeshOperator ${mesh.key.namespace}/mesh`),
    });
    await younger.delete();
    await younger.untilGone();

    expect(await labelsOf(member)).toMatchObject({ 'meshoperator.dev/member': tenant });
  });

  test('is not looked at when a namespace of another one changes', async () => {
    const tenants = [await createTenant({}), await createTenant({}), await createTenant({})] as const;
    const [, second] = tenants;
    for (const { mesh, tenant } of tenants) {
      const own = await aNamespace('own', `team=${tenant}`, `${tenantLabel}=${tenant}`);
      await untilMember(mesh, own, 'Enrolled');
      await mesh.until('Ready');
    }
    const member = await aNamespace('member', `team=${second.tenant}`);
    await untilMember(second.mesh, member, 'NoConsent');
    await second.mesh.untilReason('TenancyReady', 'MembersRefused');

    await world.audit.restart();
    await label(member, `${tenantLabel}=${second.tenant}`);
    await untilMember(second.mesh, member, 'Enrolled');
    await second.mesh.untilReason('TenancyReady', 'MembersEnrolled');

    const writes = (await world.audit.requestsOf(world.access.user)).filter(isObjectWrite);
    const places = new Set(writes.map(({ namespace, name }) => namespace ?? name));
    expect(writes.length).toBeGreaterThan(2);
    expect([...places].sort()).toEqual([second.mesh.key.namespace, member].sort());
  });
});

/** True for any write but the renewal of the operator's own Lease. */
function isObjectWrite(request: AuditedRequest): boolean {
  return isWrite(request) && request.resource !== 'leases';
}

/** The ConfigMap that istiod would have written, which nobody runs here. */
async function rootsOf(namespace: string, tenant: string): Promise<ObjectId> {
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-ca-root-cert-${tenant}` };
  const object: KubernetesObject = {
    ...{ apiVersion: id.apiVersion, kind: id.kind },
    metadata: { name: id.name, namespace, labels: { 'istio.io/config': 'true' } },
    data: { 'root-cert.pem': '' },
  };
  await world.client.create(object, { fieldManager: 'pilot-discovery' }, never);
  return id;
}
