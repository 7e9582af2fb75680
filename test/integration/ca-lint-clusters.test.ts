import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NotFoundError } from '../../src/base/errors.ts';
import { type CaLintOptions, caLint } from '../../src/cli/ca-lint.ts';
import type { LintReport } from '../../src/pki/lint/lint-bundle.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type Authority, anAuthority, authorityFiles } from '../support/authorities.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { installMeshOperatorCrd } from '../support/mesh-operator-crd.ts';
import { runCli } from '../support/run-cli.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from '../support/test-client.ts';
import { TrustSecrets } from '../support/trust-secrets.ts';

describe('mesh-operator ca lint of clusters', () => {
  let folder: string;
  let kubeconfig: string;
  let west: Cluster;
  let inEast: TestClient;
  let inWest: TestClient;
  let authority: Authority;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ca-lint-clusters-'));
    const east = await sharedCluster();
    west = await startCluster({ name: uniqueName('west'), nodes: 'none', progress: () => {} });
    kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, await twoContexts(east, west));
    [inEast, inWest] = [east, west].map(({ kubeconfigPath }) => testClient(kubeconfigPath)) as [
      TestClient,
      TestClient,
    ];
    await installMeshOperatorCrd(east);
    authority = await anAuthority();
  });

  afterAll(async () => {
    await Promise.all([inEast?.connection.close(), inWest?.connection.close()]);
    await west?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('reads cacerts', async () => {
    const secrets = await secretsIn(inEast);
    await secrets.put('cacerts', authorityFiles(authority));

    const one = await lint({ context: ['east'], namespace: secrets.namespace });

    const name = `Secret ${secrets.namespace}/cacerts`;
    expect(one).toEqual({ code: 0, stdout: '', stderr: `${name}: nothing found\n` });
  });

  test('compares what clusters have in one namespace, and says that it differs', async () => {
    const secrets = await secretsIn(inEast);
    const others = new TrustSecrets(inWest.client, secrets.namespace);
    await createNamespace(inWest, secrets.namespace);
    await secrets.put('cacerts', authorityFiles(authority));
    await others.put('cacerts', authorityFiles(await anAuthority()));

    const both = await lint({ context: ['east', 'west'], namespace: secrets.namespace, output: 'json' });

    const name = `Secret ${secrets.namespace}/cacerts`;
    const pair = `east: ${name}, west: ${name}`;
    expect(both.code).toBe(1);
    expect(
      (JSON.parse(both.stdout) as LintReport[]).map(({ input, findings }) => [
        input,
        findings.map(({ rule }) => rule),
      ]),
    ).toEqual([
      [`east: ${name}`, []],
      [`west: ${name}`, []],
      [pair, ['DifferentRoots']],
    ]);
  });

  test('compares no namespaces of one cluster: their meshes have roots of their own', async () => {
    const [one, other] = [await secretsIn(inWest), await secretsIn(inWest)];
    await one.put('cacerts', authorityFiles(authority));
    await other.put('cacerts', authorityFiles(await anAuthority()));

    const { stdout, stderr } = await lint({ context: ['west'] });

    expect(stderr).toContain(`Secret ${one.namespace}/cacerts: nothing found`);
    expect(stderr).toContain(`Secret ${other.namespace}/cacerts: nothing found`);
    expect(stdout).not.toContain('DifferentRoots');
  });

  test('reads what an istiod has made for itself, where there is no cacerts', async () => {
    const secrets = await secretsIn(inEast);
    const { certPem, keyPem = '' } = authority.root;
    const files = {
      'ca-cert.pem': certPem,
      'ca-key.pem': keyPem,
      'cert-chain.pem': '',
      'root-cert.pem': certPem,
    };
    await secrets.put('istio-ca-secret', files, 'istio.io/ca-root');

    const { code, stdout, stderr } = await lint({ context: ['east'], namespace: secrets.namespace });

    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(`Secret ${secrets.namespace}/istio-ca-secret: nothing found\n`);
  });

  test('reads what a MeshOperator plugs in, and prints nothing of its key', async () => {
    const secrets = await secretsIn(inEast);
    const { keyPem } = authority.intermediate;
    await secrets.put('mine', authorityFiles(authority, { 'root-cert.pem': keyPem }));
    const spec = {
      certificateAuthority: { provider: 'PluggedIn', pluggedIn: { secretName: 'mine' } },
    } as const;
    const mesh = aMeshOperator(spec, { namespace: secrets.namespace });
    await inEast.client.create(mesh, { fieldManager: 'test' }, never);

    const { code, stdout } = await lint({ context: ['east'], namespace: secrets.namespace });

    expect(code).toBe(1);
    expect(stdout).toContain(`Secret ${secrets.namespace}/mine\n`);
    expect(stdout).toContain('error MisplacedPrivateKey: root-cert.pem');
    expect(stdout).not.toContain(keyPem.split('\n')[1]);
  });

  test('does not pass where there is nothing to look at', async () => {
    const { namespace } = await secretsIn(inEast);

    const call = lint({ context: ['east'], namespace });

    await expect(call).rejects.toThrow(NotFoundError);
    await expect(call).rejects.toThrow(
      `There is no Secret cacerts or istio-ca-secret in namespace ${namespace}`,
    );
  });

  function lint(options: Partial<CaLintOptions>) {
    return runCli((terminal) => caLint([], { output: 'text', kubeconfig, ...options }, terminal));
  }
});

async function secretsIn({ client }: TestClient): Promise<TrustSecrets> {
  return new TrustSecrets(client, await ownNamespace(client, 'ca-lint'));
}

async function createNamespace({ client }: TestClient, name: string): Promise<void> {
  await client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    { fieldManager: 'test' },
    never,
  );
}

/** One kubeconfig with a context of each cluster, as a person has it who looks after both. */
async function twoContexts(east: Cluster, west: Cluster): Promise<string> {
  const files = await Promise.all(
    [east, west].map(
      async ({ kubeconfigPath }) => load(await readFile(kubeconfigPath, 'utf8')) as KubeConfig,
    ),
  );
  const named = files.map((file, index) => renamed(file, ['east', 'west'][index] ?? ''));
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    ...{ clusters: named.map(({ cluster }) => cluster), users: named.map(({ user }) => user) },
    ...{ contexts: named.map(({ context }) => context), 'current-context': 'east' },
  });
}

function renamed({ clusters, users }: KubeConfig, name: string) {
  return {
    cluster: { ...clusters[0], name },
    user: { ...users[0], name },
    context: { name, context: { cluster: name, user: name } },
  };
}
