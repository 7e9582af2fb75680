import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { applyUntilReady, benchMeshes, createNamespaces, deleteUntilGone } from './bench-meshes.ts';
import { type BenchRow, benchRow, median } from './bench-table.ts';

/** As a person's shell finds it by the bundle's first line, without the flags of the image, which is for a process that stays. */
const node = resolve(import.meta.dirname, '../../node_modules/node/bin/node');

const gateways = 10;
const rounds = 7;
const goalSeconds = 1;

/**
 * How long a person waits for `render` and `diff` of a mesh with ten gateways, from the start of the process to its end.
 * The mesh is there, and each of its pods would be changed.
 */
export async function benchVerbs(bench: BenchCluster): Promise<BenchRow[]> {
  const [mesh] = benchMeshes('verbs', 1).map(withGateways) as [MeshOperator];
  await createNamespaces(bench.client, [mesh]);
  const operator = bench.startOperator();
  await operator.seen('Controllers run');
  await applyUntilReady(bench.client, [mesh]);
  const file = join(bench.cluster.rundir, 'verbs.json');
  await writeFile(file, JSON.stringify({ ...mesh, spec: { ...mesh.spec, tag: 'bench' } }));
  const { kubeconfigPath } = bench.cluster;
  const rendered: number[] = [];
  const compared: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rendered.push(await secondsOf(bench, ['render', '-f', file], 0));
    compared.push(await secondsOf(bench, ['diff', '-f', file, '--kubeconfig', kubeconfigPath], 1));
  }
  await deleteUntilGone(bench.client, [mesh]);
  await operator.stop();
  const row = (verb: string, seconds: readonly number[]) =>
    benchRow({
      name: `${verb} of a mesh with ${gateways} gateways`,
      ours: median(seconds),
      unit: 's',
      goal: goalSeconds,
    });
  return [row('render', rendered), row('diff', compared)];
}

function withGateways(mesh: MeshOperator): MeshOperator {
  const ingressGateways = Array.from({ length: gateways }, (_, index) => ({ name: `gateway-${index}` }));
  return { ...mesh, spec: { ...mesh.spec, components: { ingressGateways } } };
}

/** Seconds that a verb takes; throws when it does not end with the code that it should. */
async function secondsOf(
  { bundle }: BenchCluster,
  args: readonly string[],
  expected: number,
): Promise<number> {
  const startMs = performance.now();
  const child = spawn(node, [bundle, ...args], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== expected) throw new Error(`mesh-operator ${args[0]} has ended with ${code}`);
  return (performance.now() - startMs) / 1000;
}
