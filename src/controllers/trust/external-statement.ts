import type { ConditionUpdate } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { rotateAnnotation } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { profileOf } from '../../api/resolve-multi-cluster.ts';
import type { Blocker } from '../../pki/gates.ts';
import { lastingRoot } from '../../pki/trusted-roots.ts';
import { bundleTrouble, contestedStatement } from './bundle-statement.ts';
import type { ExternalReport } from './external-trust.ts';
import { trustConditionType } from './trust-status.ts';

/** What condition `TrustHealthy` says of a mesh whose authority somebody else keeps. */
export function externalStatement(
  {
    bundle,
    contested,
    behind = [],
  }: Pick<ExternalReport, 'bundle' | 'contested'> & {
    /** Proxies that another cluster waits for. */
    readonly behind?: readonly Blocker[];
  },
  { now, request }: { readonly now: Date; readonly request: string | undefined },
): Omit<ConditionUpdate, 'observedGeneration'> {
  const trouble = bundleTrouble(bundle, now) ?? contestedStatement(contested, bundle);
  if (trouble !== undefined) return trouble;
  const { roots = [], configMap, keeper } = bundle;
  const end = lastingRoot(roots).notAfter.toISOString();
  const asked =
    request === undefined
      ? ''
      : `. Annotation ${rotateAnnotation} has no effect: what it asks for is theirs to do`;
  return {
    type: trustConditionType,
    status: 'True',
    reason: 'Healthy',
    message: `The roots of ConfigMap ${configMap} are valid until ${end}. ${keeper} issues certificates and rotates its roots${asked}${behindText(behind)}`,
  };
}

function behindText([first, ...others]: readonly Blocker[]): string {
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `. It waits for proxies here: ${first.what} ${first.why}${more}`;
}

/** True for a MeshOperator, read leniently, that has us bring a bundle to namespaces. */
export function distributesBundle({ metadata, spec }: KubernetesObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const { certificateAuthority, ...rest } = (spec ?? {}) as NonNullable<MeshOperator['spec']>;
  const isFollower = rest.multiCluster !== undefined && profileOf(rest) === 'remote';
  const names =
    certificateAuthority?.provider === 'External' && certificateAuthority.external?.trustBundle !== undefined;
  return isFollower || names;
}
