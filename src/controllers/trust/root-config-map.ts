import { configMapEntry } from '../../api/config-map-entry.ts';
import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { authorityLabel } from '../../api/labels.ts';
import { rootConfigMapKey, rootConfigMapName } from '../../api/resolve-authority.ts';
import { isRecord, stableHash } from '../../base/stable-json.ts';
import { factsOf, splitCertificates } from '../../pki/certificate-facts.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import { bundleManager } from './field-managers.ts';

/** istiod writes it on every copy; `istioctl` and our removal of what is left find them by it. */
const istioLabel = 'istio.io/config';

/** What is kept in memory of one copy of a bundle. */
export interface RootConfigMap {
  readonly namespace: string;
  readonly name: string;
  /** Fingerprints of its roots. */
  readonly roots: ReadonlySet<string>;
  /** Of the whole text (`bundleDigest`). */
  readonly digest: string;
  readonly hasLabel: boolean;
  /** The control-plane namespace whose external authority it is a copy for; absent when none of ours is. */
  readonly owner?: string;
  /** The field manager that has written the roots, other than we; absent when nobody else has. */
  readonly writer?: string;
}

/** Names a text of roots. */
export function bundleDigest(pem: string): string {
  return stableHash(pem);
}

/** The copy of an external authority's bundle for one namespace; `owner` is the control-plane namespace. */
export function rootConfigMap(namespace: string, owner: string, pem: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: rootConfigMapName,
      namespace,
      labels: { [istioLabel]: 'true', [authorityLabel]: owner },
    },
    data: { [rootConfigMapKey]: pem },
  };
}

/** The root ConfigMaps of the usual name that istiods, external authorities or we keep in all namespaces, reduced to what is asked of them. */
export function createRootConfigMapInformer(deps: InformerDeps): Informer {
  return new Informer(
    {
      kind: kindInfo('v1', 'ConfigMap'),
      fieldSelector: `metadata.name=${rootConfigMapName}`,
      transform: reduced,
    },
    deps,
  );
}

/** Those under another name, which istiods of tenants keep: they have the label of istiod. */
export function createNamedRootConfigMapInformer(deps: InformerDeps): Informer {
  return new Informer(
    {
      kind: kindInfo('v1', 'ConfigMap'),
      labelSelector: `${istioLabel}=true`,
      fieldSelector: `metadata.name!=${rootConfigMapName}`,
      transform: reduced,
    },
    deps,
  );
}

/** What the informer keeps of a copy. */
export function readRootConfigMap({ metadata, data }: KubernetesObject): RootConfigMap {
  const { roots = '', digest = '', writer = '' } = (data ?? {}) as Record<string, string>;
  const owner = metadata.labels?.[authorityLabel];
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    roots: new Set(roots === '' ? [] : roots.split(',')),
    digest,
    hasLabel: metadata.labels?.[istioLabel] === 'true',
    ...(owner === undefined ? {} : { owner }),
    ...(writer === '' ? {} : { writer }),
  };
}

/** The fingerprints in a PEM text; a text that is no certificate is no root. */
export function fingerprintsOf(pem: string): string[] {
  return splitCertificates(pem).flatMap((certificate) => {
    try {
      return [factsOf(certificate).fingerprint];
    } catch {
      return [];
    }
  });
}

function reduced(configMap: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata } = configMap;
  const { name, namespace = '', resourceVersion = '', labels = {} } = metadata;
  const text = configMapEntry(configMap, rootConfigMapKey) ?? '';
  const kept = [istioLabel, authorityLabel].filter((label) => labels[label] !== undefined);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      resourceVersion,
      labels: Object.fromEntries(kept.map((label) => [label, labels[label] ?? ''])),
    },
    data: { roots: fingerprintsOf(text).join(), digest: bundleDigest(text), writer: otherWriterOf(metadata) },
  };
}

function otherWriterOf({ managedFields = [] }: KubernetesObject['metadata']): string {
  const writes = (claims: unknown) => {
    const data = isRecord(claims) ? claims['f:data'] : undefined;
    return isRecord(data) && Object.hasOwn(data, `f:${rootConfigMapKey}`);
  };
  const others = managedFields.filter(
    ({ manager, fieldsV1 }) => manager !== bundleManager && writes(fieldsV1),
  );
  return others.map(({ manager }) => manager).join(' and ');
}
