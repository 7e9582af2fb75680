import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultRelease, ensureImage } from '../../cluster/images/ensure-image.ts';
import { readManifest } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { installRealMesh, type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

const [older, newer] = ['1.31.0', defaultRelease.tag];
const [olderRevision, newerRevision] = [older, newer].map((version) => version.replaceAll('.', '-'));
const namespaces = ['canary', 'shop', 'outside'];
/** One inside the mesh, which nobody restarts, and one outside, which goes through the gateway. */
const callers = ['shop', 'outside'].map((namespace) => ({
  ...{ namespace, workload: 'client', container: 'caller' },
}));

let real: RealMesh;
let mesh: TestMesh;

beforeAll(async () => {
  const cluster = await sharedCluster('kubelet');
  for (const name of ['istiod', 'proxyv2'] as const) {
    await cluster.importImage(await ensureImage(name, { ...defaultRelease, tag: older }));
  }
  real = await installRealMesh('test/e2e/upgrade/mesh.yaml', { version: older });
  mesh = real.mesh;
  await cluster.apply(await readManifest('test/e2e/upgrade/apps.yaml'));
  for (const namespace of namespaces) {
    await cluster.kubectl(
      'wait',
      'pods',
      '--all',
      '-n',
      namespace,
      '--for=condition=Ready',
      '--timeout=240s',
    );
  }
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...namespaces);
});

describe('under continuous traffic through gateway and sidecars', () => {
  test('an upgrade to another revision moves every workload wave by wave, and fails no request', async () => {
    expect(await proxyRevisions()).toEqual([olderRevision]);

    const calls = await measured(`From ${older} to ${newer}`, async () => {
      await mesh.change({ version: newer });
      await mesh.until('Ready');
    });

    expect(calls.failures).toEqual({});
    expect(await proxyRevisions()).toEqual([newerRevision]);
    expect(await gatewayRevisions()).toEqual([newerRevision]);
    for (const wave of ['Wave 1 of 2', 'Wave 2 of 2']) await mesh.untilEvent('UpgradeMoving', wave);
    // The client that nobody restarts follows the old control plane, which therefore stays.
    expect((await mesh.status()).upgrade?.retired).toEqual([{ revision: olderRevision }]);
  });

  test('the way back fails no request either', async () => {
    const calls = await measured(`From ${newer} to ${older}`, async () => {
      await mesh.change({ version: older });
      await mesh.until('Ready');
    });

    expect(calls.failures).toEqual({});
    expect(await proxyRevisions()).toEqual([olderRevision]);
    expect(await gatewayRevisions()).toEqual([olderRevision]);
  });

  test('a wave whose proxies never get ready is undone by itself, and fails no request', async () => {
    const calls = await measured('A bad proxy', async () => {
      const image = 'registry.example.com/none:1';
      await mesh.change({
        version: newer,
        values: { global: { proxy: { image, resources: { requests: { cpu: '10m' } } } } },
        upgrade: { waveTimeout: '20s' },
      });
      await mesh.until('Stalled');
    });

    expect(calls.failures).toEqual({});
    expect(await mesh.condition('UpgradeComplete')).toMatchObject({
      status: 'False',
      reason: 'RolledBack',
      message: expect.stringContaining('Deployment canary/items'),
    });
    expect(await proxyRevisions()).toEqual([olderRevision]);
    expect(await gatewayRevisions()).toEqual([olderRevision]);
    // The second wave never began.
    expect(await restartsOf('front')).toBe(2);
  });
});

function measured(what: string, act: () => Promise<void>) {
  return callsWhile(real.cluster, { callers, what, further: 5 }, act);
}

/** The revisions whose injectors have put proxies into the pods of workloads that can be restarted, each once. */
async function proxyRevisions(): Promise<string[]> {
  return waitUntil({ what: 'no pod is ending' }, async () => {
    const pods = await list('pods', '-A', '-l', 'app in (items, front)');
    if (pods.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) return undefined;
    const statuses = pods.map(({ metadata }) => metadata.annotations?.['sidecar.istio.io/status'] ?? '{}');
    return [...new Set(statuses.map((text) => (JSON.parse(text) as { revision: string }).revision))];
  });
}

async function gatewayRevisions(): Promise<(string | undefined)[]> {
  const pods = await list('pods', '-n', 'istio-system', '-l', 'istio=ingressgateway');
  const running = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return [...new Set(running.map(({ metadata }) => metadata.labels?.['istio.io/rev']))];
}

/** How many rolling updates a Deployment has had after its first one. */
async function restartsOf(name: string): Promise<number> {
  const sets = await list('replicasets', '-A', '-l', `app=${name}`);
  return sets.length - 1;
}

interface Item {
  readonly metadata: {
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

async function list(kind: string, ...args: readonly string[]): Promise<readonly Item[]> {
  const text = await real.cluster.kubectl('get', kind, ...args, '-o', 'json');
  return (JSON.parse(text) as { items: readonly Item[] }).items;
}
