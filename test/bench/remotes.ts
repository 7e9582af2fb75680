/**
 * One mesh with many other clusters: how long until its istiod reads all of them, what they cost while nothing happens, and
 * how soon a change takes effect.
 *
 *   node test/bench/remotes.ts [--remotes 20] [--node-flags=--cpu-prof]
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { rotateRemotesAnnotation } from '../../src/api/labels.ts';
import type { RemoteStatus } from '../../src/api/mesh-operator-status.ts';
import { signal } from '../cluster/process-identity.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { RemoteCluster } from '../support/remote-cluster.ts';
import { AuditCounter, type AuditEntry, countsOf, requestsOf } from './audit-counts.ts';
import type { BenchOperator } from './bench-operator.ts';
import { type Baseline, type BenchRow, benchTable, median, meetsGoal } from './bench-table.ts';
import { cpuSeconds } from './cpu-time.ts';
import { measureFollower } from './follower.ts';
import { MeshOfClusters, namespace, remoteName } from './mesh-of-clusters.ts';
import { isRefused, measurePlainConnections, type PlainConnections } from './plain-connections.ts';
import { memoryMb } from './process-memory.ts';

const defaultCount = 20;
/** Each cluster is asked once in it: it begins half a minute after they were, and they are asked each minute. */
const idleMs = 60_000;
const settleMs = 30_000;
const moves = 5;
const refusalLimitMs = 300_000;
const goalMemoryMb = 150;

/** All of it, on clusters of its own. */
export async function benchRemotes(
  nodeFlags: readonly string[] = [],
  count = defaultCount,
): Promise<BenchRow[]> {
  const world = await MeshOfClusters.start(count, nodeFlags);
  try {
    const plain = await measurePlainConnections(world);
    const operator = world.bench.startOperator();
    await operator.seen('Controllers run');
    const rows = [
      await measureConnection(world, plain),
      ...(await measureIdle(world, operator)),
      await measureMoves(world),
      ...(await measureRefresh(world, plain)),
      {
        name: `${count} other clusters: peak memory of the operator`,
        ...{ ours: await operator.peakMemoryMb(), unit: 'MB', goal: goalMemoryMb },
      },
      await measureFollower(world.bench, world.remotes[0] as RemoteCluster),
    ];
    await operator.stop();
    return rows;
  } finally {
    await world.stop();
  }
}

async function measureConnection(world: MeshOfClusters, plain: PlainConnections): Promise<BenchRow> {
  const names = namesOf(world);
  // Where there is no replica of istiod yet, nobody has to read anything.
  await world.applyAlone();
  const startMs = performance.now();
  await world.apply();
  await world.untilRemotes('every other cluster is connected', names, isConnected);
  return {
    ...seconds(`${names.length} other clusters: named to all Ready`, performance.now() - startMs),
    ...{ baseline: plainLoop(plain.connectedMs), goalRatio: 3 },
  };
}

/** What is asked while nothing happens, as the admin whom the Secrets of the mesh name and as istiod's reader. */
async function measureIdle(world: MeshOfClusters, operator: BenchOperator): Promise<BenchRow[]> {
  const { audit } = world.bench;
  await wait(settleMs);
  const counters = world.remotes.map(countersOf);
  await Promise.all([audit.take(), ...counters.flat().map((counter) => counter.takeEntries())]);
  const processorTimes = () => Promise.all([operator.cpuSeconds(), cpuSeconds(world.istiodPid)]);
  const before = await processorTimes();
  await wait(idleMs);
  const [share = 0, istiodShare = 0] = (await processorTimes()).map(
    (seconds, index) => (100 * (seconds - (before[index] ?? 0))) / (idleMs / 1000),
  );
  const entries = (await Promise.all(counters.flat().map((counter) => counter.takeEntries()))).flat();
  const asked = entries.filter(
    ({ verb, userAgent = '' }) => verb !== 'watch' && !userAgent.startsWith('pilot-discovery'),
  );
  const perMinute = (world.remotes.length * idleMs) / 60_000;
  const own = await audit.takeEntries();
  describe('asked of others', asked, perMinute);
  describe('asked of the own API server', own, perMinute);
  const name = `${world.remotes.length} other clusters at rest`;
  return [
    { name: `${name}: requests to each in a minute`, ours: asked.length / perMinute, unit: '', goal: 6 },
    {
      name: `${name}: requests to the own API server for each in a minute`,
      ...{ ours: requestsOf(countsOf(own)) / perMinute, unit: '', goal: 0.5 },
    },
    {
      ...{ name: `${name}: share of one processor`, ours: share, unit: '%', goal: 3 },
      baseline: { name: 'istiod', value: istiodShare },
    },
    {
      ...{
        name: `${name}: memory of the operator`,
        ours: await operator.memoryMb(),
        unit: 'MB',
        goalRatio: 1,
      },
      baseline: { name: 'istiod', value: await memoryMb(world.istiodPid, 'VmRSS') },
    },
  ];
}

