import { randomBytes } from 'node:crypto';
import { buildCertificate, type CertificateIssuer, serialOf } from '../../src/pki/certificate-builder.ts';
import type { KeyPair } from '../../src/pki/key-pair.ts';

const day = 24 * 3_600_000;

/** An authority's certificate with one thing wrong: what is not given is right for an intermediate of one year. */
export interface CertificateFlaws {
  readonly commonName?: string;
  readonly basicConstraints?: object;
  /** None at all when null. */
  readonly keyUsage?: object | null;
  readonly more?: readonly object[];
  readonly serial?: Uint8Array;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** Signs it, by itself when there is no issuer. */
export function flawedCertificate(
  flaws: CertificateFlaws,
  keys: KeyPair,
  issuer?: CertificateIssuer,
): string {
  const { basicConstraints = { cA: true }, keyUsage = { keyCertSign: true, cRLSign: true } } = flaws;
  return buildCertificate(
    {
      commonName: flaws.commonName ?? 'Flawed CA',
      serial: flaws.serial ?? serialOf(randomBytes(16)),
      notBefore: flaws.notBefore ?? new Date(Date.now() - 60_000),
      notAfter: flaws.notAfter ?? new Date(Date.now() + 365 * day),
      extensions: [
        { name: 'basicConstraints', critical: true, ...basicConstraints },
        ...(keyUsage === null ? [] : [{ name: 'keyUsage', critical: true, ...keyUsage }]),
        ...(flaws.more ?? []),
      ],
    },
    keys,
    issuer,
  );
}
