import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import type { ObservedBundle } from '../../pki/observed-trust.ts';
import { fingerprintsOf, readRootConfigMap } from './root-config-map.ts';

/**
 * The copies of an authority's bundle that the cluster holds: root ConfigMaps that hold any root of it (others are those
 * of other meshes), and what API servers verify the webhooks of its istiods by.
 */
export function observeBundles(
  state: AuthorityState,
  configMaps: readonly KubernetesObject[],
  webhooks: readonly KubernetesObject[],
): ObservedBundle[] {
  const ours = [state.roots.current, state.roots.next, state.roots.previous]
    .filter((root) => root !== undefined)
    .map(({ certPem }) => factsOf(certPem).fingerprint);
  const copies = configMaps
    .map(readRootConfigMap)
    .map(({ namespace, name, roots }) => ({ where: `ConfigMap ${namespace}/${name}`, roots }))
    .filter(({ roots }) => ours.some((root) => roots.has(root)));
  return [...copies, ...webhooks.flatMap(webhookBundles)];
}

function webhookBundles({ kind, metadata, webhooks }: KubernetesObject): ObservedBundle[] {
  const entries = Array.isArray(webhooks) ? webhooks.filter(isRecord) : [];
  return entries.map(({ name, clientConfig }) => {
    const bundle = isRecord(clientConfig) ? clientConfig.caBundle : undefined;
    const text = typeof bundle === 'string' ? Buffer.from(bundle, 'base64').toString() : '';
    return {
      where: `${kind} ${metadata.name}, webhook ${String(name)}`,
      roots: new Set(fingerprintsOf(text)),
    };
  });
}
