import type { AuthorityFigures, CertificateEnd, Validity } from '../../observability/trust-metrics.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import type { GateProgress } from './trust-status.ts';

/** An authority as the metrics show it. */
export function authorityFigures(
  { phase, roots, intermediates }: AuthorityState,
  { blockers, proxies }: GateProgress,
): AuthorityFigures {
  const certificates = (['current', 'next', 'previous'] as const).flatMap((slot) =>
    (
      [
        ['root', roots[slot]],
        ['intermediate', intermediates[slot]],
      ] as const
    ).flatMap(([certificate, material]): CertificateEnd[] =>
      material === undefined ? [] : [{ certificate, slot, ...validityOf(material.certPem) }],
    ),
  );
  const byGate: Record<string, number> = {};
  for (const { gate } of blockers) byGate[gate] = (byGate[gate] ?? 0) + 1;
  return { phase, certificates, blockers: byGate, ...(proxies === undefined ? {} : { proxies }) };
}

function validityOf(certPem: string): Validity {
  const { notBefore, notAfter } = factsOf(certPem);
  return { notBefore, notAfter };
}
