import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { factsOf, splitCertificates } from '../../pki/certificate-facts.ts';
import type { ObservedBundle } from '../../pki/observed-trust.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';

const rootConfigMap = 'istio-ca-root-cert';
const rootKey = 'root-cert.pem';

/**
 * The root ConfigMaps that istiods keep in all namespaces, reduced to the fingerprints of their roots (`data.roots`,
 * joined by commas).
 */
export function createRootConfigMapInformer(deps: InformerDeps): Informer {
  return new Informer(
    {
      kind: kindInfo('v1', 'ConfigMap'),
      fieldSelector: `metadata.name=${rootConfigMap}`,
      transform: withRootsOnly,
    },
    deps,
  );
}

function withRootsOnly({ apiVersion, kind, metadata, data }: KubernetesObject): KubernetesObject {
  const { name, namespace = '', resourceVersion = '' } = metadata;
  const text = isRecord(data) ? data[rootKey] : undefined;
  const roots = typeof text === 'string' ? fingerprintsOf(text) : [];
  return { apiVersion, kind, metadata: { name, namespace, resourceVersion }, data: { roots: roots.join() } };
}

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
    .map(({ metadata, data }) => ({
      where: `ConfigMap ${metadata.namespace}/${metadata.name}`,
      roots: new Set(String((data as { roots?: string } | undefined)?.roots ?? '').split(',')),
    }))
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

/** A text that is no certificate is no root. */
function fingerprintsOf(pem: string): string[] {
  return splitCertificates(pem).flatMap((certificate) => {
    try {
      return [factsOf(certificate).fingerprint];
    } catch {
      return [];
    }
  });
}
