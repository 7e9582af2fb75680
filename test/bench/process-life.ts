import { readsOf, writesOf } from './audit-counts.ts';
import type { BenchCluster } from './bench-cluster.ts';
import type { BenchOperator } from './bench-operator.ts';
import { type BenchRow, benchRow, median } from './bench-table.ts';
import { awaitQuiet } from './quiet.ts';

const starts = 3;
const handoverGoalSeconds = 2;

/** The line that the controller writes after each pass, and the one for an object that it wrote. */
const passEnded = 'Reconciled';

/**
 * Ends the operator and starts it again among its meshes: the time of a cold start, and what it asks until it is
 * quiet. Returns the operator that runs then.
 */
export async function measureStart(
  bench: BenchCluster,
  operator: BenchOperator,
  meshes: number,
): Promise<{ readonly rows: readonly BenchRow[]; readonly operator: BenchOperator }> {
  const times: number[] = [];
  let running = operator;
  let counts = await awaitQuiet(bench.audit);
  for (let round = 0; round < starts; round += 1) {
    await running.stop();
    await bench.audit.take();
    running = bench.startOperator({ logLevel: 'debug' });
    times.push(await running.msUntil(passEnded));
    counts = await awaitQuiet(bench.audit);
  }
  const rows = [
    benchRow({
      name: `start of the process to its first pass (${meshes} meshes)`,
      ours: median(times) / 1000,
      unit: 's',
    }),
    benchRow({
      name: 'restart: lists, one for each watched kind',
      ours: counts.lists,
      unit: '',
    }),
    benchRow({ name: 'restart: other reads', ours: readsOf(counts) - counts.lists, unit: '', goal: 0 }),
    benchRow({ name: "restart: reads of the API server's version", ours: counts.versionReads, unit: '' }),
    benchRow({ name: 'restart: writes', ours: writesOf(counts), unit: '', goal: 0 }),
    benchRow({
      name: `memory after a restart (${meshes} meshes)`,
      ours: await running.memoryMb(),
      unit: 'MB',
    }),
  ];
  return { rows, operator: running };
}

/** Starts a second replica, ends the first by SIGTERM, and returns the replica that runs then. */
export async function measureHandover(
  bench: BenchCluster,
  leader: BenchOperator,
): Promise<{ readonly rows: readonly BenchRow[]; readonly operator: BenchOperator }> {
  const standby = bench.startOperator({ identity: 'bench-standby', logLevel: 'debug' });
  await standby.seen('Listed');
  await awaitQuiet(bench.audit);
  const startMs = performance.now();
  leader.terminate();
  const firstPassMs = await standby.seen(passEnded);
  await leader.stop();
  const row = benchRow({
    name: 'SIGTERM of the leader to the first pass of the other replica',
    ours: (firstPassMs - startMs) / 1000,
    unit: 's',
    goal: handoverGoalSeconds,
    published: '16 s',
  });
  return { rows: [row], operator: standby };
}
