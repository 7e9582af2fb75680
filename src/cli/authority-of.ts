import { findCondition } from '../api/conditions.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type {
  CertificateAuthorityStatus,
  Condition,
  MeshOperatorStatus,
  TrustBundleStatus,
} from '../api/mesh-operator-status.ts';

/** What the status of a MeshOperator says of its certificate authority. */
export interface AuthorityOfMesh {
  readonly namespace: string;
  readonly name: string;
  /** Condition TrustHealthy; absent when the operator keeps no authority for the mesh, or has not seen it yet. */
  readonly trustHealthy?: Condition;
  readonly certificateAuthority?: CertificateAuthorityStatus;
  /** Roots of an authority that somebody else keeps. */
  readonly trustBundle?: TrustBundleStatus;
}

/** Takes it out of the object. */
export function authorityOf({ metadata, status }: KubernetesObject): AuthorityOfMesh {
  const { conditions = [], certificateAuthority, trustBundle } = (status ?? {}) as MeshOperatorStatus;
  const trustHealthy = findCondition(conditions, 'TrustHealthy');
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ...(trustHealthy === undefined ? {} : { trustHealthy }),
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(trustBundle === undefined ? {} : { trustBundle }),
  };
}
