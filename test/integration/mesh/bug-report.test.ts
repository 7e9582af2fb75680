import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bugReport } from '../../../src/cli/bug-report.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { keyTracesIn } from '../../support/key-traces.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import { TrustSecrets } from '../../support/trust-secrets.ts';

let world: MeshCluster;
let mesh: TestMesh;
let folder: string;
let keys: string[];

beforeAll(async () => {
  world = await MeshCluster.open();
  folder = await mkdtemp(join(tmpdir(), 'bug-report-'));
  await world.startOperator();
  mesh = await world.createMesh();
  await mesh.until('Ready');
  const secrets = new TrustSecrets(world.client, mesh.key.namespace);
  keys = [...(await secrets.keysIn(mesh.key.namespace)), ...(await secrets.keysIn(operatorNamespace))];
  // Where a careless hand has put one.
  const [key = ''] = keys;
  const env = [
    { name: 'SIGNER', value: key },
    { name: 'SIGNER_DATA', value: Buffer.from(key).toString('base64') },
    { name: 'DB_PASSWORD', value: 'hunter2' },
  ];
  await mesh.change({ components: { pilot: { k8s: { env } } } });
  await mesh.until('Ready');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await world?.close();
});

function report(output: string): Promise<CliRun> {
  const { kubeconfigPath: kubeconfig } = world.cluster;
  const options = { kubeconfig, namespace: mesh.key.namespace, output };
  return runCli((terminal) => bugReport(options, terminal));
}

async function readAll(place: string): Promise<Map<string, string>> {
  const files = await readdir(place, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(place.length + 1), await readFile(path, 'utf8')] as const;
    });
  return new Map(await Promise.all(texts));
}

test('a folder has the mesh, its objects as rendered and as they are, Events and versions', async () => {
  const place = join(folder, 'report');

  const { code, stdout } = await report(place);

  const files = await readAll(place);
  const own = `meshes/${mesh.key.namespace}/mesh`;
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${place}\n` });
  expect(files.get('versions.yaml')).toMatch(/kubernetes: v1\.\d+/);
  expect(files.get(`${own}/mesh.yaml`)).toContain('kind: MeshOperator');
  expect(files.get(`${own}/status.txt`)).toContain(`${mesh.key.namespace}/mesh  Ready`);
  for (const name of ['rendered', 'objects']) {
    const objects = files.get(`${own}/${name}.yaml`) ?? '';
    expect(objects.match(/^kind: Deployment$/gm)?.length).toBe(2);
  }
  expect(files.get(`events/${mesh.key.namespace}.txt`)).toContain('MeshOperator mesh');
  expect([...files.keys()].some((file) => file.startsWith(`pods/${mesh.key.namespace}/istiod`))).toBe(true);
});

test('nothing of a key is in it, nor a password, wherever they were', async () => {
  const place = join(folder, 'secretless');
  const traces = keyTracesIn(keys);
  const pilot = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: mesh.key.namespace };
  const { revision } = await mesh.status();
  const istiod = await world.client.get({ ...pilot, name: `istiod-${revision}` }, never);
  expect(keys.length).toBeGreaterThan(2);
  expect(traces(JSON.stringify(istiod))).toBeGreaterThan(0);

  await report(place);

  const text = [...(await readAll(place)).values()].join('\n');
  expect(traces(text)).toBe(0);
  expect(text).toContain('DB_PASSWORD');
  expect(text).not.toContain('hunter2');
});

test('an archive has the same files', async () => {
  const place = join(folder, 'report.tar.gz');

  await report(place);

  const archive = gunzipSync(await readFile(place)).toString('latin1');
  expect(archive).toContain('mesh-operator-report/versions.yaml');
  expect(archive).toContain('kind: MeshOperator');
  expect(keyTracesIn(keys)(archive)).toBe(0);
});

test('nothing that is there is written over', async () => {
  const place = join(folder, 'twice.tar.gz');
  await report(place);

  await expect(report(place)).rejects.toThrow(UsageError);
  await expect(report(folder)).rejects.toThrow('is not empty');
});
