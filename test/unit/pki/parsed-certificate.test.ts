import { describe, expect, it } from 'vitest';
import { keyAlgorithms } from '../../../src/api/key-algorithms.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { parseCertificate } from '../../../src/pki/parsed-certificate.ts';
import { openssl } from '../../support/openssl.ts';

async function selfSigned(keyPem: string, extensions: readonly string[]): Promise<string> {
  return openssl(
    { 'key.pem': keyPem, 'req.cnf': '[req]\ndistinguished_name = name\n[name]\n' },
    ...['req', '-config', 'req.cnf', '-x509', '-new', '-key', 'key.pem', '-subj', '/CN=Test'],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  );
}

describe('parseCertificate', () => {
  it.each(keyAlgorithms)(
    'reads what openssl has written for a key of %s',
    async (algorithm) => {
      const pem = await selfSigned(privateKeyPem(await generateKeyPair(algorithm)), [
        'basicConstraints=critical,CA:TRUE,pathlen:200',
        'keyUsage=critical,digitalSignature,keyCertSign,decipherOnly',
        'subjectKeyIdentifier=01:02:03:04',
      ]);

      const parsed = parseCertificate(pem);

      expect(parsed.version).toBe(3);
      expect(parsed.basicConstraints).toEqual({ authority: true, pathLength: 200 });
      expect(parsed.keyUsage).toEqual(new Set(['digitalSignature', 'keyCertSign', 'decipherOnly']));
      expect(parsed.subjectKeyIdentifier).toEqual(Buffer.from('01020304', 'hex'));
      expect(parsed.subject.equals(parsed.issuer)).toBe(true);
      expect(parsed.signatureAlgorithm).toBe(
        algorithm.startsWith('RSA') ? '1.2.840.113549.1.1.11' : '1.2.840.10045.4.3.2',
      );
    },
    60_000,
  );

  it('knows nothing of extensions that are not there', async () => {
    const pem = await selfSigned(privateKeyPem(await generateKeyPair('ECDSA-P256')), [
      'subjectKeyIdentifier=none',
      'authorityKeyIdentifier=none',
    ]);

    const { basicConstraints, keyUsage, subjectKeyIdentifier, authorityKeyIdentifier } =
      parseCertificate(pem);

    expect([basicConstraints, keyUsage, subjectKeyIdentifier, authorityKeyIdentifier]).toEqual([
      ...[undefined, undefined, undefined, undefined],
    ]);
  });

  it('reads a certificate with an extension of somebody’s own that is not DER', async () => {
    const pem = await selfSigned(privateKeyPem(await generateKeyPair('ECDSA-P256')), [
      '1.2.3.4=DER:ff:ff:ff',
      'basicConstraints=critical,CA:TRUE',
    ]);

    expect(parseCertificate(pem).basicConstraints).toEqual({ authority: true });
  });
});
