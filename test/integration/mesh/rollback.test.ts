import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import type { MeshOperator } from '../../../src/api/mesh-operator.ts';
import { type RollbackOptions, rollback } from '../../../src/cli/rollback.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { runCli } from '../../support/run-cli.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

let world: MeshCluster;
let mesh: TestMesh;
let first: unknown;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.startOperator();
  mesh = await world.createMesh();
  await mesh.until('Ready');
  first = await specNow();
});

afterAll(() => world?.close());

test('a mesh that has had one spec alone has none to return to', async () => {
  expect(await run({ yes: true })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There is not an earlier spec .* kept are generation 1 \(Istio 1\.31/),
  });
});

test('it returns to the spec in which it was Ready last, and to the one from before that', async () => {
  await mesh.change({ meshConfig: { accessLogFile: '/dev/stdout' } });
  await mesh.until('Ready');
  const second = await specNow();
  // Never Ready, so nothing to return to.
  await mesh.change({ components: { pilot: { k8s: { nodeSelector: { 'example.com/none': 'here' } } } } });
  await mesh.until('Reconciling');

  const back = await run({ yes: true });

  expect(back).toMatchObject({ code: 0, stderr: '' });
  expect(back.stdout).toContain('returns to generation 2');
  expect(back.stdout).toMatch(/- spec\.components: /);
  await mesh.until('Ready');
  expect(await specNow()).toEqual(second);

  expect((await run({ yes: true })).stdout).toContain('returns to generation 1');
  await mesh.until('Ready');
  expect(await specNow()).toEqual(first);
  const { history = [] } = await mesh.status();
  expect(history.map(({ generation }) => generation)).toEqual([5, 4]);
  expect(await keptNames()).toEqual(history.map(({ name }) => name).sort());
});

test('nothing is done when the answer is no, nor for a generation that is not kept', async () => {
  const { metadata } = await mesh.read();

  expect(await run({}, 'no\n')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Nothing was done'),
  });
  expect(await run({ to: '99', yes: true })).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('another spec of generation 99') },
  });
  // Its status may have been written meanwhile.
  expect((await mesh.read()).metadata.generation).toBe(metadata.generation);
});

test('a spec that is changed while the question is asked is left alone', async () => {
  const { name, namespace } = mesh.key;
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const asked = once(terminal.stderr, 'data');
  const options = { namespace, kubeconfig: world.cluster.kubeconfigPath };
  const code = rollback(name, options, terminal);
  expect(String(await asked)).toBe(`Type ${name} to go on: `);

  await mesh.change({ meshConfig: { accessLogEncoding: 'JSON' } });
  terminal.stdin.end(`${name}\n`);

  expect(await code).toBe(1);
  expect(await specNow()).toMatchObject({ meshConfig: { accessLogEncoding: 'JSON' } });
});

test('who applies the spec from elsewhere is named', async () => {
  const { apiVersion, kind, name } = mesh.id;
  const metadata = { name, namespace: mesh.key.namespace };
  const spec = { meshConfig: { enableTracing: true } };
  await world.client.apply({ apiVersion, kind, metadata, spec }, { fieldManager: 'gitops' }, never);
  await mesh.until('Ready');

  expect((await run({ yes: true })).stderr).toBe(
    'The spec is applied by gitops, which may set it back: change it there as well\n',
  );
});

test('what is kept is limited, and goes with the mesh', async () => {
  await mesh.change({ historyLimit: 1 });
  await mesh.until('Ready');
  expect(await keptNames()).toHaveLength(1);

  await mesh.delete();
  await mesh.untilGone();

  expect(await keptNames()).toEqual([]);
});

function run(options: Partial<RollbackOptions>, stdin = '') {
  const { namespace, name } = mesh.key;
  const kubeconfig = world.cluster.kubeconfigPath;
  return runCli((terminal) => rollback(name, { namespace, kubeconfig, ...options }, terminal), stdin);
}

async function specNow(): Promise<unknown> {
  return ((await mesh.read()) as unknown as MeshOperator).spec;
}

async function keptNames(): Promise<string[]> {
  const kind = kindInfo('apps/v1', 'ControllerRevision');
  const { items } = await world.client.list(kind, { namespace: mesh.key.namespace }, never);
  return items.map(({ metadata }) => metadata.name).sort();
}
