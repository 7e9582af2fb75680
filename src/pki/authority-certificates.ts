import type { IntermediateMaterial, RootMaterial } from './authority-state.ts';
import { buildCertificate, type CertificateIssuer, serialOf } from './certificate-builder.ts';
import { splitCertificates } from './certificate-facts.ts';
import { clockSkewMs } from './clock-skew.ts';
import { type KeyPair, privateKeyPem } from './key-pair.ts';
import { type ParsedCertificate, parseCertificate } from './parsed-certificate.ts';

/** What a certificate of an authority is made of. */
export interface AuthorityRequest {
  /** The start of the common name; eight digits of the serial follow, so no two authorities have one name. */
  readonly commonName: string;
  /** The trust domain. */
  readonly organization?: string;
  readonly keys: KeyPair;
  /** At least 16 bytes, for the serial. */
  readonly random: Uint8Array;
  readonly now: Date;
  readonly lifetimeMs: number;
}

export interface IntermediateRequest extends AuthorityRequest {
  /** Whose PEM may go on with the certificates between it and its root, in their order. */
  readonly issuer: CertificateIssuer;
}

/**
 * A self-signed root, valid from five minutes before now for the lifetime from now on, in whole seconds. It has a name
 * of its own: by name, an old root is never taken for a new one.
 */
export function issueRoot(request: AuthorityRequest): RootMaterial {
  const { now, lifetimeMs, keys } = request;
  const certPem = buildCertificate(
    {
      ...subjectOf(request),
      notBefore: new Date(now.getTime() - clockSkewMs),
      notAfter: new Date(now.getTime() + lifetimeMs),
      extensions: authorityExtensions({}),
    },
    keys,
  );
  return { certPem, keyPem: privateKeyPem(keys) };
}

/**
 * An intermediate that signs leaves alone. It is valid from five minutes before now for the lifetime from now on, but
 * neither before nor after its issuer is. Throws when the issuer has expired, may not sign it, or has another key.
 */
export function issueIntermediate(request: IntermediateRequest): IntermediateMaterial {
  const { issuer, now, lifetimeMs, keys } = request;
  const [issuerPem = issuer.certPem, ...above] = splitCertificates(issuer.certPem);
  const parsed = parseCertificate(issuerPem);
  assertMaySign(parsed, issuer.keys, now);
  const certPem = buildCertificate(
    {
      ...subjectOf(request),
      notBefore: new Date(Math.max(now.getTime() - clockSkewMs, parsed.x509.validFromDate.getTime())),
      notAfter: new Date(Math.min(now.getTime() + lifetimeMs, parsed.x509.validToDate.getTime())),
      extensions: authorityExtensions({ pathLenConstraint: 0 }),
    },
    keys,
    { certPem: issuerPem, keys: issuer.keys },
  );
  const between = [issuerPem, ...above].filter((pem) => !isSelfIssued(parseCertificate(pem)));
  return { certPem, keyPem: privateKeyPem(keys), chainPem: [certPem, ...between].join('') };
}

const nameLength = 64;

function subjectOf({ commonName, organization, random }: AuthorityRequest) {
  const serial = serialOf(random);
  const digits = ` ${Buffer.from(serial).toString('hex').slice(0, 8)}`;
  return {
    commonName: `${commonName.slice(0, nameLength - digits.length)}${digits}`,
    ...(organization === undefined ? {} : { organization }),
    serial,
  };
}

function authorityExtensions(constraint: { readonly pathLenConstraint?: number }): readonly object[] {
  return [
    { name: 'basicConstraints', critical: true, cA: true, ...constraint },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
  ];
}

function assertMaySign({ x509, basicConstraints, keyUsage }: ParsedCertificate, keys: KeyPair, now: Date) {
  const because = (() => {
    if (!x509.checkPrivateKey(keys.privateKey)) return 'its certificate is of another key';
    if (x509.validToDate <= now) return `it has expired at ${x509.validToDate.toISOString()}`;
    if (basicConstraints?.authority !== true) return 'it is no authority (basicConstraints lacks CA:TRUE)';
    if (basicConstraints.pathLength === 0) return 'it may sign leaves alone (basicConstraints has pathlen:0)';
    if (keyUsage?.has('keyCertSign') === false) return 'it may not sign (keyUsage lacks keyCertSign)';
    return undefined;
  })();
  const name = x509.subject.replaceAll('\n', ', ');
  if (because !== undefined) throw new Error(`The authority ${name} cannot sign an intermediate: ${because}`);
}

function isSelfIssued({ subject, issuer }: ParsedCertificate): boolean {
  return subject.equals(issuer);
}
