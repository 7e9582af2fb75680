import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { JsonObject } from '../api/resolved-mesh.ts';

/** The configuration of an istiod, as it is in force. */
export interface ObservedControlPlane {
  /** `ConfigMap NAMESPACE/NAME`. */
  readonly source: string;
  readonly namespace: string;
  /** Empty for the default one. */
  readonly revision: string;
  /** The MeshConfig document. */
  readonly meshConfig: JsonObject;
}

/** Certificates of one place: those that its proxies trust, and those that its istiod signs with. */
export interface ObservedRoots {
  /** `ConfigMap NAMESPACE/NAME`. */
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  /** PEM, certificates alone. */
  readonly pem: string;
}

/** What a cluster is seen to have. */
export interface ClusterParts {
  readonly meshes: readonly KubernetesObject[];
  readonly namespaces: readonly KubernetesObject[];
  readonly pods: readonly KubernetesObject[];
  readonly networkPolicies: readonly KubernetesObject[];
  /** Objects of Istio's kinds. */
  readonly istioObjects: readonly KubernetesObject[];
  /** Services and EndpointSlices of the namespaces of tenants. */
  readonly services: readonly KubernetesObject[];
  /** Roles and ClusterRoles. */
  readonly roles: readonly KubernetesObject[];
  /** RoleBindings and ClusterRoleBindings. */
  readonly bindings: readonly KubernetesObject[];
  readonly controlPlanes: readonly ObservedControlPlane[];
  /** ConfigMaps by which proxies learn whom to trust. */
  readonly bundles: readonly ObservedRoots[];
  /** Of Secrets `cacerts`, without their keys. */
  readonly authorities: readonly ObservedRoots[];
  /** Secrets by which istiods know other clusters, their metadata alone. */
  readonly remoteSecrets: readonly KubernetesObject[];
  /** MutatingWebhookConfigurations. */
  readonly webhooks: readonly KubernetesObject[];
}
export type ClusterPart = keyof ClusterParts;

/** What could be read of a cluster; a part that could not is empty. */
export interface ObservedCluster extends ClusterParts {
  /** Why a part could not be read, a sentence without its full stop. */
  readonly unread: Readonly<Partial<Record<ClusterPart, string>>>;
}
