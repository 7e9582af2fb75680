import { issuerText } from '../../api/issuer-text.ts';
import type { ResolvedAuthority } from '../../api/resolved-authority.ts';
import type { RotationPolicy } from '../../pki/rotation-policy.ts';

/** When an authority is replaced, as the spec says it. */
export function rotationPolicy(
  { root, intermediate, issuer, soakMs, proceedAfterMs }: ResolvedAuthority,
  isPaused: boolean,
): RotationPolicy {
  const signer = issuer === undefined ? {} : { issuer: issuerText(issuer) };
  const patience = proceedAfterMs === undefined ? {} : { proceedAfterMs };
  return { root, intermediate, ...signer, soakMs, ...patience, isPaused };
}
