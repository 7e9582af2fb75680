import { generateKeyPairSync, sign } from 'node:crypto';

/** What a token of an issuer claims (RFC 7519, section 4.1). */
export interface Claims {
  readonly sub?: string;
  readonly aud?: string;
  /** Whether its time is over; default false. */
  readonly isExpired?: boolean;
}

/** An issuer of JSON Web Tokens, signed with a key of its own (ES256). */
export class TokenIssuer {
  readonly name: string;
  /** Its public key, as a JSON Web Key Set. */
  readonly jwks: string;
  readonly #privateKey;

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.name = name;
    this.jwks = JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key', alg: 'ES256' }],
    });
    this.#privateKey = privateKey;
  }

  token({ isExpired = false, ...claims }: Claims = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const body = { iss: this.name, iat: now - 7200, exp: isExpired ? now - 3600 : now + 3600, ...claims };
    const signed = [{ alg: 'ES256', typ: 'JWT', kid: 'key' }, body].map(encoded).join('.');
    const signature = sign('sha256', Buffer.from(signed), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${signed}.${signature.toString('base64url')}`;
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
