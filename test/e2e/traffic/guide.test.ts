import { resolve } from 'node:path';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readManifest } from '../../cluster/operator.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { SettledProxies } from '../../support/settled-proxies.ts';
import { filesAfter } from '../../support/shell.ts';
import { collectorNamespace, installSpanCollector } from '../../support/span-collector.ts';
import { flawsOf } from '../../support/traffic-calls.ts';
import { readTrafficExamples, sentenceOf } from '../../support/traffic-example.ts';

const namespaces = ['shop', 'external'];
const deployments = ['client', 'web-v1', 'web-v2', 'broken'];
const gateway = { namespace: 'istio-system', workload: 'deployment/istio-ingressgateway' };
const sidecars = ['client', 'web-v1', 'web-v2'].map((name) => ({
  namespace: 'shop',
  workload: `deployment/${name}`,
}));

const nothing = dump({
  apiVersion: 'meshoperator.dev/v1alpha1',
  kind: 'MeshOperator',
  metadata: { name: 'mesh', namespace: 'istio-system' },
});

let real: RealMesh;
let proxies: SettledProxies;

beforeAll(async () => {
  real = await installRealMesh('test/e2e/traffic/mesh.yaml');
  const { cluster } = real;
  await cluster.apply(
    objects([aNamespace('shop', { 'istio-injection': 'enabled' }), aNamespace('external')]),
  );
  await installSpanCollector(cluster);
  await cluster.apply(objects(await certificates()));
  await cluster.apply(await readManifest('test/e2e/traffic/apps.yaml'));
  for (const [namespace, name] of [
    ...deployments.map((name) => ['shop', name] as const),
    ['external', 'outside'] as const,
  ]) {
    await cluster.kubectl('rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=240s');
  }
  proxies = new SettledProxies(cluster, [...sidecars, gateway]);
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...namespaces, collectorNamespace);
});

describe.each(readTrafficExamples())('$title', ({ steps }) => {
  afterAll(async () => {
    const others = steps.filter(({ yaml }) => !isOfMesh(yaml)).map(({ manifest }) => manifest);
    const files = [...new Set(others)].flatMap((file) => ['-f', repositoryFile(file)]);
    if (files.length > 0) await real.cluster.kubectl('delete', '--ignore-not-found', ...files);
    if (steps.some(({ yaml }) => isOfMesh(yaml))) await addToMesh(nothing);
  });

  describe.each(steps)('with $manifest', ({ yaml, checks }) => {
    beforeAll(async () => {
      await (isOfMesh(yaml) ? addToMesh(yaml) : real.cluster.apply(yaml));
      await proxies.wait();
    });

    test.each(checks.map((check) => ({ check, sentence: sentenceOf(check) })))(
      '$sentence',
      async ({ check }) => {
        expect(await flawsOf(real.cluster, check)).toEqual([]);
      },
    );
  });
});

/** True for what a step says of the mesh, beside all else that is said of it. */
function isOfMesh(yaml: string): boolean {
  return /^kind: MeshOperator$/m.test(yaml);
}

/** Says it instead of what was said here before. */
async function addToMesh(yaml: string): Promise<void> {
  await real.cluster.apply(yaml, 'guide');
  await real.mesh.until('Ready');
}

function repositoryFile(path: string): string {
  return resolve(import.meta.dirname, '../../..', path);
}

function objects(list: readonly object[]): string {
  return list.map((object) => dump(object)).join('---\n');
}

function aNamespace(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** An authority outside the mesh, and what it has issued: the gateway's certificate, for both modes, and a client's. */
async function certificates() {
  const request = 'openssl req -x509 -days 2 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256';
  const issued = '-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE';
  const files = await filesAfter({}, [
    `${request} -subj /CN=outside -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign`,
    `${request} -subj /CN=shop -keyout shop.key -out shop.crt ${issued} -addext subjectAltName=DNS:shop.example.com`,
    `${request} -subj /CN=partner -keyout partner.key -out partner.crt ${issued}`,
  ]);
  const aSecret = (namespace: string, name: string, stringData: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData,
  });
  const server = { 'tls.crt': files['shop.crt'], 'tls.key': files['shop.key'] };
  const authority = { 'ca.crt': files['ca.crt'] };
  return [
    aSecret('istio-system', 'shop-tls', server),
    aSecret('istio-system', 'shop-mtls', { ...server, ...authority }),
    aSecret('external', 'outside', {
      'tls.crt': files['partner.crt'],
      'tls.key': files['partner.key'],
      ...authority,
    }),
  ];
}
