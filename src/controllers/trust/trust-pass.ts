import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { rotateAnnotation } from '../../api/labels.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { MemberView } from '../../pki/member-view.ts';
import type { RotationPolicy } from '../../pki/rotation-policy.ts';
import type { Due } from '../../pki/rotation-schedule.ts';
import type { ReconcileContext } from '../../runtime/reconciler.ts';
import type { ForeignBundle } from './bundle-statement.ts';
import type { OrderTrouble } from './certificate-orders.ts';
import type { ObservedMeshes } from './observed-meshes.ts';

/** One pass for one authority. */
export interface TrustPass {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
  readonly observed: ObservedMeshes;
  readonly context: ReconcileContext;
  readonly now: Date;
  readonly policy: RotationPolicy;
  /** The clusters that roots are exchanged with. */
  readonly members: readonly MemberView[];
  /** Those that follow its istiod. */
  readonly followers: readonly MemberView[];
  /** What the person who looks should know besides; of what was plugged in. */
  refusal?: string;
  /** What is due and only the user can bring. */
  needed?: Due;
  /** Roots of SPIRE, where that issues the certificates of workloads. */
  spireBundle?: ForeignBundle | undefined;
  /** The version of the stored authority that the pass goes by; undefined while there is none. */
  version?: string;
  /** Why what was ordered from an issuer is not there yet. */
  order?: OrderTrouble;
}

/** What somebody asks for by annotation; undefined for nothing. */
export function requestOf({ object }: Pick<TrustPass, 'object'>): string | undefined {
  return object.metadata.annotations?.[rotateAnnotation];
}

/** The proxies that a rotation is about: none where SPIRE issues their certificates. */
export function proxiesOf({ mesh, observed }: TrustPass): readonly KubernetesObject[] {
  return mesh.authority.spire === undefined ? observed.proxies : [];
}
