/**
 * Measures the operator on a cluster with simulated nodes, and its webhook beside istiod's, and prints one table; see
 * docs/reference/performance.md.
 *
 *   node test/bench/main.ts [--sizes 1,10,50] [--skip render,injector,rotation,remotes,verbs,upgrade,floor,drift,idle,life,tenants]
 *     [--node-flags=--cpu-prof]
 *
 * A missed goal is marked in the table; the exit code says only whether everything could be measured.
 * With BENCH_WRITE=1 the table is also written to docs/reference/performance.md.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchCluster, requestsAtOnce, startBenchCluster } from './bench-cluster.ts';
import { type BenchRow, benchMarkdown, benchTable } from './bench-table.ts';
import { measureDrift } from './drift.ts';
import { measureFloor } from './floor.ts';
import { measureIdle } from './idle.ts';
import { benchInjector } from './injector.ts';
import { type Installation, measureInstallation, removeInstallation } from './installation.ts';
import { measureHandover, measureStart } from './process-life.ts';
import { benchRemotes } from './remotes.ts';
import { benchRender } from './render.ts';
import { benchRotation } from './rotation.ts';
import { benchTenants } from './tenants.ts';
import { benchUpgrade } from './upgrade.ts';
import { benchVerbs } from './verbs.ts';

const page = resolve(import.meta.dirname, '../../docs/reference/performance.md');

/** Where the meshes stay for the measurements of daily life. */
const lifeSize = 50;
const floorSizes: readonly number[] = [50, 100];

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,10,50,100,200' },
    skip: { type: 'string', default: '' },
    'node-flags': { type: 'string', default: '' },
  },
});
const skipped = new Set(flags.skip.split(','));
const nodeFlags = flags['node-flags'].split(' ').filter((flag) => flag !== '');

const rows: BenchRow[] = [
  ...(await part('render', () => benchRender())),
  ...(await part('injector', () => benchInjector())),
  ...(await part('rotation', () => benchRotation(nodeFlags))),
  ...(await part('remotes', () => benchRemotes(nodeFlags))),
];
const bench = await startBenchCluster({ nodeFlags });
try {
  await warmUp(bench);
  rows.push(...(await part('verbs', () => benchVerbs(bench))));
  rows.push(...(await part('upgrade', () => benchUpgrade(bench))));
  for (const size of flags.sizes.split(',').filter((size) => size !== ''))
    rows.push(...(await part(`${size} meshes`, () => measureSize(bench, Number(size)))));
  // The last, since its namespaces stay.
  rows.push(...(await part('tenants', () => benchTenants(bench))));
} finally {
  await bench.stop();
}
process.stdout.write(`${machine()}\n\n${benchTable(rows)}`);
if (process.env.BENCH_WRITE === '1') await writeFile(page, pageText(rows));

/** What a part measures, unless it is skipped; says how long it took. */
async function part(name: string, measure: () => Promise<BenchRow[]>): Promise<BenchRow[]> {
  if (skipped.has(name)) return [];
  const startMs = performance.now();
  const measured = await measure();
  progress(`${name}: measured in ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  return measured;
}

/** One mesh beforehand: it brings Istio's CRDs, which belong to the cluster, and warms up the API server. */
async function warmUp(cluster: BenchCluster): Promise<void> {
  await removeInstallation(cluster, await measureInstallation(cluster, 1, undefined, 'warm-up'));
}

async function measureSize(cluster: BenchCluster, size: number): Promise<BenchRow[]> {
  const hasFloor = !skipped.has('floor') && floorSizes.includes(size);
  const floor = hasFloor ? await measureFloor(cluster, size) : undefined;
  if (floor !== undefined) progress(`plain loop for ${size}: ${JSON.stringify(floor)}`);
  let installation = await measureInstallation(cluster, size, floor);
  const measured = [...installation.rows];
  if (size === lifeSize) {
    const life = await measureLife(cluster, installation);
    measured.push(...life.rows);
    installation = { ...installation, operator: life.operator };
  }
  measured.push(await removeInstallation(cluster, installation));
  return measured;
}

/** What happens to meshes that are there. */
async function measureLife(cluster: BenchCluster, { meshes, operator }: Installation) {
  const measured: BenchRow[] = [];
  if (!skipped.has('idle')) measured.push(...(await measureIdle(cluster, meshes)));
  if (!skipped.has('drift')) measured.push(...(await measureDrift(cluster)));
  if (skipped.has('life')) return { rows: measured, operator };
  const started = await measureStart(cluster, operator, meshes.length);
  const handedOver = await measureHandover(cluster, started.operator);
  return { rows: [...measured, ...started.rows, ...handedOver.rows], operator: handedOver.operator };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function machine(): string {
  const [cpu] = cpus();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[2]?.toFixed(1);
  return `${cpus().length} processors (${cpu?.model.trim() ?? 'unknown'}), ${memoryGb} GB of memory, load average ${load}`;
}

function pageText(table: readonly BenchRow[]): string {
  return `<!-- Written by \`BENCH_WRITE=1 make bench\`; do not edit. -->
# Performance

One run on ${machine()}: the operator, a real API server, etcd, controller manager, scheduler and KWOK share them, and what else runs there:
a load average far above the number of processors means that times say little and ratios and counts say more.
Each mesh has a namespace, a revision and an ingress gateway of its own, and all are applied at once. They have no sidecar injector: simulated nodes run none that could answer.

- "plain loop": the same objects, but for the two Secrets of the certificate authority, written by a loop of server-side applies with ${requestsAtOnce} requests at once, without an operator, until the Deployments are available and the balanced Services have addresses. No operator can be faster on the same machine; the ratio is what ours adds.
- "helm": \`helm template\` of Istio's own charts for the same objects.
- "istiod": the injector of a real istiod, asked for the same injections by the same client over HTTPS with connections that stay open, a second and a half at a time in turn with ours; both run as they are deployed, without limits of processor time. What the client needs itself is in the times of both. Each pod differs from the next: a Deployment's, and those of the golden injections.
- Rotations: one mesh with one istiod, and no soak, which would be nearly all of the time. Proxies and istiod are simulated: whoever is asked answers at once, by a program that KWOK starts on this machine, and all of them take up a new bundle at once. So the time is what the operator, the API server and KWOK need for the questions, with up to half a second a phase before the operator looks again; real proxies need theirs besides, and answer on nodes of their own.
- Tenants: each has a control plane and a gateway of its own, and ten namespaces with a quota, which are there before.
- Other clusters: each is an API server with etcd and nothing else, all on this machine. The istiod of the mesh is a real one beside its simulated pod; commands in that pod ask it, by a program that costs little. Their "plain loop" makes the requests that connect them, or replace their tokens, once and for all clusters at once, without an operator, its status, and any look whether istiod uses a token before the one of before is taken back. An API server keeps a token that it has accepted for ten seconds, so no old one is refused sooner. The dead one takes connections and never answers. Requests to other clusters are those of the operator, whoever it is there; istiod's own are left out. At rest the operator is compared with the istiod that reads the same clusters. A cluster that follows has an operator of its own; there the plain loop hands the address on by two watches and the same two writes.
- "rival, as published": not measured in this run; figures that were published for the best other operator on machines of this size.
- Requests are counted in the API server's audit log; watches, the renewals of the operator's Lease and its one read of the API server's version in ten minutes are left out.

${benchMarkdown(table)}`;
}
