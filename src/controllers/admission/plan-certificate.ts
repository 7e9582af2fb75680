import type { ServingSlots, SlotCertificate } from './serving-slots.ts';

/** Kubernetes' own signers issue serving certificates for as long at most; renewed well before (RFC 5280 has no rule). */
export const certificateLifetimeMs = 90 * 24 * 3_600_000;
const renewBeforeMs = 30 * 24 * 3_600_000;

/** An API server follows webhook configurations by a watch of its own: after this long it has the new bundle. */
export const settleMs = 2_000;

/** What to do about the serving certificate next. */
export type CertificateStep =
  /** Make one and put it into this slot. */
  | { readonly kind: 'issue'; readonly slot: 'current' | 'next' }
  /** Let `next` become `current`. */
  | { readonly kind: 'switch' }
  /** Nothing before this long. */
  | { readonly kind: 'wait'; readonly forMs: number };

export interface CertificateFacts {
  readonly slots: ServingSlots;
  readonly now: Date;
  /** A replica may be answering API servers with a certificate right now. */
  readonly isServing: boolean;
  /** How long every webhook has trusted the authority of `next`; undefined while one does not. */
  readonly nextTrustedForMs: number | undefined;
}

/**
 * The next step towards a serving certificate that is valid and not about to end. While a replica serves, its successor
 * is prepared first and used once API servers trust it; when none does, there is nobody to wait for.
 */
export function planCertificate(facts: CertificateFacts): CertificateStep {
  const { slots, now, isServing, nextTrustedForMs } = facts;
  const isUsable = (certificate: SlotCertificate | undefined): certificate is SlotCertificate =>
    certificate !== undefined && certificate.notAfter > now;
  if (isUsable(slots.next)) {
    if (!isServing) return { kind: 'switch' };
    if (nextTrustedForMs === undefined) return { kind: 'wait', forMs: settleMs };
    return nextTrustedForMs >= settleMs
      ? { kind: 'switch' }
      : { kind: 'wait', forMs: settleMs - nextTrustedForMs };
  }
  if (!isUsable(slots.current)) return { kind: 'issue', slot: isServing ? 'next' : 'current' };
  const dueInMs = slots.current.notAfter.getTime() - renewBeforeMs - now.getTime();
  return dueInMs <= 0 ? { kind: 'issue', slot: 'next' } : { kind: 'wait', forMs: dueInMs };
}
