import type { ResolvedAuthority } from '../../api/resolved-authority.ts';
import type { RotationPolicy } from '../../pki/rotation-policy.ts';

/** When an authority is replaced, as the spec says it. */
export function rotationPolicy(
  { root, intermediate, soakMs }: ResolvedAuthority,
  isPaused: boolean,
): RotationPolicy {
  return { root, intermediate, soakMs, isPaused };
}
