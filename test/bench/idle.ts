import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { meshLabel } from '../../src/api/labels.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { readsOf, writesOf } from './audit-counts.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { type BenchRow, benchRow } from './bench-table.ts';
import { never } from './cluster-view.ts';
import { awaitQuiet } from './quiet.ts';

/** What passes cost that have nothing to do, in requests a mesh. The operator runs and every mesh is Ready. */
export async function measureIdle(bench: BenchCluster, meshes: readonly MeshOperator[]): Promise<BenchRow[]> {
  await awaitQuiet(bench.audit);
  return [
    ...(await countedRows(bench, 'pass that changes nothing', meshes, touchDeployment, {
      reads: '73 reads',
      writes: '12 writes',
    })),
    ...(await countedRows(bench, 'workload pod that comes and goes', meshes, bounceWorkloadPod, {
      reads: '77 reads',
      writes: '13 writes',
    })),
    ...(await countedRows(bench, 'istiod pod that is replaced', meshes.slice(0, 10), deleteIstiodPod, {})),
  ];
}

async function countedRows(
  { client, audit }: BenchCluster,
  name: string,
  meshes: readonly MeshOperator[],
  disturb: (client: BenchCluster['client'], namespace: string) => Promise<void>,
  published: { readonly reads?: string; readonly writes?: string },
): Promise<BenchRow[]> {
  await Promise.all(meshes.map(({ metadata }) => disturb(client, metadata.namespace ?? '')));
  const counts = await awaitQuiet(audit);
  // Where readiness really changes, status says so; the other disturbances leave nothing to say.
  const changesReadiness = disturb === deleteIstiodPod;
  return [
    benchRow({
      name: `${name}: reads`,
      ours: readsOf(counts) / meshes.length,
      unit: '',
      goal: 0,
      published: published.reads,
    }),
    benchRow({
      name: changesReadiness ? `${name}: writes (status and events)` : `${name}: writes`,
      ours: writesOf(counts) / meshes.length,
      unit: '',
      goal: changesReadiness ? undefined : 0,
      published: published.writes,
    }),
  ];
}

/** A label of somebody else's on an owned object: it wakes the mesh, and nothing is wrong. */
async function touchDeployment(client: BenchCluster['client'], namespace: string): Promise<void> {
  const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'gateway' };
  const merge = { metadata: { labels: { 'bench.example.com/touched': 'yes' } } };
  await client.patch(id, { type: 'merge', merge }, { fieldManager: 'bench' }, never);
}

async function bounceWorkloadPod(client: BenchCluster['client'], namespace: string): Promise<void> {
  const pod: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'workload', namespace, labels: { app: 'workload' } },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  };
  await client.create(pod, { fieldManager: 'bench' }, never);
  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: 'workload' }, {}, never);
}

async function deleteIstiodPod(client: BenchCluster['client'], namespace: string): Promise<void> {
  const labelSelector = `${meshLabel},app=istiod`;
  const { items } = await client.list(kindInfo('v1', 'Pod'), { namespace, labelSelector }, never);
  const [pod] = items;
  if (pod === undefined) throw new Error(`namespace ${namespace} has no pod of istiod`);
  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: pod.metadata.name }, {}, never);
}
