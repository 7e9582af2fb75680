/**
 * Rotations of the root among more and more simulated proxies, and what an authority costs that is not rotated.
 *
 *   node test/bench/rotation.ts [--proxies 10,100,1000] [--node-flags=--cpu-prof]
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { kindInfo } from '../../src/api/kinds.ts';
import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { rotateAnnotation } from '../../src/api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../src/api/mesh-operator-status.ts';
import { authoritySecretName } from '../../src/controllers/trust/authority-secret.ts';
import { names } from '../../src/injection/annotation-names.ts';
import { proxyContainerName } from '../../src/injection/pod.ts';
import { execFolder } from '../cluster/kwok.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { type AuditEntry, type RequestCounts, readsOf, requestsOf, sumOf, writesOf } from './audit-counts.ts';
import { type BenchCluster, startBenchCluster } from './bench-cluster.ts';
import { applyUntilReady, createNamespaces } from './bench-meshes.ts';
import type { BenchOperator } from './bench-operator.ts';
import { type Baseline, type BenchRow, benchTable, meetsGoal } from './bench-table.ts';
import { never, watchKinds } from './cluster-view.ts';
import { awaitQuiet } from './quiet.ts';
import { SimulatedMesh } from './simulated-mesh.ts';

const namespace = 'rotation';
const fieldManager = 'bench';
/** How many proxies there are, one size after the other; none may be smaller than the one before. */
const defaultSizes: readonly number[] = [10, 100, 1000];
const phases = ['Trusting', 'Signing', 'Distrusting'] as const;
const proxiesLimitMs = 300_000;
const rotationLimitMs = 600_000;
const restSeconds = 30;

/** No gateway, so that the proxies are those of `proxies` alone, and no soak: it would be all the time there is. */
const mesh: MeshOperator = {
  apiVersion: meshOperatorApiVersion,
  kind: meshOperatorKind,
  metadata: { name: 'mesh', namespace },
  spec: {
    ...{ profile: 'minimal', revision: namespace, sidecarInjector: { enabled: false } },
    certificateAuthority: { rotation: { soak: '0s' } },
  },
};
const meshId = idOf(mesh as unknown as KubernetesObject);

/** What one rotation has cost. */
interface RotationFigures {
  readonly proxies: number;
  /** As the status says it. */
  readonly seconds: number;
  readonly operatorCpuSeconds: number;
  readonly apiServerCpuSeconds: number;
  /** Of each phase, with the write that ends it. */
  readonly phases: readonly RequestCounts[];
  /** Of all of it: from the request until the operator is quiet again. */
  readonly total: RequestCounts;
}

/** All of it, on a cluster of its own. */
export async function benchRotation(
  nodeFlags: readonly string[] = [],
  sizes: readonly number[] = defaultSizes,
): Promise<BenchRow[]> {
  const bench = await startBenchCluster({ nodeFlags, canExec: true });
  try {
    const { client, cluster } = bench;
    await createNamespaces(client, [mesh]);
    const folder = execFolder(cluster.rundir);
    const simulated = await SimulatedMesh.start({ client, namespace, execFolder: folder });
    try {
      return await measure(bench, sizes);
    } finally {
      await simulated.stop();
    }
  } finally {
    await bench.stop();
  }
}

async function measure(bench: BenchCluster, sizes: readonly number[]): Promise<BenchRow[]> {
  const operator = bench.startOperator();
  await operator.seen('Controllers run');
  await applyUntilReady(bench.client, [mesh]);
  const rotations: RotationFigures[] = [];
  for (const size of sizes) rotations.push(await measureRotation(bench, operator, size));
  const rest = await measureRest(bench, operator, sizes.at(-1) ?? 0);
  await operator.stop();
  return [...rotationRows(rotations), ...rest];
}

async function measureRotation(
  bench: BenchCluster,
  operator: BenchOperator,
  proxies: number,
): Promise<RotationFigures> {
  const { audit, apiServerCpuSeconds } = bench;
  await runProxies(bench, proxies);
  await awaitQuiet(audit);
  const ofPhases = audit.fork();
  const cpuBefore = await Promise.all([operator.cpuSeconds(), apiServerCpuSeconds()]);
  const seconds = await rotate(bench, `root/${proxies}`);
  const cpuAfter = await Promise.all([operator.cpuSeconds(), apiServerCpuSeconds()]);
  await awaitQuiet(audit);
  const parts = await ofPhases.takeParts(isAuthorityWrite);
  const [, ...ofEach] = parts.slice(0, -1); // the first ends with the write that begins the rotation
  const figures = {
    ...{ proxies, seconds, phases: ofEach, total: sumOf(parts) },
    operatorCpuSeconds: cpuAfter[0] - cpuBefore[0],
    apiServerCpuSeconds: cpuAfter[1] - cpuBefore[1],
  };
  process.stderr.write(`rotation: ${JSON.stringify(figures)}\n`);
  if (ofEach.length !== phases.length || ofEach.some(({ execs }) => execs <= proxies)) {
    throw new Error(
      `a rotation has ${phases.length} phases, and each asks all ${proxies} proxies and istiod`,
    );
  }
  return figures;
}

