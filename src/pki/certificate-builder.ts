import { createHash, type KeyObject } from 'node:crypto';
import {
  type Asn1,
  bitString,
  derOf,
  integer,
  octetString,
  parseDer,
  sequence,
  tagged,
  taggedBytes,
  time,
} from './asn1.ts';
import {
  type CertificateName,
  distinguishedName,
  extensionList,
  pemOf,
  publicKeyInfo,
} from './certificate-parts.ts';
import type { KeyPair } from './key-pair.ts';
import { parseCertificate } from './parsed-certificate.ts';
import { signatureAlgorithmOf, signedBy } from './signature-algorithm.ts';

/** What a certificate says, apart from its keys. */
export interface CertificateTemplate extends CertificateName {
  /** Positive, at most 20 bytes: RFC 5280 section 4.1.2.2. */
  readonly serial: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** As node-forge writes extensions; key identifiers are added. */
  readonly extensions: readonly object[];
}

/** Who signs. */
export interface CertificateIssuer {
  readonly certPem: string;
  readonly keys: KeyPair;
}

/**
 * An X.509 v3 certificate in PEM (RFC 5280 section 4.1), self-signed when there is no issuer. RSA signs with SHA-256,
 * a curve with the SHA-2 of its strength. The issuer's name and key identifier are copied from its certificate, so
 * chains are found by them; other identifiers are the SHA-1 of the public key (section 4.2.1.2, method 1). Times are cut
 * to whole seconds. Throws when the issuer's certificate cannot be read or its key is of another kind than RSA and
 * P-256, P-384 and P-521; whether the two belong together is the caller's business.
 */
export function buildCertificate(
  template: CertificateTemplate,
  keys: KeyPair,
  issuer?: CertificateIssuer,
): string {
  const subject = distinguishedName(template);
  const signer = issuer === undefined ? selfSigner(subject, keys) : signerOf(issuer);
  const { identifier } = signatureAlgorithmOf(signer.key);
  const body = sequence(
    tagged(0, integer(Uint8Array.of(2))), // version 3
    integer(template.serial),
    identifier,
    signer.name,
    sequence(time(template.notBefore), time(template.notAfter)),
    subject,
    publicKeyInfo(keys.publicKey),
    tagged(
      3,
      extensionList([
        ...template.extensions,
        { name: 'subjectKeyIdentifier', value: octetString(keyIdentifierOf(keys.publicKey)) },
        { name: 'authorityKeyIdentifier', value: sequence(taggedBytes(0, signer.keyIdentifier)) },
      ]),
    ),
  );
  return pemOf('CERTIFICATE', sequence(body, identifier, bitString(signedBy(signer.key, derOf(body)))));
}

/** A serial of 128 random bits, the first of which is 0: never negative, never empty. */
export function serialOf(random: Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random.slice(0, 16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** What of a signer goes into the certificates that it signs. */
interface Signer {
  readonly name: Asn1;
  readonly keyIdentifier: Uint8Array;
  readonly key: KeyObject;
}

function selfSigner(name: Asn1, { publicKey, privateKey }: KeyPair): Signer {
  return { name, keyIdentifier: keyIdentifierOf(publicKey), key: privateKey };
}

function signerOf({ certPem, keys }: CertificateIssuer): Signer {
  const { subject, subjectKeyIdentifier } = parseCertificate(certPem);
  return {
    name: parseDer(subject),
    keyIdentifier: subjectKeyIdentifier ?? keyIdentifierOf(keys.publicKey),
    key: keys.privateKey,
  };
}

function keyIdentifierOf(key: KeyObject): Uint8Array {
  const [, bits] = publicKeyInfo(key).value as Asn1[];
  const [, ...bytes] = Buffer.from(bits?.value as string, 'binary'); // the first one counts unused bits
  return createHash('sha1').update(Uint8Array.from(bytes)).digest();
}
