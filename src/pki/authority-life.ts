import type { AuthorityState, RootMaterial } from './authority-state.ts';
import { type CertificateFacts, factsOf } from './certificate-facts.ts';
import { signerOf, signingRootOf } from './istio-bundle.ts';
import type { TriggerPolicy } from './rotation-policy.ts';

/**
 * Why no order of steps can save what the mesh has: nothing that the authority signs verifies, and it can sign nothing
 * that would. A sentence without key material; undefined while there is a way. An issuer can sign another intermediate
 * of a root that is valid; within a rotation nobody is asked for one.
 */
export function lapseOf(state: AuthorityState, now: Date, issuer?: string): string | undefined {
  const root = signingRootOf(state);
  const { notAfter } = factsOf(root.certPem);
  if (notAfter <= now) return `The root certificate ended at ${notAfter.toISOString()}`;
  const signer = factsOf(signerOf(state).certPem);
  const canSign = root.keyPem !== undefined || (issuer !== undefined && state.phase === 'Stable');
  if (signer.notAfter <= now && !canSign) {
    return `The intermediate certificate ended at ${signer.notAfter.toISOString()}, and the key of its root is not known`;
  }
  return undefined;
}

/**
 * The root that should sign another intermediate for the phase under way, whose own would end before the phase does:
 * somebody keeps a gate shut for long, or somebody has paused. Half of what makes a rotation due on its own must be gone
 * for it, and the new one must last. Undefined when it need not, or cannot.
 */
export function rootToRenewBy(
  state: AuthorityState,
  { threshold, lifetimeMs }: TriggerPolicy,
  now: Date,
): RootMaterial | undefined {
  const root = signingRootOf(state);
  if (root.keyPem === undefined) return undefined;
  const signer = factsOf(signerOf(state).certPem);
  const leftMs = remainingMs(signer, now);
  if (leftMs > (threshold / 2) * (signer.notAfter.getTime() - signer.notBefore.getTime())) return undefined;
  const newLifetimeMs = Math.min(lifetimeMs, remainingMs(factsOf(root.certPem), now));
  return newLifetimeMs > 2 * Math.max(0, leftMs) ? root : undefined;
}

function remainingMs({ notAfter }: CertificateFacts, now: Date): number {
  return notAfter.getTime() - now.getTime();
}
