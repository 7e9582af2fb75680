import { isSelfIssued, placesOf, whereIs } from '../bundle-certificate.ts';
import { issuerOnPath } from '../chain.ts';
import { reissue } from '../reissue.ts';
import type { CertificateRule } from '../rule.ts';

/** An authority can be found by the identifier of its key (RFC 5280 sections 4.2.1.1 and 4.2.1.2). */
export const missingKeyIdentifierFindings: CertificateRule = (certificate, bundle, now) => {
  const { version, subjectKeyIdentifier, authorityKeyIdentifier } = certificate;
  if (version < 3) return []; // the version is what is to be repaired
  const missing = [
    ...(subjectKeyIdentifier === undefined ? ['subjectKeyIdentifier'] : []),
    // A root may leave it out.
    ...(authorityKeyIdentifier === undefined && !isSelfIssued(certificate) ? ['authorityKeyIdentifier'] : []),
  ];
  if (missing.length === 0) return [];
  return [
    {
      ...{ severity: 'warning', rule: 'MissingKeyIdentifier', where: whereIs(certificate) },
      problem: `It lacks ${missing.join(' and ')}: while two authorities of one name are in use, as in a rotation, verifiers may take the wrong one`,
      ...reissue(bundle, certificate, now),
    },
  ];
};

/** A certificate points to the key of the issuer that it has. */
export const keyIdentifierMismatchFindings: CertificateRule = (certificate, bundle, now) => {
  const issuer = isSelfIssued(certificate) ? certificate : issuerOnPath(bundle.chain, certificate);
  const [wanted, found] = [certificate.authorityKeyIdentifier, issuer?.subjectKeyIdentifier];
  if (issuer === undefined || wanted === undefined || found === undefined || wanted.equals(found)) return [];
  return [
    {
      ...{ severity: 'error', rule: 'KeyIdentifierMismatch', where: whereIs(certificate) },
      problem: `Its authorityKeyIdentifier is not the subjectKeyIdentifier of its issuer (${placesOf(issuer)}): Envoy and openssl do not take that one for its issuer`,
      ...reissue(bundle, certificate, now),
    },
  ];
};
