import type { ObjectKey } from '../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { AppContainer } from './app-requests.ts';
import { countedHandshakes } from './handshake-for-each-request.ts';
import { fingerprintsOf, type ProxyTrust, readProxyTrust } from './proxy-trust.ts';
import { installRealMesh, type RealMesh } from './real-mesh.ts';
import { trustAppsManifest, trustNamespaces, trustProxies } from './trust-apps.ts';

/** The mesh of `test/e2e/trust/mesh.yaml`, with these fields in its spec, and the running apps of `trust-apps.ts`. */
export async function installTrustMesh(spec: MeshOperatorSpec = {}): Promise<RealMesh> {
  const real = await installRealMesh('test/e2e/trust/mesh.yaml', countedHandshakes, spec);
  await real.cluster.apply(trustAppsManifest());
  for (const namespace of trustNamespaces) {
    const wait = ['wait', 'deployments', '--all', '-n', namespace, '--for=condition=Available'];
    await real.cluster.kubectl(...wait, '--timeout=240s');
  }
  return real;
}

/** The one pod of a Deployment of `trust-apps.ts`. */
export async function podOf(
  { cluster }: RealMesh,
  { namespace, workload }: AppContainer,
): Promise<ObjectKey> {
  const app = workload.replace('deployment/', '');
  const names = await cluster.kubectl('get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'name');
  const [name, ...others] = names.trim().split('\n');
  if (!name || others.length > 0) throw new Error(`${namespace}/${workload} has not one pod: ${names}`);
  return { namespace, name: name.replace('pod/', '') };
}

/** The roots (fingerprints) that `istio-ca-root-cert` holds in one or more namespaces, each once. */
export async function rootsInConfigMaps({ cluster }: RealMesh): Promise<string[]> {
  const selector = ['--field-selector', 'metadata.name=istio-ca-root-cert'];
  const text = await cluster.kubectl('get', 'configmaps', '-A', ...selector, '-o', 'json');
  const { items } = JSON.parse(text) as { items: readonly { data: Readonly<Record<string, string>> }[] };
  return [...new Set(items.flatMap(({ data }) => fingerprintsOf(data['root-cert.pem'] ?? '')))];
}

/** Waits until all proxies trust just these roots, and have certificates of this issuer (each by its fingerprint). */
export async function untilAllProxies(
  { cluster }: RealMesh,
  trust: { readonly roots: readonly string[]; readonly signer: string },
): Promise<void> {
  const roots = [...trust.roots].sort();
  let others: readonly ProxyTrust[] = [];
  const explain = async () => JSON.stringify(others);
  const what = `all proxies trust ${roots.join(' and ')}, and have certificates of ${trust.signer}`;
  await waitUntil({ what, explain }, async () => {
    const all = await readProxyTrust(cluster, trustProxies);
    others = all.filter((proxy) => proxy.signer !== trust.signer || proxy.roots.join() !== roots.join());
    return others.length === 0;
  });
}
