import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { operatorAccessLabel } from '../../api/labels.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { RemoteIdentity } from '../../kube/remote-identity.ts';
import { operatorAccessName } from '../../render/multicluster/operator-access.ts';

/** How much of a lifetime is used. */
const usedShare = 0.5;

/**
 * For how many seconds to ask for another token, when half of the life of the one is over by which the operator gets into
 * another cluster. Undefined before, and for a Secret that `remote-secret create` has not made: that of somebody else is
 * left alone. Pure.
 */
export function accessRenewal(
  secret: KubernetesObject,
  { credential }: RemoteIdentity,
  mesh: Pick<ResolvedMesh, 'namespace' | 'clusterId'>,
  now: Date,
): number | undefined {
  if (secret.metadata.labels?.[operatorAccessLabel] !== mesh.clusterId || !('token' in credential)) {
    return undefined;
  }
  const { sub, iat, exp } = claimsOf(credential.token);
  const account = `system:serviceaccount:${mesh.namespace}:${operatorAccessName(mesh)}`;
  if (sub !== account || typeof iat !== 'number' || typeof exp !== 'number') return undefined;
  const seconds = exp - iat;
  return now.getTime() / 1000 >= iat + seconds * usedShare ? seconds : undefined;
}

/** What a token says of itself (RFC 7519); nothing for a text that is none. */
function claimsOf(token: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return isRecord(claims) ? claims : {};
  } catch {
    // Tokens of other kinds say nothing.
    return {};
  }
}
