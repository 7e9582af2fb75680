import { memberLabel, tenantLabel } from '../../src/api/labels.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../src/api/mesh-operator-status.ts';
import { enrolledMembers } from '../../src/controllers/mesh/decide-members.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AuditEntry, isCountedWrite, readsOf, requestsOf, writesOf } from './audit-counts.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { applyUntilReady, awaitNoPods, benchMeshes, deleteUntilGone } from './bench-meshes.ts';
import { type BenchRow, benchRow } from './bench-table.ts';
import { never } from './cluster-view.ts';
import { awaitQuiet } from './quiet.ts';

const batch = 'tenant';
const count = 50;
const membersEach = 10;
const fieldManager = 'bench';

/** Many tenants with many namespaces: what they cost together, and what a change of one namespace costs. */
export async function benchTenants(bench: BenchCluster): Promise<BenchRow[]> {
  const { client, audit } = bench;
  const meshes = benchMeshes(batch, count).map(asTenant);
  await Promise.all(
    meshes.flatMap((mesh) => namespacesOf(mesh).map((name) => createOwned(client, mesh, name))),
  );
  const operator = bench.startOperator();
  await operator.seen('Controllers run');
  await audit.take();
  const readyMs = await applyUntilReady(client, meshes, hasAllMembers);
  const counts = await awaitQuiet(audit);
  const name = `${count} tenants with ${count * membersEach} namespaces`;
  process.stderr.write(`${name}: ${(readyMs / 1000).toFixed(2)} s, ${JSON.stringify(counts)}\n`);
  const rows = [
    benchRow({ name: `${name}: apply to all Ready and enrolled`, ours: readyMs / 1000, unit: 's' }),
    benchRow({ name: `${name}: object writes a tenant`, ours: counts.objectWrites / count, unit: '' }),
    benchRow({
      name: `${name}: status, finalizer and event writes a tenant`,
      ours: (counts.meshWrites + counts.eventWrites) / count,
      unit: '',
    }),
    benchRow({ name: `${name}: reads a tenant`, ours: readsOf(counts) / count, unit: '' }),
    benchRow({
      name: `${name}: peak memory of the operator`,
      ours: await operator.peakMemoryMb(),
      unit: 'MB',
    }),
    benchRow({
      name: `${name}: processor time of the operator`,
      ours: await operator.cpuSeconds(),
      unit: 's',
    }),
    ...(await measureLabels(bench, meshes)),
  ];
  const goneMs = await deleteUntilGone(client, meshes);
  rows.push(benchRow({ name: `${name}: delete to all gone`, ours: goneMs / 1000, unit: 's' }));
  await operator.stop();
  await awaitNoPods(client, batch);
  return rows;
}

/** Labels of one namespace among all of them: one that its tenant takes up, and one that is nothing to it. */
async function measureLabels(
  { client, audit }: BenchCluster,
  meshes: readonly MeshOperator[],
): Promise<BenchRow[]> {
  const mesh = meshes[Math.floor(count / 2)];
  if (mesh === undefined) throw new Error('there is no tenant');
  const newcomer = `${mesh.metadata.namespace}-newcomer`;
  await client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: newcomer } },
    { fieldManager },
    never,
  );
  await awaitQuiet(audit);

  const entries = audit.fork();
  await label(client, newcomer, { [tenantLabel]: mesh.metadata.namespace ?? '' });
  await waitUntil({ what: `${newcomer} is a member`, limitMs: 60_000, intervalMs: 100 }, async () => {
    const { metadata } = await client.get({ apiVersion: 'v1', kind: 'Namespace', name: newcomer }, never);
    return metadata.labels?.[memberLabel] !== undefined;
  });
  const joining = await awaitQuiet(audit);
  const touched = tenantsOf((await entries.takeEntries()).filter(isCountedWrite));
  await label(client, newcomer, { 'bench.example.com/label': 'yes' });
  const ignored = await awaitQuiet(audit);

  process.stderr.write(`a namespace joins: ${JSON.stringify(joining)}, written: ${[...touched].join()}\n`);
  const name = `namespace that joins one of ${count} tenants`;
  return [
    benchRow({ name: `${name}: writes`, ours: writesOf(joining), unit: '' }),
    benchRow({ name: `${name}: reads`, ours: readsOf(joining), unit: '', goal: 0 }),
    benchRow({ name: `${name}: tenants that are written`, ours: touched.size, unit: '', goal: 1 }),
    benchRow({
      name: 'label of a member that is nothing to its tenant: requests',
      ours: requestsOf(ignored),
      unit: '',
      goal: 0,
    }),
  ];
}

/** Whose objects were written, by the names of namespaces and of what has none. */
function tenantsOf(entries: readonly AuditEntry[]): ReadonlySet<string> {
  return new Set(
    entries.map(({ objectRef, requestURI }) => {
      const { namespace = '', name = '' } = objectRef ?? {};
      return new RegExp(`${batch}-\\d+`).exec(`${namespace} ${name}`)?.[0] ?? requestURI;
    }),
  );
}

function asTenant(mesh: MeshOperator): MeshOperator {
  const { namespace = '' } = mesh.metadata;
  return {
    ...mesh,
    spec: {
      ...mesh.spec,
      tenancy: { tenant: namespace, members: { selector: {} }, quota: { pods: '20' } },
    },
  };
}

/** The control plane's own, and those of its members. */
function namespacesOf({ metadata: { namespace = '' } }: MeshOperator): string[] {
  return [namespace, ...Array.from({ length: membersEach }, (_, index) => `${namespace}-member-${index}`)];
}

async function createOwned(client: KubeClient, { metadata }: MeshOperator, name: string): Promise<void> {
  const labels = { [tenantLabel]: metadata.namespace ?? '' };
  await client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
    { fieldManager },
    never,
  );
}

async function label(client: KubeClient, name: string, labels: Record<string, string>): Promise<void> {
  const merge = { metadata: { labels } };
  await client.patch(
    { apiVersion: 'v1', kind: 'Namespace', name },
    { type: 'merge', merge },
    { fieldManager },
    never,
  );
}

function hasAllMembers({ members }: MeshOperatorStatus): boolean {
  return enrolledMembers(members).length === membersEach;
}
