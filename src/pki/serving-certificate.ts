import { buildCertificate, serialOf } from './certificate-builder.ts';
import { clockSkewMs } from './clock-skew.ts';
import { type KeyPair, privateKeyPem } from './key-pair.ts';

/** What a serving certificate is made of. */
export interface ServingCertificateRequest {
  /** Names that clients call the server by; the first one is also the common name's. */
  readonly dnsNames: readonly [string, ...string[]];
  readonly now: Date;
  readonly lifetimeMs: number;
  /** Of the authority and of the server; each used for this one certificate. */
  readonly keys: { readonly authority: KeyPair; readonly server: KeyPair };
  /** At least 32 bytes, for the serials. */
  readonly random: Uint8Array;
}

/** A certificate, its key, and the only authority that has ever signed anything for it. */
export interface IssuedServingCertificate {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  readonly caPem: string;
}

/** The common name of every such authority: by it they are told from others in a bundle. */
export const servingAuthorityName = 'mesh-operator webhook CA';

/**
 * A certificate for a TLS server with an authority of its own, whose key is forgotten: nobody can ever sign another
 * one. Both are valid from five minutes before now for the lifetime from now on, so an authority that has expired has
 * nothing left to vouch for, and may leave every bundle.
 */
export function issueServingCertificate(request: ServingCertificateRequest): IssuedServingCertificate {
  const { dnsNames, now, lifetimeMs, keys, random } = request;
  const validity = {
    notBefore: new Date(now.getTime() - clockSkewMs),
    notAfter: new Date(now.getTime() + lifetimeMs),
  };
  const caPem = buildCertificate(
    {
      ...validity,
      commonName: servingAuthorityName,
      serial: serialOf(random.subarray(0, 16)),
      extensions: [
        { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
        { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
      ],
    },
    keys.authority,
  );
  const certPem = buildCertificate(
    {
      ...validity,
      commonName: dnsNames[0], // cut when it is too long; clients look at the other names
      serial: serialOf(random.subarray(16, 32)),
      extensions: [
        { name: 'basicConstraints', critical: true, cA: false },
        { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: dnsNames.map((value) => ({ type: 2, value })) },
      ],
    },
    keys.server,
    { certPem: caPem, keys: keys.authority },
  );
  return { certPem, keyPem: privateKeyPem(keys.server), caPem };
}
