import { type KeyObject, sign } from 'node:crypto';
import { type Asn1, nothing, objectIdentifier, sequence } from './asn1.ts';

/** How a key signs certificates. */
export interface SignatureAlgorithm {
  /** AlgorithmIdentifier: RSA has NULL parameters (RFC 4055 section 5), ECDSA none (RFC 5758 section 3.2). */
  readonly identifier: Asn1;
  readonly digest: string;
}

const rsa = { identifier: sequence(objectIdentifier('1.2.840.113549.1.1.11'), nothing()), digest: 'sha256' };

/** Each curve with the digest of its own strength. */
const ecdsa: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.2')), digest: 'sha256' },
  secp384r1: { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.3')), digest: 'sha384' },
  secp521r1: { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.4')), digest: 'sha512' },
};

/** What certificates that this key signs are signed with. Throws for a kind of key that is neither. */
export function signatureAlgorithmOf(key: KeyObject): SignatureAlgorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const algorithm = key.asymmetricKeyType === 'rsa' ? rsa : ecdsa[curve];
  if (algorithm !== undefined) return algorithm;
  const kind = `${key.asymmetricKeyType ?? key.type} ${curve}`.trim();
  throw new Error(`Cannot sign certificates with a key of kind ${kind}: use RSA, or P-256, P-384 or P-521`);
}

/** Node signs, so that the private key never becomes a JavaScript number. */
export function signedBy(key: KeyObject, body: Uint8Array): Buffer {
  return sign(signatureAlgorithmOf(key).digest, body, key);
}