/** As many as asked for, and running. */
async function runProxies({ client }: BenchCluster, count: number): Promise<void> {
  const labels = { app: 'proxies', [names.revision]: namespace };
  const deployment: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'proxies', namespace },
    spec: {
      replicas: count,
      selector: { matchLabels: { app: 'proxies' } },
      template: {
        metadata: { labels, annotations: { [names.status]: JSON.stringify({ revision: namespace }) } },
        spec: { containers: [proxyContainerName, 'app'].map((name) => ({ name, image: name })) },
      },
    },
  };
  const id = idOf(deployment);
  const view = await watchKinds(client, [kindInfo(id.apiVersion, id.kind)]);
  try {
    await client.apply(deployment, { fieldManager }, never);
    await view.until(`${count} proxies run`, proxiesLimitMs, () => {
      const { readyReplicas } = (view.get(id)?.status ?? {}) as { readyReplicas?: number };
      return readyReplicas === count ? true : undefined;
    });
  } finally {
    await view.close();
  }
}

/** Asks for it as a person does, and returns the seconds that it took once it has ended. */
async function rotate({ client }: BenchCluster, request: string): Promise<number> {
  const view = await watchKinds(client, [kindInfo(meshOperatorApiVersion, meshOperatorKind)]);
  const last = () => {
    const { certificateAuthority } = (view.get(meshId)?.status ?? {}) as MeshOperatorStatus;
    return certificateAuthority?.phase === 'Stable' ? certificateAuthority.lastRotation : undefined;
  };
  try {
    const before = last()?.finishedAt;
    const merge = { metadata: { annotations: { [rotateAnnotation]: request } } };
    await client.patch(meshId, { type: 'merge', merge }, { fieldManager }, never);
    return await view.until('the rotation has ended', rotationLimitMs, () => {
      const rotation = last();
      return rotation?.finishedAt === before ? undefined : rotation?.seconds;
    });
  } finally {
    await view.close();
  }
}

/** Each step of a rotation is one. */
function isAuthorityWrite({ verb, objectRef }: AuditEntry): boolean {
  return (
    verb === 'patch' &&
    objectRef?.resource === 'secrets' &&
    objectRef.namespace === operatorNamespace &&
    objectRef.name === authoritySecretName(namespace)
  );
}

/** An authority that is Stable: what the operator asks and needs while nothing happens. */
async function measureRest(
  { audit }: BenchCluster,
  operator: BenchOperator,
  proxies: number,
): Promise<BenchRow[]> {
  await awaitQuiet(audit);
  const startMs = performance.now();
  const cpuBefore = await operator.cpuSeconds();
  await wait(restSeconds * 1000);
  const cpuSeconds = (await operator.cpuSeconds()) - cpuBefore;
  const share = (100 * 1000 * cpuSeconds) / (performance.now() - startMs);
  const name = `authority at rest, ${proxies} proxies`;
  return [
    {
      name: `${name}: requests in ${restSeconds} s`,
      ours: requestsOf(await audit.take()),
      unit: '',
      goal: 0,
    },
    { name: `${name}: share of one processor`, ours: share, unit: '%' },
  ];
}

/** Each size beside the smallest. */
function rotationRows(rotations: readonly RotationFigures[]): BenchRow[] {
  const [smallest, ...larger] = rotations;
  if (smallest === undefined) return [];
  return [
    ...rowsOf(smallest, () => undefined),
    ...larger.flatMap((figures) =>
      rowsOf(figures, (figureOf) => ({ name: `${smallest.proxies} proxies`, value: figureOf(smallest) })),
    ),
    ...larger.slice(-1).map((largest) => ({
      name: `root rotation: each proxy beyond ${smallest.proxies}, of ${largest.proxies}`,
      ours: (1000 * (largest.seconds - smallest.seconds)) / (largest.proxies - smallest.proxies),
      unit: 'ms',
    })),
  ];
}

type Figure = (figures: RotationFigures) => number;

function rowsOf(figures: RotationFigures, beside: (figure: Figure) => Baseline | undefined): BenchRow[] {
  const name = `root rotation, ${figures.proxies} proxies`;
  const compared = (what: string, figure: Figure): BenchRow => ({
    ...{ name: `${name}: ${what}`, ours: figure(figures), unit: 's', baseline: beside(figure) },
  });
  return [
    compared('all phases', ({ seconds }) => seconds),
    ...figures.phases.flatMap((counts, index) => [
      { name: `${name}: commands in pods, ${phases[index]}`, ours: counts.execs, unit: '' },
      { name: `${name}: writes, ${phases[index]}`, ours: writesOf(counts), unit: '' },
    ]),
    { name: `${name}: reads`, ours: readsOf(figures.total), unit: '', goal: 0 },
    compared('processor time of the operator', ({ operatorCpuSeconds }) => operatorCpuSeconds),
    compared('processor time of the API server', ({ apiServerCpuSeconds }) => apiServerCpuSeconds),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      proxies: { type: 'string', default: defaultSizes.join() },
      'node-flags': { type: 'string', default: '' },
    },
  });
  const nodeFlags = values['node-flags'].split(' ').filter((flag) => flag !== '');
  const rows = await benchRotation(nodeFlags, values.proxies.split(',').map(Number));
  process.stdout.write(benchTable(rows));
  if (!rows.every(meetsGoal)) process.exitCode = 1;
}
