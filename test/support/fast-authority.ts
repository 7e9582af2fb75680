import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import type { IntermediateMaterial, RootMaterial } from '../../src/pki/authority-state.ts';
import { clockSkewMs } from '../../src/pki/clock-skew.ts';
import { bits, integer, isTrue, octets, oid, sequence, set, tagged, time, utf8 } from './der.ts';

export interface FastRequest {
  readonly now: Date;
  readonly lifetimeMs: number;
  /** What is in use: the new one ends at another second, as the operator makes it. */
  readonly unlike?: { readonly certPem: string };
}

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const keyCount = 4;

/**
 * Real certificates for tests, a fraction of a millisecond each: P-256, a few keys for all of them, names and serials by
 * counting. Like the operator's, they are valid five minutes before they are made.
 */
export class FastAuthority {
  readonly #keyPems: string[] = [];
  readonly #keys = new Map<string, KeyObject>();
  /** As SubjectPublicKeyInfo. */
  readonly #publicKeys = new Map<string, Buffer>();
  #issued = 0;

  root(request: FastRequest): RootMaterial {
    const keyPem = this.#newKey();
    const name = this.#newName('Root');
    return { certPem: this.#certificate(name, keyPem, { name, keyPem }, request), keyPem };
  }

  /** Ends with its root at the latest. Throws when the root has no key. */
  intermediate(root: RootMaterial, { now, lifetimeMs, unlike }: FastRequest): IntermediateMaterial {
    if (root.keyPem === undefined) throw new Error('a root without a key signs nothing');
    const { subject, validToDate } = new X509Certificate(root.certPem);
    const untilRootEnds = validToDate.getTime() - now.getTime();
    const keyPem = this.#newKey();
    const certPem = this.#certificate(
      this.#newName('Intermediate'),
      keyPem,
      { name: subject.replace('CN=', ''), keyPem: root.keyPem },
      { now, lifetimeMs: Math.min(lifetimeMs, untilRootEnds), ...(unlike === undefined ? {} : { unlike }) },
    );
    return { certPem, keyPem, chainPem: certPem };
  }

  #newName(kind: string): string {
    this.#issued += 1;
    return `${kind} ${this.#issued}`;
  }

  #newKey(): string {
    const at = this.#issued % keyCount;
    const known = this.#keyPems[at];
    if (known !== undefined) return known;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    this.#keyPems[at] = keyPem;
    return keyPem;
  }

  #publicKey(keyPem: string): Buffer {
    const known = this.#publicKeys.get(keyPem);
    if (known !== undefined) return known;
    const info = createPublicKey(this.#key(keyPem)).export({ type: 'spki', format: 'der' });
    this.#publicKeys.set(keyPem, info);
    return info;
  }

  #key(keyPem: string): KeyObject {
    const key = this.#keys.get(keyPem) ?? createPrivateKey(keyPem);
    this.#keys.set(keyPem, key);
    return key;
  }

  #certificate(
    name: string,
    keyPem: string,
    issuer: { readonly name: string; readonly keyPem: string },
    { now, lifetimeMs, unlike }: FastRequest,
  ): string {
    const serial = Buffer.alloc(5, 1);
    serial.writeUInt32BE(this.#issued, 1);
    const body = sequence(
      tagged(0, integer(Buffer.of(2))),
      integer(serial),
      ecdsaWithSha256,
      named(issuer.name),
      sequence(time(new Date(now.getTime() - clockSkewMs)), time(endOf(now.getTime() + lifetimeMs, unlike))),
      named(name),
      this.#publicKey(keyPem),
      tagged(3, sequence(sequence(oid('551d13'), isTrue, octets(sequence(isTrue))))),
    );
    const der = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, this.#key(issuer.keyPem))));
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  }
}

function named(commonName: string): Buffer {
  return sequence(set(sequence(oid('550403'), utf8(commonName))));
}

function endOf(ms: number, unlike: { readonly certPem: string } | undefined): Date {
  const second = (at: number) => Math.floor(at / 1000);
  const taken = unlike === undefined ? undefined : new X509Certificate(unlike.certPem).validToDate.getTime();
  return new Date(taken !== undefined && second(taken) === second(ms) ? ms - 1000 : ms);
}
