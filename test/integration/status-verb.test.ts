import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../src/api/kinds.ts';
import { type StatusOptions, status } from '../../src/cli/status.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { aTrustCondition } from '../support/authority-status.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { installMeshOperatorCrd } from '../support/mesh-operator-crd.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');
const bundle = resolve(import.meta.dirname, '../../dist/mesh-operator.js');
const colourStart = '\u001b[';

let cluster: Cluster;
let api: TestClient;
let namespace: string;

/** No operator runs: the test says what the status says. */
beforeAll(async () => {
  cluster = await sharedCluster();
  api = testClient(cluster.kubeconfigPath);
  await installMeshOperatorCrd(cluster);
  namespace = await ownNamespace(api.client, 'status-verb');
  await api.client.create(aMeshOperator({}, { namespace }), { fieldManager: 'test' }, never);
  const { apiVersion, kind } = meshKind;
  const ready = aTrustCondition({ type: 'Ready', reason: 'Ready', message: 'All is well' });
  await api.client.apply(
    {
      ...{ apiVersion, kind, metadata: { name: 'mesh', namespace } },
      status: { state: 'Ready', observedGeneration: 1, conditions: [ready] },
    },
    { fieldManager: 'test-status', force: true, subresource: 'status' },
    never,
  );
});

afterAll(() => api?.connection.close());

function statusOf(options: Partial<StatusOptions>): Promise<CliRun> {
  const all = { kubeconfig: cluster.kubeconfigPath, namespace, output: 'text', ...options } as const;
  return runCli((terminal) => status(all, terminal));
}

test('text for people, and documents for programs', async () => {
  const text = await statusOf({});
  const json = await statusOf({ output: 'json', name: 'mesh' });
  const yaml = await statusOf({ output: 'yaml' });

  expect(text).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/mesh {2}Ready\n {2}Ready: All is well/),
  });
  expect(JSON.parse(json.stdout)).toMatchObject([{ namespace, name: 'mesh', status: { state: 'Ready' } }]);
  expect(load(yaml.stdout)).toEqual(JSON.parse(json.stdout));
});

test('the other clusters of a mesh, and exit code 1 when one of them is not Ready', async () => {
  const remote = {
    ...{ clusterName: 'west', state: 'Refused', since: '2026-01-01T00:00:00Z' },
    ...{ reason: 'Unauthorized', message: 'no longer accepts it' },
  };
  const none = await statusOf({ remotes: true });
  const { apiVersion, kind } = meshKind;
  await api.client.apply(
    { apiVersion, kind, metadata: { name: 'mesh', namespace }, status: { remotes: [remote] } },
    { fieldManager: 'test-remotes', force: true, subresource: 'status' },
    never,
  );

  const text = await statusOf({ remotes: true });
  const json = await statusOf({ remotes: true, output: 'json' });

  expect(none).toMatchObject({ code: 0, stdout: `${namespace}/mesh  no other cluster\n` });
  expect(text).toMatchObject({ code: 1, stdout: expect.stringContaining('no longer accepts it') });
  expect(JSON.parse(json.stdout)).toEqual([{ namespace, name: 'mesh', remotes: [remote] }]);
});

test('colours come on a terminal alone, and not where NO_COLOR is set', async () => {
  const flags = `--kubeconfig ${cluster.kubeconfigPath} -n ${namespace}`;
  const onTerminal = async (env: Record<string, string>) => {
    const command = `${process.execPath} ${bundle} status ${flags}`;
    const { PATH = '' } = process.env;
    const options = { env: { PATH, TERM: 'xterm-256color', ...env } };
    return (await promisify(execFile)('script', ['-qec', command, '/dev/null'], options)).stdout;
  };

  expect(await onTerminal({})).toContain(colourStart);
  const plain = await onTerminal({ NO_COLOR: '1' });
  expect(plain).toContain(`${namespace}/mesh  Ready`);
  expect(plain).not.toContain(colourStart);
  expect((await statusOf({})).stdout).not.toContain(colourStart);
});
