import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyAlgorithm } from '../api/key-algorithms.ts';

/** A key pair; the private half is exported only by whoever stores it. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generateRsa = (modulusLength: number) => promisify(generate)('rsa', { modulusLength });
const generateEc = (namedCurve: string) => promisify(generate)('ec', { namedCurve });

const generators: Readonly<Record<KeyAlgorithm, () => Promise<KeyPair>>> = {
  'RSA-2048': () => generateRsa(2048),
  'RSA-3072': () => generateRsa(3072),
  'RSA-4096': () => generateRsa(4096),
  'ECDSA-P256': () => generateEc('prime256v1'),
  'ECDSA-P384': () => generateEc('secp384r1'),
};

/** New keys, made off the main thread: 1 ms for ECDSA, some 100 ms for RSA-2048, some seconds for RSA-4096. */
export function generateKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  return generators[algorithm]();
}

/** PKCS #8 in PEM. */
export function privateKeyPem({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The pair of a private key in PEM: PKCS #1, SEC 1 or PKCS #8. Throws, without a word of what it read. */
export function keyPairOf(pem: string): KeyPair {
  try {
    const privateKey = createPrivateKey(pem);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    throw new Error(
      'The private key cannot be read: it must be PEM of PKCS #1 (RSA PRIVATE KEY), SEC 1 (EC PRIVATE KEY) or PKCS #8 (PRIVATE KEY), without a passphrase',
    );
  }
}
