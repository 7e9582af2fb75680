import { configMapEntry } from '../../api/config-map-entry.ts';
import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import type { PrimaryStatement } from '../../api/primary-statement.ts';
import { rootConfigMapKey, rootConfigMapName } from '../../api/resolve-authority.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { readSecretText } from '../../kube/secret-data.ts';
import { versionOfBundle } from '../../pki/istio-bundle.ts';
import type { Informer, InformerDeps } from '../../runtime/informer.ts';
import { WatchedObjects } from '../../runtime/watched-objects.ts';

/** By what proxies of other clusters know an istiod, and each other. */
export type IstiodTrust = Pick<PrimaryStatement, 'version' | 'signerPem'> & {
  /** PEM; empty while there are none. */
  readonly rootsPem: string;
};

export interface IstiodTrustsDeps extends InformerDeps {
  /** Secrets `cacerts`, by which istiods have what we keep for them. */
  readonly cacerts: Informer;
  /** The version of the bundle that every replica of a namespace has loaded; undefined while that is not known. */
  readonly loadedVersion: (namespace: string) => string | undefined;
  readonly onChange: (mesh: ObjectKey) => void;
}

/**
 * What istiods trust and sign with. Where we keep the authority, that is what istiod is given; otherwise it is what
 * whoever keeps it brings to the namespace of the mesh.
 */
export class IstiodTrusts {
  readonly #cacerts: Informer;
  readonly #loadedVersion: IstiodTrustsDeps['loadedVersion'];
  readonly #rootConfigMaps: WatchedObjects;

  constructor({ cacerts, loadedVersion, onChange, ...deps }: IstiodTrustsDeps) {
    this.#cacerts = cacerts;
    this.#loadedVersion = loadedVersion;
    this.#rootConfigMaps = new WatchedObjects(kindInfo('v1', 'ConfigMap'), deps, onChange);
  }

  /** Of the mesh's istiod now. */
  async of(
    key: ObjectKey,
    { namespace, authority }: ResolvedMesh,
    signal: AbortSignal,
  ): Promise<IstiodTrust> {
    if (authority.enabled) {
      this.#rootConfigMaps.forget(key);
      const trust = trustOfSecret(this.#cacerts.get(namespace, 'cacerts'));
      // An answer counts once no replica may take back what a proxy has.
      const isAsked = authority.spire === undefined && trust.version === this.#loadedVersion(namespace);
      return isAsked ? trust : { ...trust, version: '' };
    }
    const name = { namespace, name: rootConfigMapName };
    return trustOfConfigMap(await this.#rootConfigMaps.read(key, name, signal));
  }

  /** Of a mesh that tells nobody any more. */
  forget(key: ObjectKey): void {
    this.#rootConfigMaps.forget(key);
  }
}

const nothing: IstiodTrust = { version: '', signerPem: '', rootsPem: '' };

function trustOfSecret(secret: KubernetesObject | undefined): IstiodTrust {
  if (secret === undefined) return nothing;
  const file = (name: string) => readSecretText(secret, name) ?? '';
  const rootsPem = file('root-cert.pem');
  const version = versionOfBundle({ 'root-cert.pem': rootsPem, 'cert-chain.pem': file('cert-chain.pem') });
  return { version, signerPem: file('ca-cert.pem'), rootsPem };
}

function trustOfConfigMap(configMap: KubernetesObject | undefined): IstiodTrust {
  const rootsPem = configMapEntry(configMap, rootConfigMapKey);
  return rootsPem === undefined ? nothing : { ...nothing, rootsPem };
}
