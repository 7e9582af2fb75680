import { bitString, derOf, integer, objectIdentifier, sequence, set, tagged } from './asn1.ts';
import {
  type CertificateName,
  distinguishedName,
  extensionList,
  pemOf,
  publicKeyInfo,
} from './certificate-parts.ts';
import type { KeyPair } from './key-pair.ts';
import { signatureAlgorithmOf, signedBy } from './signature-algorithm.ts';

/** What a certificate that somebody else signs should say. */
export interface SigningRequest extends CertificateName {
  /** As node-forge writes extensions. */
  readonly extensions: readonly object[];
}

/** Attribute `extensionRequest` (RFC 2985 section 5.4.2). */
const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * A PKCS #10 certification request (RFC 2986) in PEM, which proves that we have the key without showing it. It is signed
 * as certificates of the same key are. Throws for a key of another kind than RSA and P-256, P-384 and P-521.
 */
export function buildSigningRequest(request: SigningRequest, keys: KeyPair): string {
  const info = sequence(
    integer(Uint8Array.of(0)), // version 1
    distinguishedName(request),
    publicKeyInfo(keys.publicKey),
    tagged(0, sequence(objectIdentifier(extensionRequest), set(extensionList(request.extensions)))),
  );
  const { identifier } = signatureAlgorithmOf(keys.privateKey);
  return pemOf(
    'CERTIFICATE REQUEST',
    sequence(info, identifier, bitString(signedBy(keys.privateKey, derOf(info)))),
  );
}
