import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** An RSA key pair; the private half is exported only by whoever stores it. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A new RSA key of this many bits (2048 to 4096), made off the main thread: some 100 ms for 2048. */
export function generateRsaKeyPair(bits = 2048): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', { modulusLength: bits });
}

/** PKCS #8 in PEM. */
export function privateKeyPem({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
