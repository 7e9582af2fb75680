import { describe, expect, it } from 'vitest';
import { type KeyAlgorithm, keyAlgorithms } from '../../../src/api/key-algorithms.ts';
import { generateKeyPair, keyPairOf, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { openssl } from '../../support/openssl.ts';

const details: Readonly<Record<KeyAlgorithm, object>> = {
  'RSA-2048': { modulusLength: 2048 },
  'RSA-3072': { modulusLength: 3072 },
  'RSA-4096': { modulusLength: 4096 },
  'ECDSA-P256': { namedCurve: 'prime256v1' },
  'ECDSA-P384': { namedCurve: 'secp384r1' },
};

describe('a key pair', () => {
  it.each(keyAlgorithms)(
    'of %s is what its name says, and comes back from its PEM',
    async (algorithm) => {
      const keys = await generateKeyPair(algorithm);

      const read = keyPairOf(privateKeyPem(keys));

      expect(keys.publicKey.asymmetricKeyDetails).toMatchObject(details[algorithm]);
      expect(read.publicKey.equals(keys.publicKey)).toBe(true);
      expect(read.privateKey.equals(keys.privateKey)).toBe(true);
    },
    60_000,
  );

  it.each([
    ['PKCS #1', 'RSA PRIVATE KEY', ['genrsa', '-traditional', '2048']],
    ['SEC 1', 'EC PRIVATE KEY', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout']],
    ['PKCS #8', 'PRIVATE KEY', ['genpkey', '-algorithm', 'RSA']],
  ])(
    'is read from %s of openssl',
    async (_form, label, command) => {
      const pem = await openssl({}, ...command);

      const { privateKey, publicKey } = keyPairOf(pem);

      expect(pem).toContain(`-----BEGIN ${label}-----`);
      expect(privateKey.type).toBe('private');
      expect(publicKey.type).toBe('public');
    },
    60_000,
  );

  it('that cannot be read is refused without a word of what was read', async () => {
    const whole = privateKeyPem(await generateKeyPair('ECDSA-P256'));
    const content = whole.split('\n').slice(1, -2).join('');
    const broken = whole.replace(content.slice(10, 14), '====');

    const attempt = () => keyPairOf(broken);

    expect(attempt).toThrow(/^The private key cannot be read: it must be PEM of PKCS #1/);
    expect(problemOf(attempt)).not.toMatch(new RegExp(content.slice(0, 8)));
  });

  it('with a passphrase is refused', async () => {
    const pem = await openssl({}, 'genpkey', '-algorithm', 'RSA', '-aes256', '-pass', 'pass:secret');

    expect(() => keyPairOf(pem)).toThrow(/without a passphrase/);
  });
});

function problemOf(attempt: () => unknown): string {
  try {
    attempt();
    return '';
  } catch (error) {
    return `${(error as Error).stack} ${JSON.stringify(error)} ${(error as Error).cause}`;
  }
}
