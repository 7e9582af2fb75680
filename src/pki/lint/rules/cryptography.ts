import type { KeyObject } from 'node:crypto';
import { type BundleCertificate, isSelfIssued, whereIs } from '../bundle-certificate.ts';
import { reissue } from '../reissue.ts';
import type { CertificateRule } from '../rule.ts';

const minimumRsaBits = 2048;
const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** Signatures that Go and Envoy verify, by their object identifiers (RFC 4055, RFC 5758). */
const goodSignatures: ReadonlySet<string> = new Set([
  ...['1.2.840.113549.1.1.10', '1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4'],
]);

/** Signatures that can be forged, or that nobody takes any more. */
const weakSignatures: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2 with RSA',
  '1.2.840.113549.1.1.4': 'MD5 with RSA',
  '1.2.840.113549.1.1.5': 'SHA-1 with RSA',
  '1.3.14.3.2.29': 'SHA-1 with RSA',
  '1.2.840.10040.4.3': 'SHA-1 with DSA',
  '1.2.840.10045.4.1': 'SHA-1 with ECDSA',
};

/** A key is one that proxies verify with, and that nobody can break. */
export const keyFindings: CertificateRule = (certificate) => {
  const problem = keyProblem(publicKeyOf(certificate));
  if (problem === undefined) return [];
  return [
    {
      ...{ severity: 'error', rule: 'WeakKey', where: whereIs(certificate), problem: `Its key ${problem}` },
      fix: `Make a new key of RSA with ${minimumRsaBits} bits or more, or of P-256 or P-384, and a certificate for it; a new root is brought in by a rotation.`,
    },
  ];
};

/** A signature is one that Go and Envoy verify, and that nobody can forge. */
export const signatureFindings: CertificateRule = (certificate, bundle, now) => {
  const { signatureAlgorithm } = certificate;
  if (goodSignatures.has(signatureAlgorithm)) return [];
  const algorithm = weakSignatures[signatureAlgorithm];
  // A root is trusted for its key; whoever verifies does not look at its signature.
  const severity = isSelfIssued(certificate) ? 'warning' : 'error';
  const problem =
    algorithm === undefined
      ? `It is signed with the algorithm ${signatureAlgorithm.slice(0, 60)}, which Go or Envoy does not verify`
      : `It is signed with ${algorithm}, which Go and Envoy refuse`;
  return [
    {
      ...{ severity, rule: 'WeakSignature', where: whereIs(certificate), problem },
      ...reissue(bundle, certificate, now),
    },
  ];
};

function keyProblem(key: KeyObject | undefined): string | undefined {
  if (key === undefined) return 'is of a kind that cannot be read';
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength < minimumRsaBits
        ? `is RSA with ${modulusLength} bits: fewer than ${minimumRsaBits} can be broken within the life of an authority`
        : undefined;
    case 'ec':
      return namedCurve in curves
        ? undefined
        : `is on the curve ${namedCurve || 'of parameters of its own'}: proxies verify ${Object.values(curves).join(', ')} alone`;
    default:
      return `is of the kind ${key.asymmetricKeyType}: proxies verify RSA and ECDSA alone`;
  }
}

function publicKeyOf({ x509 }: BundleCertificate): KeyObject | undefined {
  try {
    return x509.publicKey;
  } catch {
    return undefined;
  }
}
