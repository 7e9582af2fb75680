import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { TerminalError } from '../base/errors.ts';

/** What a TLS server shows and proves. */
export interface ServingCertificate {
  /** PEM, leaf first. */
  readonly certPem: string;
  readonly keyPem: string;
  /** End of the leaf. */
  readonly notAfter: Date;
}

/**
 * A certificate and its key, checked to fit. Throws TerminalError with reason `InvalidCertificate` when one is not
 * PEM or the key is another certificate's, as while the two files are being replaced.
 */
export function parseServingCertificate(certPem: string, keyPem: string): ServingCertificate {
  const leaf = readPem('tls.crt', () => new X509Certificate(certPem));
  const key: KeyObject = readPem('tls.key', () => createPrivateKey(keyPem));
  if (!leaf.checkPrivateKey(key)) throw invalid('tls.key is not the key of the certificate in tls.crt');
  readPem('tls.crt', () => createSecureContext({ cert: certPem, key: keyPem }));
  return { certPem, keyPem, notAfter: new Date(leaf.validTo) };
}

/** Says that the certificate is of no use any more; undefined while it is. An API server refuses an expired one. */
export function expiryProblem(
  { notAfter }: Pick<ServingCertificate, 'notAfter'>,
  now: Date,
): string | undefined {
  return notAfter > now ? undefined : `expired at ${notAfter.toISOString()}`;
}

/** Messages of the crypto library are left out: nothing of a key may get into a log. */
function readPem<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw invalid(`${file} is not PEM that can be used`);
  }
}

function invalid(message: string): TerminalError {
  return new TerminalError(message, { reason: 'InvalidCertificate' });
}
