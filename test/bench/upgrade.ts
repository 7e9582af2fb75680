import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { readsOf, writesOf } from './audit-counts.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { applyUntilReady, benchMeshes, createNamespaces, deleteUntilGone } from './bench-meshes.ts';
import { type BenchRow, benchRow } from './bench-table.ts';
import { awaitQuiet } from './quiet.ts';

const count = 10;
const versions = { older: '1.30', newer: '1.31' };

/** What it costs to take meshes without workloads from one minor to the next, in requests a mesh. */
export async function benchUpgrade(bench: BenchCluster): Promise<BenchRow[]> {
  return [...(await measure(bench, 'InPlace')), ...(await measure(bench, 'RevisionBased'))];
}

async function measure(bench: BenchCluster, strategy: 'InPlace' | 'RevisionBased'): Promise<BenchRow[]> {
  const { client, audit } = bench;
  const meshes = benchMeshes(`upgrade-${strategy.toLowerCase()}`, count).map((mesh) => ({
    ...mesh,
    spec: { ...mesh.spec, version: versions.older, upgrade: { strategy, ...graceOf(strategy) } },
  }));
  await createNamespaces(client, meshes);
  const operator = bench.startOperator();
  await operator.seen('Controllers run');
  await applyUntilReady(client, meshes);
  await awaitQuiet(audit);
  const readyMs = await applyUntilReady(client, meshes.map(newer));
  const counts = await awaitQuiet(audit);
  await deleteUntilGone(client, meshes);
  await operator.stop();
  process.stderr.write(`${strategy}: ${(readyMs / 1000).toFixed(2)} s, ${JSON.stringify(counts)}\n`);
  const name = `upgrade of ${count} meshes by a minor, ${strategy}`;
  return [
    benchRow({ name: `${name}: to all Ready`, ours: readyMs / 1000, unit: 's' }),
    benchRow({ name: `${name}: writes a mesh`, ours: writesOf(counts) / count, unit: '' }),
    benchRow({
      name: `${name}: reads a mesh`,
      ours: readsOf(counts) / count,
      unit: '',
      // Whether what is deleted is gone, no cache can tell.
      goal: strategy === 'InPlace' ? 0 : undefined,
    }),
  ];
}

/** The old control plane goes while requests are counted. */
function graceOf(strategy: 'InPlace' | 'RevisionBased') {
  return strategy === 'RevisionBased' ? { gracePeriod: '1s' } : {};
}

function newer(mesh: MeshOperator): MeshOperator {
  return { ...mesh, spec: { ...mesh.spec, version: versions.newer } };
}
