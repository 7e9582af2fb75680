import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IstiodProcess } from '../../support/istiod-process.ts';
import { untilSynced } from '../../support/known-endpoints.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { identityIn, RemoteCluster } from '../../support/remote-cluster.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import { startTunnelProxy, tunnelProtocols } from '../../support/tunnel-proxy.ts';

let world: MeshCluster;
let west: RemoteCluster;

beforeAll(async () => {
  [world, west] = await Promise.all([
    MeshCluster.open('none'),
    RemoteCluster.start(uniqueName('west'), 'none'),
  ]);
  await world.startOperator();
});

afterAll(async () => {
  await world?.close();
  await west?.close();
});

/** An address that nobody knows but the proxy, and a name in the API server's certificate that is another one. */
const server = 'https://west.example.com:6443';
const tlsServerName = 'kubernetes';

/** A kubeconfig for that address. */
async function kubeconfigForProxy(): Promise<string> {
  const config = load(await west.kubeconfig()) as { clusters: { name: string; cluster: object }[] };
  const clusters = config.clusters.map(({ name, cluster }) => ({ name, cluster: { ...cluster, server } }));
  return JSON.stringify({ ...config, clusters });
}

test.each(tunnelProtocols)(
  'a cluster behind a proxy of %s is reached by the operator and by istiod, whatever its certificate is called',
  async (protocol) => {
    const { rundir, apiServerUrl } = west.cluster;
    const read = (file: string) => readFile(join(rundir, 'pki', file), 'utf8');
    // istiod trusts a proxy with a certificate as it trusts the API server.
    const certificate = { cert: await read('apiserver.crt'), key: await read('apiserver.key') };
    const proxy = await startTunnelProxy(protocol, new URL(apiServerUrl), certificate);
    const namespace = await world.ownNamespace();
    await west.createNamespace(namespace);
    const data = { kubeconfig: Buffer.from(await kubeconfigForProxy()).toString('base64') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'west', namespace }, data };
    await world.client.create(secret, { fieldManager: 'test' }, never);
    const remote = { clusterName: 'west', kubeconfig: { secretName: 'west' }, tlsServerName };
    const mesh = await world.createMesh(
      {
        profile: 'empty',
        multiCluster: {
          ...{ meshID: 'shop', clusterName: 'east' },
          remotes: [{ ...remote, proxyURL: proxy.url }],
        },
      },
      { namespace },
    );
    await mesh.untilStatus('the operator is in the other cluster', ({ remotes }) => {
      return remotes?.[0]?.state === 'Ready';
    });

    const selector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    const istiod = await IstiodProcess.start({
      ...{ kubeconfig: world.cluster.kubeconfigPath, namespace },
      files: { 'etc/istio/config/mesh': JSON.stringify({ discoverySelectors: [selector] }) },
      env: { CLUSTER_ID: 'east', INJECT_ENABLED: 'false' },
    });
    try {
      await untilSynced(istiod, 'west');
    } finally {
      await istiod.stop();
      await proxy.stop();
    }

    const id = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'istio-remote-secret-west' };
    const reader = identityIn(await world.client.get(id, never), 'west');
    expect(reader).toMatchObject({ server, tlsServerName, proxyUrl: proxy.url });
    expect(new Set(proxy.asked)).toEqual(new Set(['west.example.com:6443']));
  },
);
