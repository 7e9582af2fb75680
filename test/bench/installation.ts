import { readsOf, writesOf } from './audit-counts.ts';
import type { BenchCluster } from './bench-cluster.ts';
import {
  applyUntilReady,
  awaitNoPods,
  benchMeshes,
  createNamespaces,
  deleteUntilGone,
} from './bench-meshes.ts';
import type { BenchOperator } from './bench-operator.ts';
import { type BenchRow, benchRow } from './bench-table.ts';
import type { Floor } from './floor.ts';
import { awaitQuiet } from './quiet.ts';

/** Seconds the best rival needs for as many meshes, as published. */
const rivalSeconds: Readonly<Record<number, string>> = {
  1: '0.43 s',
  10: '8.9 s',
  50: '51 s (8 workers: 19 s)',
  100: '105 s',
};
const goalSeconds: Readonly<Record<number, number>> = { 50: 10, 100: 20 };
const goalMemoryMb: Readonly<Record<number, number>> = { 200: 150 };
/** The Secret of its authority, `cacerts`, and its kept spec: a plain loop of renderings has none of them. */
const besideObjects = 3;
/** Writes beyond objects that each mesh may cost: finalizer, status, inventory, events. */
const extraWritesGoal = 5;

/** Meshes that are Ready, and the operator that made them so. */
export interface Installation {
  readonly rows: readonly BenchRow[];
  readonly meshes: ReturnType<typeof benchMeshes>;
  readonly operator: BenchOperator;
}

/** Applies `count` meshes at once to a freshly started operator and reports time, requests and memory. */
export async function measureInstallation(
  bench: BenchCluster,
  count: number,
  floor: Floor | undefined,
  batch = `mesh-${count}`,
): Promise<Installation> {
  const { client, audit, apiServerCpuSeconds } = bench;
  const meshes = benchMeshes(batch, count);
  await createNamespaces(client, meshes);
  const operator = bench.startOperator();
  await operator.seen('Controllers run');
  await audit.take();
  const apiServerCpuBefore = await apiServerCpuSeconds();
  const readyMs = await applyUntilReady(client, meshes);
  const apiServerCpu = (await apiServerCpuSeconds()) - apiServerCpuBefore;
  const cpuSeconds = await operator.cpuSeconds();
  const counts = await awaitQuiet(audit);
  const peakMb = await operator.peakMemoryMb();
  const name = count === 1 ? '1 mesh' : `${count} meshes`;
  const extras = (counts.meshWrites + counts.eventWrites) / count;
  const objects = counts.objectWrites / count;
  const rows = [
    benchRow({
      name: `${name}: apply to all Ready`,
      ours: readyMs / 1000,
      unit: 's',
      goal: goalSeconds[count],
      baseline: floor === undefined ? undefined : { name: 'plain loop', value: floor.readyMs / 1000 },
      published: rivalSeconds[count],
    }),
    benchRow({
      name: `${name}: object writes a mesh`,
      ours: objects,
      unit: '',
      goal: floor === undefined ? undefined : floor.objectsPerMesh + besideObjects,
      published: count === 50 ? '45 writes' : undefined,
    }),
    benchRow({
      name: `${name}: status, finalizer and event writes a mesh`,
      ours: extras,
      unit: '',
      goal: extraWritesGoal,
    }),
    benchRow({
      name: `${name}: reads a mesh`,
      ours: readsOf(counts) / count,
      unit: '',
      goal: 0,
      published: count === 50 ? '135 reads' : undefined,
    }),
    benchRow({
      name: `${name}: peak memory of the operator`,
      ours: peakMb,
      unit: 'MB',
      goal: goalMemoryMb[count],
      published: count === 50 ? '118 MiB' : undefined,
    }),
    benchRow({ name: `${name}: processor time of the operator`, ours: cpuSeconds, unit: 's' }),
    benchRow({
      name: `${name}: processor time of the API server`,
      ours: apiServerCpu,
      unit: 's',
      baseline: floor === undefined ? undefined : { name: 'plain loop', value: floor.apiServerCpuSeconds },
    }),
  ];
  process.stderr.write(
    `${name}: ${(readyMs / 1000).toFixed(2)} s, ${JSON.stringify(counts)}, ${writesOf(counts) / count} writes a mesh, ` +
      `${peakMb.toFixed(0)} MB, ${cpuSeconds.toFixed(2)} s of processor time, API server ${apiServerCpu.toFixed(2)} s\n`,
  );
  return { rows, meshes, operator };
}

/** Deletes the meshes, waits until they are gone, and ends the operator. */
export async function removeInstallation(
  bench: BenchCluster,
  { meshes, operator }: Installation,
): Promise<BenchRow> {
  const goneMs = await deleteUntilGone(bench.client, meshes);
  await operator.stop();
  const batch = (meshes[0]?.metadata.namespace ?? '').replace(/-\d+$/, '');
  await awaitNoPods(bench.client, batch);
  return benchRow({
    name: `${meshes.length} meshes: delete to all gone`,
    ours: goneMs / 1000,
    unit: 's',
  });
}
