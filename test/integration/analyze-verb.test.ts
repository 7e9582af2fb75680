import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AnalysisFinding } from '../../src/cli/analyze/finding.ts';
import { type AnalyzeOptions, analyze } from '../../src/cli/analyze.ts';
import { UsageError } from '../../src/cli/terminal.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { installMeshOperatorCrd } from '../support/mesh-operator-crd.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from '../support/test-client.ts';

let cluster: Cluster;
let api: TestClient;
let namespace: string;
const revision = uniqueName('r');

/** No operator runs, so nothing is injected and no CRD of Istio is there. */
beforeAll(async () => {
  cluster = await sharedCluster();
  api = testClient(cluster.kubeconfigPath);
  await installMeshOperatorCrd(cluster);
  namespace = await ownNamespace(api.client, 'analyze-verb');
  const mesh = aMeshOperator({ revision }, { namespace });
  await api.client.create(mesh, { fieldManager: 'test' }, never);
});

afterAll(async () => {
  const mesh = { apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator', namespace, name: 'mesh' };
  await api?.client.delete(mesh, {}, never);
  await api?.connection.close();
});

function run(options: Partial<AnalyzeOptions>, stdin = ''): Promise<CliRun> {
  return runCli((terminal) => analyze({ output: 'json', ...options }, terminal), stdin);
}

async function label(labels: Record<string, string>): Promise<void> {
  const id = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  const merge = { metadata: { labels } };
  await api.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
}

test('a cluster is looked at, and an error is exit code 1', async () => {
  await label({ 'istio.io/rev': `${revision}-gone` });

  const { code, stdout } = await run({ kubeconfig: cluster.kubeconfigPath });

  const findings = JSON.parse(stdout) as AnalysisFinding[];
  const ofNamespace = findings.filter(({ object }) => object === `Namespace ${namespace}`);
  expect(code).toBe(1);
  expect(ofNamespace).toMatchObject([{ severity: 'error', rule: 'UnknownRevision' }]);
  expect(ofNamespace[0]?.fix).toContain(revision);
});

test('a file is looked at as a cluster would be, Lists and all', async () => {
  const id = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  const items = [await api.client.get(id, never), aMeshOperator({ revision: 'other' })];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

  const found = await run({ filename: '-', output: 'text' }, list);
  const none = await run({ filename: '-' }, JSON.stringify(aMeshOperator()));

  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(new RegExp(`^error UnknownRevision: Namespace ${namespace}\n`));
  expect(none).toMatchObject({ code: 0, stdout: '[]\n' });
});

test('a call that cannot be understood is refused', async () => {
  const both = run({ filename: '-', kubeconfig: cluster.kubeconfigPath });
  const noObject = run({ filename: '-' }, 'just: text');

  await expect(both).rejects.toThrow(UsageError);
  await expect(noObject).rejects.toThrow('standard input is no Kubernetes object');
});
