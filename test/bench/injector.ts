/**
 * Our webhook and the injector of a real istiod, side by side: the same reviews, the same client, the same run.
 *
 *   node test/bench/injector.ts [--node-flags=--cpu-prof]
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveMesh } from '../../src/api/resolve.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { printProgress } from '../cluster/toolchain/progress.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { openUpstreamCharts } from '../support/upstream-charts.ts';
import { UpstreamInjector } from '../support/upstream-injector.ts';
import { BenchInjector } from './bench-injector.ts';
import { benchReviews } from './bench-reviews.ts';
import { type BenchRow, benchTable, meetsGoal, percentile } from './bench-table.ts';
import { cpuSeconds } from './cpu-time.ts';
import { memoryMb } from './process-memory.ts';
import { ReviewLoad } from './review-load.ts';

const bundle = resolve(import.meta.dirname, '../../dist/mesh-operator.js');
const namespace = 'istio-system';
const kubernetesMinor = 35;

const concurrencies: readonly number[] = [1, 8, 32];
const rounds = 6;
const roundMs = 1_500;
/** Both get faster while they run; so they run this long before anything is measured, */
const warmUpMs = 12_000;
/** and this long over the connections of each measurement. */
const settleMs = 1_000;

const latencyGoal = 5;
const cpuGoal = 2;
const memoryGoalMb = 150;

/** A webhook that is measured. */
interface Contestant {
  readonly pid: number;
  readonly port: number;
  readonly authority: { readonly caPem: string };
}

interface Contestants {
  readonly ours: Contestant;
  readonly theirs: Contestant;
}

/** What all rounds of one webhook at one concurrency have found. */
interface Findings {
  readonly latenciesMs: number[];
  cpuSeconds: number;
  wallSeconds: number;
}

/** Every review that both inject is sent, and each answer must be an injection. */
export async function benchInjector(nodeFlags: readonly string[] = []): Promise<BenchRow[]> {
  const name = `bench-injector-${process.pid}`;
  const cluster = await startCluster({ name, nodes: 'none', progress: printProgress });
  try {
    const theirs = await startUpstream(cluster);
    try {
      const mesh = resolveMesh(theirs.marked(aMeshOperator()));
      const configuration = JSON.stringify({ mesh, kubernetesMinor });
      const ours = await BenchInjector.start({ bundle, configuration, nodeFlags });
      try {
        return await measure({ ours, theirs });
      } finally {
        await ours.stop();
      }
    } finally {
      await theirs.stop();
    }
  } finally {
    await cluster.stop();
  }
}

async function startUpstream(cluster: Cluster): Promise<UpstreamInjector> {
  await cluster.kubectl('create', 'namespace', namespace);
  const charts = await openUpstreamCharts();
  return UpstreamInjector.start({ kubeconfig: cluster.kubeconfigPath, namespace, charts });
}

async function measure(contestants: Contestants): Promise<BenchRow[]> {
  const reviews = await warmUp(contestants);
  const rows: BenchRow[] = [];
  for (const concurrency of concurrencies) rows.push(...(await compare(contestants, reviews, concurrency)));
  const peakMb = await memoryMb(contestants.ours.pid, 'VmHWM');
  return [
    ...rows,
    { name: 'injection: peak memory of the injector', ours: peakMb, unit: 'MB', goal: memoryGoalMb },
  ];
}

/** Finds out which reviews both inject, and sends them for a while. */
async function warmUp({ ours, theirs }: Contestants): Promise<Buffer[]> {
  const loads = [ours, theirs].map((contestant) => openLoad(contestant, 8));
  const reviews: Buffer[] = [];
  for (const review of await benchReviews()) {
    const areInjected = await Promise.all(loads.map((load) => load.isInjected(review)));
    if (!areInjected.includes(false)) reviews.push(review);
  }
  for (const load of loads) await load.run(reviews, warmUpMs);
  await Promise.all(loads.map((load) => load.close()));
  return reviews;
}

function openLoad({ port, authority }: Contestant, connections: number): ReviewLoad {
  return new ReviewLoad({ port, caPem: authority.caPem, connections });
}

/** Rounds of both take turns, so that a busy machine slows both. */
async function compare(
  contestants: Contestants,
  reviews: readonly Buffer[],
  concurrency: number,
): Promise<BenchRow[]> {
  const ours = openSide(contestants.ours, concurrency);
  const theirs = openSide(contestants.theirs, concurrency);
  for (const { load } of [ours, theirs]) await load.run(reviews, settleMs);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of [ours, theirs]) await runRound(side, reviews);
  }
  for (const { load } of [ours, theirs]) await load.close();
  const figureRow = (what: string, unit: string, goal: number | undefined, figure: Figure): BenchRow => ({
    ...{ name: `injection, ${concurrency} at once: ${what}`, unit, goal, ours: figure(ours.findings) },
    baseline: { name: 'istiod', value: figure(theirs.findings), isRival: goal !== undefined },
  });
  return [
    figureRow('p50', 'ms', latencyGoal, ({ latenciesMs }) => percentile(latenciesMs, 0.5)),
    figureRow('p99', 'ms', latencyGoal, ({ latenciesMs }) => percentile(latenciesMs, 0.99)),
    figureRow('processor time each', 'ms', cpuGoal, cpuMsEach),
    figureRow('answers a second', '', undefined, answersPerSecond),
  ];
}

type Figure = (findings: Findings) => number;

function cpuMsEach(findings: Findings): number {
  return (findings.cpuSeconds * 1000) / findings.latenciesMs.length;
}

function answersPerSecond({ wallSeconds, latenciesMs }: Findings): number {
  return Math.round(latenciesMs.length / wallSeconds);
}

/** One webhook, the connections to it, and what was found. */
interface Side {
  readonly contestant: Contestant;
  readonly load: ReviewLoad;
  readonly findings: Findings;
}

function openSide(contestant: Contestant, concurrency: number): Side {
  const findings = { latenciesMs: [], cpuSeconds: 0, wallSeconds: 0 };
  return { contestant, load: openLoad(contestant, concurrency), findings };
}

async function runRound({ contestant, load, findings }: Side, reviews: readonly Buffer[]): Promise<void> {
  const cpuBefore = await cpuSeconds(contestant.pid);
  const startMs = performance.now();
  findings.latenciesMs.push(...(await load.run(reviews, roundMs)));
  findings.wallSeconds += (performance.now() - startMs) / 1000;
  findings.cpuSeconds += (await cpuSeconds(contestant.pid)) - cpuBefore;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { 'node-flags': { type: 'string', default: '' } } });
  const rows = await benchInjector(values['node-flags'].split(' ').filter((flag) => flag !== ''));
  process.stdout.write(benchTable(rows));
  if (!rows.every(meetsGoal)) process.exitCode = 1;
}
