/**
 * How long one default mesh takes from MeshOperator to objects, against `helm template` of Istio's own charts.
 *
 *   node test/bench/render.ts
 */
import { dump } from 'js-yaml';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';
import { aRenderContext } from '../support/render-context.ts';
import { openUpstreamCharts, type UpstreamCharts } from '../support/upstream-charts.ts';
import { type BenchRow, benchRow, benchTable, median, meetsGoal } from './bench-table.ts';

const rounds = 15;
/** Renders per round: one alone is too short to time. */
const repeats = 50;
const goal = 20;

const mesh: MeshOperator = {
  apiVersion: 'meshoperator.dev/v1alpha1',
  kind: 'MeshOperator',
  metadata: { name: 'mesh', namespace: 'istio-system' },
};

/**
 * Together they make the objects that we render: what we have no use for is switched off.
 * CRDs are left out on both sides, since nothing is rendered in them.
 */
const charts: readonly { readonly chart: string; readonly values: JsonObject }[] = [
  { chart: 'base', values: { base: { enableIstioConfigCRDs: false } } },
  {
    chart: 'istio-control/istio-discovery',
    values: {
      global: { omitSidecarInjectorConfigMap: true, operatorManageWebhooks: true },
      env: { PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: 'false' },
    },
  },
  { chart: 'gateways/istio-ingress', values: {} },
];

/**
 * Rounds of both sides take turns, so that a busy machine slows both; each figure is the median of the rounds.
 * The second row leaves out what helm's processes need to start, which a library would not.
 */
export async function benchRender(): Promise<BenchRow[]> {
  const upstream = await openUpstreamCharts();
  const times: { ours: number; printed: number; theirs: number; started: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    times.push({
      ours: (await millisecondsOf(() => repeat(repeats, renderOurs))) / repeats,
      printed: (await millisecondsOf(() => repeat(repeats, printOurs))) / repeats,
      theirs: await millisecondsOf(() => renderTheirs(upstream)),
      started: await millisecondsOf(() => startTheirs(upstream)),
    });
  }
  const warm = times.slice(1); // the first round warms up both sides
  const ours = median(warm.map((time) => time.ours));
  const printed = median(warm.map((time) => time.printed));
  const theirs = median(warm.map((time) => time.theirs));
  const net = theirs - median(warm.map((time) => time.started));
  const name = 'render a default mesh';
  return [
    benchRow({
      name: `${name}: objects, against helm template`,
      ours,
      rival: theirs,
      goal,
      unit: 'ms',
    }),
    benchRow({
      name: `${name}: YAML text, against helm template`,
      ours: printed,
      rival: theirs,
      goal,
      unit: 'ms',
    }),
    benchRow({
      name: `${name}: YAML text, helm's start-up left out`,
      ours: printed,
      rival: net,
      goal,
      unit: 'ms',
    }),
  ];
}

function renderOurs() {
  return renderMesh(resolveMesh(mesh), aRenderContext()).flatMap((wave) => wave.objects);
}

function printOurs(): string {
  return renderOurs()
    .map((object) => dump(object))
    .join('---\n');
}

async function renderTheirs(upstream: UpstreamCharts): Promise<void> {
  for (const { chart, values } of charts) {
    await upstream.template({ chart, values, release: 'istio', namespace: 'istio-system' });
  }
}

async function startTheirs(upstream: UpstreamCharts): Promise<void> {
  for (const _ of charts) await upstream.start();
}

function repeat(times: number, work: () => unknown): void {
  for (let i = 0; i < times; i += 1) work();
}

async function millisecondsOf(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

if (import.meta.main) {
  const rows = await benchRender();
  process.stdout.write(benchTable(rows));
  if (!rows.every(meetsGoal)) process.exitCode = 1;
}