/** Which requests those are, for whoever looks where they come from. */
function describe(what: string, entries: readonly AuditEntry[], perMinute: number): void {
  const counts = new Map<string, number>();
  for (const { verb, objectRef, requestURI } of entries) {
    const key = `${verb} ${objectRef?.resource ?? requestURI}${objectRef?.name === undefined ? '' : ` ${objectRef.name}`}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const lines = [...counts].sort(([, a], [, b]) => b - a).slice(0, 15);
  process.stderr.write(
    `${what}: ${lines.map(([key, count]) => `${key} ${(count / perMinute).toFixed(2)}`).join(', ')}\n`,
  );
}

/** By whom the operator asks another cluster. */
function countersOf({ cluster }: RemoteCluster): AuditCounter[] {
  const path = cluster.auditLogPath ?? '';
  const reader = `system:serviceaccount:${namespace}:istio-reader-home`;
  return [new AuditCounter(path, 'admin'), new AuditCounter(path, reader)];
}

async function measureMoves(world: MeshOfClusters): Promise<BenchRow> {
  const times: Awaited<ReturnType<MeshOfClusters['moveGateway']>>[] = [];
  for (let move = 0; move < moves; move += 1) {
    times.push(await world.moveGateway(move % world.remotes.length, `192.0.2.${move + 1}`));
  }
  const name = 'address of a gateway in another cluster: change until istiod has it';
  return {
    ...{ ...seconds(name, median(times.map(({ istiodMs }) => istiodMs))), goal: 1 },
    baseline: { name: 'plain watch', value: median(times.map(({ watchMs }) => watchMs)) / 1000 },
  };
}

/** All at once, first with every cluster alive, then with one that takes connections and never answers. */
async function measureRefresh(world: MeshOfClusters, plain: PlainConnections): Promise<BenchRow[]> {
  const names = namesOf(world);
  const [dead = '', ...others] = names.toReversed();
  const allMs = await refresh(world, names, 'all');
  const pid = world.remotes.at(-1)?.cluster.serverPid('kube-apiserver') ?? 0;
  signal(pid, 'SIGSTOP');
  try {
    await world.untilRemotes(
      'the dead cluster is known to be',
      [dead],
      ({ state }) => state === 'Unreachable',
    );
    const othersMs = await refresh(world, others, 'others');
    return [
      {
        ...seconds(`${names.length} other clusters: new tokens for all until each old one is refused`, allMs),
        ...{ baseline: plainLoop(plain.refreshedMs), goalRatio: 2 },
      },
      {
        ...seconds(
          `one of ${names.length} other clusters dead: new tokens until each old one of the others is refused`,
          othersMs,
        ),
        ...{ baseline: { name: 'all alive', value: allMs / 1000 }, goalRatio: 1.25 },
      },
    ];
  } finally {
    signal(pid, 'SIGCONT');
  }
}

/** Asks for new tokens and returns the milliseconds until these clusters refuse each of the old ones. */
async function refresh(world: MeshOfClusters, names: readonly string[], request: string): Promise<number> {
  const before = await world.readers(names);
  const startMs = performance.now();
  await world.annotate({ [rotateRemotesAnnotation]: request });
  for (const [name, reader] of before) {
    const options = { what: `${name} refuses the old token`, limitMs: refusalLimitMs, intervalMs: 500 };
    await waitUntil(options, () => isRefused(reader));
  }
  const tookMs = performance.now() - startMs;
  await world.untilRemotes('every other cluster is connected', names, isConnected);
  return tookMs;
}

function isConnected({ state, reason }: RemoteStatus): boolean {
  return state === 'Ready' && reason === 'Connected';
}

function plainLoop(ms: number): Baseline {
  return { name: 'plain loop', value: ms / 1000 };
}

function namesOf({ remotes }: MeshOfClusters): string[] {
  return remotes.map((_, index) => remoteName(index));
}

function seconds(name: string, ms: number): BenchRow {
  process.stderr.write(`${name}: ${(ms / 1000).toFixed(2)} s\n`);
  return { name, ours: ms / 1000, unit: 's' };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      remotes: { type: 'string', default: String(defaultCount) },
      'node-flags': { type: 'string', default: '' },
    },
  });
  const nodeFlags = values['node-flags'].split(' ').filter((flag) => flag !== '');
  const rows = await benchRemotes(nodeFlags, Number(values.remotes));
  process.stdout.write(benchTable(rows));
  if (!rows.every(meetsGoal)) process.exitCode = 1;
}
