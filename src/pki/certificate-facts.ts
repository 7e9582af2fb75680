import { X509Certificate } from 'node:crypto';

/** What gates and schedules ask of a certificate. */
export interface CertificateFacts {
  /** SHA-256 of the DER, lower-case hexadecimal without colons. */
  readonly fingerprint: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const known = new Map<string, CertificateFacts>();
const maxKnown = 4096;

/** The facts of one PEM certificate, remembered by its text. Throws when it is none. */
export function factsOf(certPem: string): CertificateFacts {
  const found = known.get(certPem);
  if (found !== undefined) return found;
  const certificate = new X509Certificate(certPem);
  const facts: CertificateFacts = {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: certificate.serialNumber.toLowerCase(),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
  };
  if (known.size >= maxKnown) known.clear();
  known.set(certPem, facts);
  return facts;
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, each as a text that ends in a line break; whatever is between them is left out. */
export function splitCertificates(pem: string): string[] {
  return [...pem.matchAll(certificateBlock)].map(([block]) => `${block}\n`);
}

/** Whether a PEM text is a certificate that can be read. */
export function isCertificate(certPem: string): boolean {
  try {
    factsOf(certPem);
    return true;
  } catch {
    return false;
  }
}
