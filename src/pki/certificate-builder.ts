import { sign } from 'node:crypto';
import forge from 'node-forge';
import type { KeyPair } from './key-pair.ts';

/** What a certificate says, apart from its keys. */
export interface CertificateTemplate {
  readonly commonName: string;
  /** Positive, at most 20 bytes: RFC 5280 section 4.1.2.2. */
  readonly serial: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** As node-forge writes extensions; key identifiers are added. */
  readonly extensions: readonly object[];
}

/** Who signs: itself when there is no issuer. */
export interface CertificateIssuer {
  readonly commonName: string;
  readonly keys: KeyPair;
}

/**
 * An X.509 v3 certificate in PEM, signed with SHA-256 and RSA. Subject and authority key identifiers are the SHA-1 of
 * the public keys (RFC 5280 section 4.2.1.2, method 1), so chains are found by them. Times are cut to whole seconds.
 */
export function buildCertificate(
  template: CertificateTemplate,
  keys: KeyPair,
  issuer: CertificateIssuer = { commonName: template.commonName, keys },
): string {
  const certificate = forge.pki.createCertificate();
  const issuerKey = forgePublicKey(issuer.keys);
  certificate.publicKey = forgePublicKey(keys);
  certificate.serialNumber = Buffer.from(template.serial).toString('hex');
  certificate.validity.notBefore = template.notBefore;
  certificate.validity.notAfter = template.notAfter;
  certificate.setSubject([{ name: 'commonName', value: template.commonName }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer.commonName }]);
  certificate.setExtensions([
    ...template.extensions,
    { name: 'subjectKeyIdentifier' },
    {
      name: 'authorityKeyIdentifier',
      keyIdentifier: forge.pki.getPublicKeyFingerprint(issuerKey, { type: 'RSAPublicKey' }).getBytes(),
    },
  ]);
  signCertificate(certificate, issuer.keys);
  return forge.pki.certificateToPem(certificate);
}

/** A serial of 128 random bits, the first of which is 0: never negative, never empty. */
export function serialOf(random: Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random.slice(0, 16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function forgePublicKey({ publicKey }: KeyPair): forge.pki.rsa.PublicKey {
  return forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }).toString());
}

/** Node signs, so that the private key never becomes a JavaScript number, and it is some twenty times faster. */
function signCertificate(certificate: forge.pki.Certificate, { privateKey }: KeyPair): void {
  const signer = {
    sign: () => {
      // node-forge sets it just before it asks for the signature; its types do not say so.
      const { tbsCertificate } = certificate as unknown as { readonly tbsCertificate: forge.asn1.Asn1 };
      const body = Buffer.from(forge.asn1.toDer(tbsCertificate).getBytes(), 'binary');
      return sign('sha256', body, privateKey).toString('binary');
    },
  };
  certificate.sign(signer as unknown as forge.pki.rsa.PrivateKey, forge.md.sha256.create());
}
