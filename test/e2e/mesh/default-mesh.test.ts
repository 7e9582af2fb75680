import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { analyze } from '../../../src/cli/analyze.ts';
import { bugReport } from '../../../src/cli/bug-report.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { importImages, installOperator, operatorNamespace, readManifest } from '../../cluster/operator.ts';
import { run } from '../../cluster/toolchain/run-command.ts';
import { ensureTool } from '../../cluster/toolchain/tools.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { AuditLog } from '../../support/audit-log.ts';
import { askGateway } from '../../support/gateway-request.ts';
import { keyTracesIn } from '../../support/key-traces.ts';
import { listEverything } from '../../support/list-everything.ts';
import { observedFields } from '../../support/observed-fields.ts';
import { runCli } from '../../support/run-cli.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { never, type TestClient, testClient } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';
import { TrustSecrets } from '../../support/trust-secrets.ts';

const namespace = 'istio-system';
const operatorUser = `system:serviceaccount:${operatorNamespace}:mesh-operator`;
const host = 'hello.example.com';
const istiod = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'istiod' };
const validator = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  name: `istio-validator-${namespace}`,
};

/** Of the operator. */
const restrictedNamespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: operatorNamespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

let cluster: Cluster;
let admin: TestClient;
let mesh: TestMesh;
let before: string[];

beforeAll(async () => {
  cluster = await sharedCluster('kubelet');
  admin = testClient(cluster.kubeconfigPath);
  await importImages(cluster, ['istiod', 'proxyv2', 'test-app']);
  await cluster.apply(JSON.stringify(restrictedNamespace));
  const { apiServer } = cluster.state.plan.ports;
  const set = { 'networkPolicy.enabled': 'true', 'networkPolicy.apiServerPorts': `{${apiServer}}` };
  await installOperator(cluster, { replicas: 2, set });
  await cluster.kubectl('create', 'namespace', namespace);
  before = await listEverything(cluster);
  await cluster.apply(await readManifest('examples/mesh.yaml'));
  mesh = new TestMesh(admin.client, { namespace, name: 'mesh' });
  await mesh.until('Ready');
  await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
});

afterAll(async () => {
  await admin?.connection.close();
});

