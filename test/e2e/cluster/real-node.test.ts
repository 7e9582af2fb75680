import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../cluster/cluster.ts';
import { joinClusters, unjoinClusters } from '../../cluster/join-clusters.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { runTestApp } from '../../support/cluster-app.ts';

let a: Cluster;
let b: Cluster;

beforeAll(async () => {
  const start = (name: string) => startCluster({ name: `${name}-${process.pid}`, nodes: 'kubelet' });
  [a, b] = await Promise.all([start('real-a'), start('real-b')]);
  await Promise.all([a, b].map((cluster) => runTestApp(cluster, 'web')));
});

afterAll(async () => {
  await Promise.all([a, b].map((cluster) => cluster?.stop()));
});

/** Who answers a request that this process, on the host, makes. */
async function answererOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return ((await response.json()) as { name: string }).name;
}

async function fieldOf(cluster: Cluster, object: string, path: string): Promise<string> {
  return cluster.kubectl('get', ...object.split(' '), '-o', `jsonpath=${path}`);
}

function podAddress(cluster: Cluster): Promise<string> {
  return fieldOf(cluster, 'pods -l app=web', '{.items[0].status.podIP}');
}

/** Makes one request from the pod of `web`; its exit code decides. */
function callFromPod(cluster: Cluster, url: string): Promise<string> {
  const call = ['/test-app', 'call', '-count', '1', '-timeout', '2s', '-url', url];
  return cluster.kubectl('exec', 'deployment/web', '--', ...call);
}

describe('a node of two clusters side by side', () => {
  test('answers the host at the address of its pod, of its Service and of its node port', async () => {
    for (const cluster of [a, b]) {
      const pod = await podAddress(cluster);
      const service = await fieldOf(cluster, 'service web', '{.spec.clusterIP}');
      const nodePort = await fieldOf(cluster, 'service web', '{.spec.ports[0].nodePort}');

      const urls = [`http://${pod}:8080`, `http://${service}`, `http://${cluster.nodeAddress}:${nodePort}`];

      expect(await Promise.all(urls.map(answererOf))).toEqual(urls.map(() => `web of ${cluster.name}`));
    }
  });

  test('answers a Service of type LoadBalancer at an address of its cluster', async () => {
    await a.kubectl('patch', 'service', 'web', '-p', '{"spec":{"type":"LoadBalancer"}}');
    const path = '{.status.loadBalancer.ingress[0].ip}';
    await a.kubectl('wait', 'service/web', `--for=jsonpath=${path}`, '--timeout=240s');

    const address = await fieldOf(a, 'service web', path);

    const answer = await waitUntil({ what: `${address} answers` }, () => answererOf(`http://${address}`));
    expect(answer).toBe(`web of ${a.name}`);
  });

  test('lets pods find Services by name, and nothing outside', async () => {
    await callFromPod(a, 'http://web.default.svc.cluster.local');

    await expect(callFromPod(a, 'http://example.com')).rejects.toThrow(/exit code 1|exited with 1/);
    await expect(callFromPod(a, 'http://198.51.100.1')).rejects.toThrow(/exit code 1|exited with 1/);
  });

  test('lets pods reach a server of this machine at hostAddress', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, a.hostAddress, resolve));
    const { port } = server.address() as { port: number };

    await callFromPod(a, `http://${a.hostAddress}:${port}`);

    await new Promise((resolve) => server.close(resolve));
  });

  test('gives logs', async () => {
    expect(await a.kubectl('logs', 'deployment/web')).toContain('listening');
  });

  test.each(['kube-apiserver', 'containerd', 'kubelet', 'kube-proxy'])(
    'keeps its pods when %s is killed',
    async (server) => {
      const path = '{.items[0].metadata.uid} {.items[0].status.containerStatuses[0].restartCount}';
      const before = await fieldOf(a, 'pods -l app=web', path);

      await a.kill(server);

      const pod = await podAddress(a);
      expect(await answererOf(`http://${pod}:8080`)).toBe(`web of ${a.name}`);
      await a.kubectl('wait', 'pods', '-l', 'app=web', '--for=condition=Ready', '--timeout=240s');
      expect(await fieldOf(a, 'pods -l app=web', path)).toBe(before);
    },
  );
});

describe('two joined clusters', () => {
  const modes = [
    { mode: 'flat', pods: true, nodes: true },
    { mode: 'separate', pods: false, nodes: true },
    { mode: 'flat', pods: true, nodes: true },
  ] as const;

  test.each(modes)('$mode: pods reach pods $pods, nodes $nodes', async ({ mode, pods, nodes }) => {
    await joinClusters(a, b, mode);

    expect(await reaches(a, b)).toEqual({ pods, nodes });
    expect(await reaches(b, a)).toEqual({ pods, nodes });
  });

  test('unjoined they reach nothing of each other', async () => {
    await unjoinClusters(a, b);

    expect(await reaches(a, b)).toEqual({ pods: false, nodes: false });
    expect(await reaches(b, a)).toEqual({ pods: false, nodes: false });
  });

  async function reaches(from: Cluster, to: Cluster): Promise<{ pods: boolean; nodes: boolean }> {
    const nodePort = await fieldOf(to, 'service web', '{.spec.ports[0].nodePort}');
    const succeeds = (url: string) =>
      callFromPod(from, url).then(
        () => true,
        () => false,
      );
    return {
      pods: await succeeds(`http://${await podAddress(to)}:8080`),
      nodes: await succeeds(`http://${to.nodeAddress}:${nodePort}`),
    };
  }
});
