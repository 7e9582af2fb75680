import { issuerNameOf, placesOf, whereIs } from '../bundle-certificate.ts';
import { reissue } from '../reissue.ts';
import type { CertificateRule } from '../rule.ts';

/** A serial is not negative (RFC 5280 section 4.1.2.2). */
export const negativeSerialFindings: CertificateRule = (certificate, bundle, now) => {
  if (!certificate.x509.serialNumber.startsWith('-')) return [];
  return [
    {
      ...{ severity: 'error', rule: 'NegativeSerial', where: whereIs(certificate) },
      problem: 'Its serial is negative: Go, and so istiod, does not read it',
      ...reissue(bundle, certificate, now),
    },
  ];
};

/** An issuer uses a serial once. Of several certificates with one, all but the first are named. */
export const duplicateSerialFindings: CertificateRule = (certificate, bundle, now) => {
  const { serialNumber } = certificate.x509;
  const [first] = bundle.certificates.filter(
    ({ x509, issuer }) => x509.serialNumber === serialNumber && issuer.equals(certificate.issuer),
  );
  if (first === undefined || first === certificate) return [];
  return [
    {
      ...{ severity: 'error', rule: 'DuplicateSerial', where: whereIs(certificate) },
      problem: `Its issuer (${issuerNameOf(certificate)}) has given the serial ${serialNumber.slice(0, 40)} twice, also to ${placesOf(first)}: caches and revocation take one for the other`,
      ...reissue(bundle, certificate, now),
    },
  ];
};
