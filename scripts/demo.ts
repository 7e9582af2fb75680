/**
 * `make demo`: a real cluster, the operator installed by its chart, a mesh, an app, and one request through the mesh's
 * ingress gateway. Without root the nodes are simulated, and no request can be sent. Exits non-zero when a step fails.
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { load } from 'js-yaml';
import type { MeshOperator } from '../src/api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../src/api/mesh-operator-status.ts';
import { type Cluster, removeCluster, startCluster } from '../test/cluster/cluster.ts';
import { buildOperator, importImages, installOperator, readManifest } from '../test/cluster/operator.ts';
import { seconds } from '../test/cluster/toolchain/progress.ts';
import { waitUntil } from '../test/cluster/wait-until.ts';
import { watchUntilReady } from './demo/live-conditions.ts';

const clusterName = 'demo';
const mesh = { namespace: 'istio-system', name: 'mesh' };
const host = 'hello.example.com';
const isReal = process.platform === 'linux' && process.getuid?.() === 0;

interface Step {
  readonly what: string;
  readonly tookMs: number;
}

const steps: Step[] = [];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function step<T>(what: string, action: () => Promise<T>): Promise<T> {
  say(`\n[${steps.length + 1}] ${what}`);
  const started = performance.now();
  const result = await action();
  steps.push({ what, tookMs: performance.now() - started });
  return result;
}

async function main(): Promise<void> {
  say(
    isReal
      ? 'A cluster with a real node: kubelet, containerd, istiod and Envoy run on this machine.'
      : 'Without root on Linux the nodes are simulated (KWOK): every object is real, no container runs.',
  );
  await removeCluster(clusterName);
  const cluster = await step('Start a Kubernetes cluster', () =>
    startCluster({ name: clusterName, nodes: isReal ? 'kubelet' : 'kwok', survives: true, progress: say }),
  );
  if (isReal) {
    await step('Assemble and import images of Istio and the app', () =>
      importImages(cluster, ['istiod', 'proxyv2', 'test-app'], say),
    );
  }
  await step('Build the operator and install its chart', async () => {
    await buildOperator();
    await installOperator(cluster, { progress: say });
  });
  const status = await step('Apply examples/mesh.yaml and watch its conditions', async () => {
    await cluster.kubectl('create', 'namespace', mesh.namespace);
    await cluster.apply(isReal ? await readManifest('examples/mesh.yaml') : await meshWithoutInjector());
    return watchUntilReady(cluster.kubeconfigPath, mesh, 180_000);
  });
  await step('Apply a small app, its Gateway and its VirtualService', async () => {
    await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
    await cluster.apply(await readManifest('scripts/demo/hello.yaml'));
    await cluster.kubectl('rollout', 'status', 'deployment/hello', '--namespace=hello', '--timeout=120s');
  });
  if (isReal) {
    const address = addressOf(status);
    const answer = await step(`Ask http://${host}/ through the gateway at ${address}`, () =>
      askUntilRouted(address),
    );
    say(`  ${answer.trim()}`);
  }
  printSummary(cluster, status);
}

/** Simulated pods of an injector would be ready and answer nobody. */
async function meshWithoutInjector(): Promise<string> {
  const manifest = load(await readManifest('examples/mesh.yaml')) as MeshOperator;
  return JSON.stringify({ ...manifest, spec: { ...manifest.spec, sidecarInjector: { enabled: false } } });
}

function addressOf(status: MeshOperatorStatus): string {
  const address = status.gateways?.[0]?.addresses[0];
  if (address === undefined) throw new Error('the gateway has no address in status');
  return address;
}

/** The gateway answers 404 until istiod has sent it the route. */
async function askUntilRouted(address: string): Promise<string> {
  return waitUntil({ what: `http://${host}/ is answered by the app`, intervalMs: 200 }, () => ask(address));
}

async function ask(address: string): Promise<string> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const sent = request({ host: address, port: 80, path: '/', headers: { host }, timeout: 5_000 }, resolve);
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer within 5 s')));
    sent.end();
  });
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return body;
}

function printSummary(cluster: Cluster, status: MeshOperatorStatus): void {
  const width = Math.max(...steps.map(({ what }) => what.length));
  say(`\n${'Step'.padEnd(width)}      took`);
  for (const { what, tookMs } of steps) say(`${what.padEnd(width)}  ${seconds(tookMs).padStart(8)}`);
  say(`${'All'.padEnd(width)}  ${seconds(steps.reduce((sum, { tookMs }) => sum + tookMs, 0)).padStart(8)}`);
  const gateways = (status.gateways ?? []).map(
    ({ name, addresses }) => `${name} at ${addresses.join(', ') || 'no address'}`,
  );
  say(`
The mesh: Istio ${status.version}, revision ${status.revision}, ${status.inventory?.length ?? 0} objects; gateway ${gateways.join('; ')}

Look around:
  export KUBECONFIG=${cluster.kubeconfigPath}
  kubectl get mesh -A
  kubectl describe mesh ${mesh.name} -n ${mesh.namespace}
  npx mesh-operator status
${isReal ? `  curl -H 'Host: ${host}' http://${addressOf(status)}/\n` : ''}
Stop it: make demo-down`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.stderr.write('What is left of it: make demo-down\n');
  process.exitCode = 1;
}
