import { isRunning, replicaPods } from '../../api/istiod-replicas.ts';
import { type KubernetesObject, keyText } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { Informer } from '../../runtime/informer.ts';
import { objectKeyOf } from '../../runtime/informer-events.ts';
import { cacertsName } from './cacerts-secret.ts';

/** The caches that the trust controller decides from. */
export interface TrustInformers {
  readonly meshes: Informer;
  /** All pods, as `podRecord` keeps them, grouped by the mesh that owns them and by the revision they ask for. */
  readonly pods: Informer;
  readonly namespaces: Informer;
  /** What other clusters say of their istiods. */
  readonly primaries: Informer;
  /** Secrets `cacerts` and `istio-ca-secret` of all namespaces. */
  readonly cacerts: Informer;
  readonly istioCaSecrets: Informer;
  /** Those of the usual name, and those of tenants. */
  readonly rootConfigMaps: Informer;
  readonly namedRootConfigMaps: Informer;
  /** Validation webhooks, grouped by the mesh that owns them. */
  readonly webhooks: Informer;
}

/** Pods by what they have to do with a mesh. */
export interface PodLookups {
  /** Those whose proxies follow a revision, or that ask for it or for a tag. */
  readonly podsFollowing: (revision: string) => readonly KubernetesObject[];
  /** Every pod of a namespace. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
}

/** What is known of the meshes of one control-plane namespace, which share one authority: caches only. */
export class ObservedMeshes {
  readonly #informers: TrustInformers;
  readonly #lookups: PodLookups;
  readonly namespace: string;

  constructor(namespace: string, informers: TrustInformers, lookups: PodLookups) {
    this.namespace = namespace;
    this.#informers = informers;
    this.#lookups = lookups;
  }

  /** The MeshOperators of the namespace, the oldest first: it is the one whose spec counts. */
  get meshes(): KubernetesObject[] {
    const created = ({ metadata }: KubernetesObject) => metadata.creationTimestamp ?? '';
    return [...this.#informers.meshes.values()]
      .filter(({ metadata }) => metadata.namespace === this.namespace)
      .sort((a, b) => (`${created(a)}/${a.metadata.name}` < `${created(b)}/${b.metadata.name}` ? -1 : 1));
  }

  get cacerts(): KubernetesObject | undefined {
    return this.#informers.cacerts.get(this.namespace, cacertsName);
  }

  /** What an istiod that signs by itself has made. */
  get istioCaSecret(): KubernetesObject | undefined {
    return this.#informers.istioCaSecrets.get(this.namespace, 'istio-ca-secret');
  }

  get rootConfigMaps(): readonly KubernetesObject[] {
    const { rootConfigMaps, namedRootConfigMaps } = this.#informers;
    return [...rootConfigMaps.values(), ...namedRootConfigMaps.values()];
  }

  /** The webhooks that the istiods of these meshes serve. */
  get webhooks(): readonly KubernetesObject[] {
    return this.meshes.flatMap((mesh) => this.#informers.webhooks.byGroup(keyText(objectKeyOf(mesh))));
  }

  /** The pods of istiod that sign, or will: those of an adopted mesh may not carry its labels yet. */
  get replicas(): readonly KubernetesObject[] {
    return replicaPods(this.#lookups.podsIn(this.namespace));
  }

  /** Pods with a proxy that follows one of these meshes, and that runs; others are given what is current when they start. */
  get proxies(): readonly KubernetesObject[] {
    const revisions = this.meshes.flatMap((mesh) => {
      const { revision = '', revisionTags = [] } = (mesh as unknown as MeshOperator).spec ?? {};
      return [revisionLabel(revision), ...revisionTags];
    });
    const pods = [...new Set(revisions)].flatMap((revision) => this.#lookups.podsFollowing(revision));
    return pods.filter((pod) => isRunning(pod) && hasProxy(pod));
  }
}

function hasProxy({ spec }: KubernetesObject): boolean {
  if (!isRecord(spec)) return false;
  return [spec.containers, spec.initContainers].some((list) => Array.isArray(list) && list.length > 0);
}