describe('a mesh from examples/mesh.yaml, on a real node, by an operator from its chart', () => {
  test('has an operator that passes helm test, restricted and with nothing but the API server to reach', async () => {
    const helm = await ensureTool('helm');
    const flags = ['--kubeconfig', cluster.kubeconfigPath, '--namespace', operatorNamespace];

    expect(await run(helm, ['test', 'mesh-operator', ...flags])).toMatch(/Phase:\s+Succeeded/);
  });

  test('answers a request at the gateway’s address by the app', async () => {
    await cluster.apply(await readManifest('scripts/demo/hello.yaml'));
    await cluster.kubectl('rollout', 'status', 'deployment/hello', '-n', 'hello', '--timeout=240s');

    expect(await answerOfApp()).toContain('hello');
  });

  test('is of somebody who may have it, and is refused by the operator where it means nothing', async () => {
    const { spec } = await mesh.read();

    expect(await mesh.condition('Authorized')).toMatchObject({ status: 'True', reason: 'AuthorAllowed' });
    await expect(mesh.change({ meshConfig: { acessLogFile: '/dev/stdout' } })).rejects.toThrow(
      'admission webhook "validate.meshoperator.dev" denied the request: spec.meshConfig.acessLogFile: is not a field (did you mean "accessLogFile"?)',
    );
    expect((await mesh.read()).spec).toEqual(spec);
  });

  test('has a report with the logs of istiod and the operator, and with nothing of a key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'report-'));
    const secrets = new TrustSecrets(admin.client, namespace);
    const keys = [...(await secrets.keysIn(namespace)), ...(await secrets.keysIn(operatorNamespace))];
    const options = { kubeconfig: cluster.kubeconfigPath, output: folder };

    const { code } = await runCli((terminal) => bugReport(options, terminal));

    const files = await readdir(folder, { recursive: true });
    const textOf = async (pattern: RegExp) => {
      const found = files
        .filter((file) => pattern.test(file))
        .map((file) => readFile(join(folder, file), 'utf8'));
      return (await Promise.all(found)).join('\n');
    };
    expect(code).toBe(0);
    expect(await textOf(/^pods\/istio-system\/istiod-.*discovery\.log$/)).toContain('istiod');
    expect(await textOf(/^pods\/mesh-operator\/.*operator\.log$/)).toContain('"message":"Controllers run"');
    expect(await textOf(/missing\.txt$/)).toBe('');
    expect(keyTracesIn(keys)(await textOf(/\.(txt|log|yaml)$/))).toBe(0);
    await rm(folder, { recursive: true });
  });

  test('has nothing that analyze calls an error', async () => {
    const options = { kubeconfig: cluster.kubeconfigPath, output: 'json' } as const;

    const { code, stdout } = await runCli((terminal) => analyze(options, terminal));

    expect({ code, findings: JSON.parse(stdout) }).toEqual({ code: 0, findings: [] });
  });

  test('has a gateway pod with one container, the proxy, as it was rendered', async () => {
    const pods = JSON.parse(
      await cluster.kubectl('get', 'pods', '-n', namespace, '-l', 'istio=ingressgateway', '-o', 'json'),
    );
    const [pod] = pods.items as { spec: { containers: { name: string; image: string }[] } }[];

    expect(pod?.spec.containers.map(({ name }) => name)).toEqual(['istio-proxy']);
    expect(pod?.spec.containers[0]?.image).toMatch(/\/proxyv2:1\.31\.1$/);
    expect(JSON.stringify(pods)).not.toContain('"sidecar.istio.io/status"');
  });

  test('refuses a Gateway that means nothing, by istiod itself', async () => {
    const bad = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'bad', namespace: 'hello' },
      spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [] }] },
    };

    await waitUntil({ what: 'istiod refuses the Gateway', intervalMs: 500 }, async () => {
      const refusal = await cluster.apply(JSON.stringify(bad)).then(
        () => cluster.kubectl('delete', 'gateways.networking.istio.io', 'bad', '-n', 'hello').then(() => ''),
        (error: unknown) => String(error),
      );
      return refusal.includes('denied the request') && refusal.includes('host');
    });
  });

  test('keeps the CA bundle and the failure policy that istiod wrote, through a forced pass', async () => {
    const written = observedFields(await admin.client.get(validator, never));
    expect(JSON.stringify(written)).toContain('"caBundle":"LS0t');
    expect(JSON.stringify(written)).toContain('"failurePolicy":"Fail"');

    const merge = { metadata: { labels: { 'app.kubernetes.io/part-of': 'something-else' } } };
    await admin.client.patch(validator, { type: 'merge', merge }, { fieldManager: 'kubectl-edit' }, never);

    await untilLike(validator, written);
  });

  test('gets its real istiod back, as it was, and keeps answering meanwhile', async () => {
    const written = observedFields(await admin.client.get(istiod, never));
    await cluster.kubectl(
      'set',
      'env',
      'deployment/istiod',
      '-n',
      namespace,
      'INTRUDER=1',
      'PILOT_TRACE_SAMPLING=99',
    );

    await untilLike(istiod, written);
    await mesh.until('Ready');
    await admin.client.delete(istiod, {}, never);
    expect(await answerOfApp()).toContain('hello');

    await waitUntil(
      { what: 'istiod is back' },
      async () => (await admin.client.find(istiod, never)) !== undefined,
    );
    await mesh.until('Ready');
    expect(observedFields(await admin.client.get(istiod, never))).toEqual(written);
    await mesh.untilEvent('Recreated', 'istiod');
  });

  test('costs nothing but watches and Leases while nothing happens for 60 s', async () => {
    const audit = new AuditLog(cluster);
    await mesh.until('Ready');
    await audit.restart();

    await new Promise((resolve) => setTimeout(resolve, 60_000)); // the subject, not a wait for something

    const requests = await audit.requestsOf(operatorUser);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter(({ verb, resource }) => verb !== 'watch' && resource !== 'leases')).toEqual([]);
  });

  test('is kept by the other replica when the leader’s pod is deleted', async () => {
    const leader = await leaderOf();

    await cluster.kubectl('delete', 'pod', leader, '-n', operatorNamespace, '--wait=false');
    const next = await waitUntil({ what: 'another replica leads' }, async () => {
      const holder = await leaderOf();
      return holder !== '' && holder !== leader ? holder : undefined;
    });

    expect(next).not.toBe(leader);
    const services = { apiVersion: 'v1', kind: 'Service', namespace, name: 'istiod' };
    await admin.client.delete(services, {}, never);
    await waitUntil(
      { what: 'the Service is back' },
      async () => (await admin.client.find(services, never)) !== undefined,
    );
    await cluster.kubectl(
      'rollout',
      'status',
      'deployment/mesh-operator',
      '-n',
      operatorNamespace,
      '--timeout=240s',
    );
    await mesh.until('Ready');
  });

  test('lives beside the revision of examples/revisioned.yaml', async () => {
    const { resourceVersion } = (await admin.client.get(istiod, never)).metadata;
    await cluster.apply(await readManifest('examples/revisioned.yaml'));
    const canary = new TestMesh(admin.client, { namespace, name: 'canary' });

    await canary.until('Ready');

    expect((await admin.client.get(istiod, never)).metadata.resourceVersion).toBe(resourceVersion);
    expect(await answerOfApp()).toContain('hello');
    await canary.delete();
    await canary.untilGone();
    expect((await mesh.status()).state).toBe('Ready');
    expect(await answerOfApp()).toContain('hello');
  });

  test('becomes a control plane alone with examples/minimal.yaml', async () => {
    await cluster.kubectl('delete', '-f', 'scripts/demo/hello.yaml', '--wait=false');
    await admin.client.patch(
      mesh.id,
      {
        type: 'merge',
        merge: { spec: { components: null, meshConfig: null, profile: null, version: null } },
      },
      { fieldManager: 'kubectl' },
      never,
    );
    await cluster.apply(await readManifest('examples/minimal.yaml'));

    await mesh.until('Ready');

    const kinds = (await mesh.inventory()).filter(({ name }) => name.includes('gateway'));
    expect(kinds).toEqual([]);
  });

  test('was kept with no more rights than the chart gives', async () => {
    const logs = await cluster.kubectl(
      'logs',
      '-n',
      operatorNamespace,
      '-l',
      'app.kubernetes.io/name=mesh-operator',
      '--tail=-1',
    );

    expect(logs).toContain('Became leader');
    expect(logs).not.toMatch(/forbidden/i);
    expect(logs.split('\n').filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test('leaves nothing when it is deleted', async () => {
    await cluster.kubectl('delete', 'telemetries.telemetry.istio.io', 'stock-envoy', '-n', namespace);

    await mesh.delete();
    await mesh.untilGone();

    let added: string[] = [];
    const explain = async () => added.join('\n');
    await waitUntil({ what: 'nothing is left', intervalMs: 1_000, explain }, async () => {
      added = (await listEverything(cluster)).filter((line) => !before.includes(line) && !isExpected(line));
      return added.length === 0;
    });
  });
});

/** Istio's CRDs are the cluster's; its signing key lets what still runs trust a mesh made again; the rest is Kubernetes'. */
function isExpected(line: string): boolean {
  return [
    / (CustomResourceDefinition|APIService) \S+\.istio\.io$/,
    new RegExp(` Secret ${namespace}/istio-ca-secret$`),
    / (Event|IPAddress|Namespace|ControllerRevision) /,
    /(hello|mesh-operator)/,
    / Lease kube-/,
  ].some((pattern) => pattern.test(line));
}

async function answerOfApp(): Promise<string> {
  const address = (await mesh.status()).gateways?.[0]?.addresses[0] ?? '';
  return waitUntil({ what: 'the app answers through the gateway', intervalMs: 200 }, async () => {
    const { status, body } = await askGateway(address, host);
    return status === 200 ? body : undefined;
  });
}

async function leaderOf(): Promise<string> {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    namespace: operatorNamespace,
    name: 'mesh-operator',
  };
  const { spec } = (await admin.client.get(lease, never)) as unknown as { spec: { holderIdentity?: string } };
  return spec.holderIdentity ?? '';
}

async function untilLike(id: Parameters<TestClient['client']['get']>[0], wanted: unknown): Promise<void> {
  let found: KubernetesObject | undefined;
  const explain = async () => JSON.stringify(found && observedFields(found));
  await waitUntil({ what: `${id.kind} ${id.name} is as before`, explain }, async () => {
    found = await admin.client.get(id, never);
    expect(observedFields(found)).toEqual(wanted);
    return true;
  });
}
