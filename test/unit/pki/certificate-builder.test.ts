import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildCertificate, serialOf } from '../../../src/pki/certificate-builder.ts';
import { generateKeyPair, type KeyPair } from '../../../src/pki/key-pair.ts';
import { parseCertificate } from '../../../src/pki/parsed-certificate.ts';
import { openssl } from '../../support/openssl.ts';

function selfSigned(keys: KeyPair): string {
  return buildCertificate(
    {
      ...{ commonName: 'Test', serial: serialOf(randomBytes(16)), extensions: [] },
      ...{ notBefore: new Date(0), notAfter: new Date('2040-01-01T00:00:00Z') },
    },
    keys,
  );
}

/** The public point of an elliptic curve as the certificate holds it: the last 65 bytes of the SPKI of P-256. */
function pointOf({ publicKey }: KeyPair): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
}

describe('buildCertificate', () => {
  it('identifies a key by the SHA-1 of its bits, also when they look like an OCTET STRING', () => {
    let keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    while (pointOf(keys)[1] !== 63) keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

    const { subjectKeyIdentifier, x509 } = parseCertificate(selfSigned(keys));

    expect(subjectKeyIdentifier).toEqual(createHash('sha1').update(pointOf(keys)).digest());
    expect(x509.publicKey.equals(keys.publicKey)).toBe(true);
  });

  it.each([
    ['RSA-2048', 'sha256WithRSAEncryption'],
    ['ECDSA-P256', 'ecdsa-with-SHA256'],
    ['ECDSA-P384', 'ecdsa-with-SHA384'],
  ] as const)('signs with %s as openssl calls %s', async (algorithm, name) => {
    const pem = selfSigned(await generateKeyPair(algorithm));

    const text = await openssl({ 'cert.pem': pem }, 'x509', '-in', 'cert.pem', '-noout', '-text');

    expect(text.match(/(?<=Signature Algorithm: )\S+/g)).toEqual([name, name]);
    expect(text).toContain('Version: 3');
  });

  it('signs with P-521, which an authority from elsewhere may have', () => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'secp521r1' });

    const { x509 } = parseCertificate(selfSigned(keys));

    expect(x509.verify(keys.publicKey)).toBe(true);
  });

  it.each([
    ['ed25519', generateKeyPairSync('ed25519')],
    ['ec secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('refuses to sign with %s', (kind, keys) => {
    expect(() => selfSigned(keys)).toThrow(
      `Cannot sign certificates with a key of kind ${kind}: use RSA, or P-256, P-384 or P-521`,
    );
  });
});
