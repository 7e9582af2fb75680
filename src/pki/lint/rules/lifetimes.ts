import { isInUse } from '../bundle.ts';
import { isSelfIssued, placesOf, whereIs } from '../bundle-certificate.ts';
import { issuerOnPath } from '../chain.ts';
import { reissue } from '../reissue.ts';
import type { CertificateRule } from '../rule.ts';

const day = 24 * 3_600_000;
const soonDays = 30;

/** A certificate is valid now and for a while. */
export const validityFindings: CertificateRule = (certificate, bundle, now) => {
  const { validFromDate: start, validToDate: end } = certificate.x509;
  const where = whereIs(certificate);
  // A root that nothing depends on any more does no harm.
  const severity = isInUse(bundle, certificate) ? 'error' : 'warning';
  if (end <= now) {
    const fix = isSelfIssued(certificate)
      ? 'Replace it by a root that every proxy trusts already, or rotate to a new one.'
      : 'Have it issued again.';
    return [{ ...{ severity, rule: 'Expired', where }, problem: `It has expired at ${at(end)}`, fix }];
  }
  if (start > now) {
    const fix =
      'Wait until then, or have it issued again; look at the clock of the machine that it was made on.';
    return [
      { ...{ severity, rule: 'NotYetValid', where }, problem: `It is not valid before ${at(start)}`, fix },
    ];
  }
  const daysLeft = Math.floor((end.getTime() - now.getTime()) / day);
  if (daysLeft >= soonDays) return [];
  return [
    {
      ...{ severity: 'warning', rule: 'EndsSoon', where },
      problem: `It ends in ${daysLeft} days, at ${at(end)}; istiod shortens what it signs to that`,
      fix: 'Replace it now: an intermediate by one of the same root, a root by a rotation.',
    },
  ];
};

/**
 * A certificate ends before its issuer does. It may begin before it: a root that is issued again with its key begins
 * after what it has signed.
 */
export const nestingFindings: CertificateRule = (certificate, bundle, now) => {
  const issuer = issuerOnPath(bundle.chain, certificate);
  if (issuer === undefined || certificate.x509.validToDate <= issuer.x509.validToDate) return [];
  const [end, issuerEnd] = [certificate, issuer].map(({ x509 }) => at(x509.validToDate));
  return [
    {
      ...{ severity: 'error', rule: 'OutlivesIssuer', where: whereIs(certificate) },
      problem: `It ends at ${end}, after its issuer (${placesOf(issuer)}, ${issuerEnd}): what it signs breaks when the issuer ends, with no warning`,
      ...reissue(bundle, certificate, now),
    },
  ];
};

/** Whole seconds, which is all that certificates have. */
function at(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}
