import { X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { type Asn1, derOf, parseDer } from './asn1.ts';

/** The bits of the extension in their order (RFC 5280 section 4.2.1.3). */
const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

/** RFC 5280 section 4.2.1.9. */
export interface BasicConstraints {
  readonly authority: boolean;
  /** How many other authorities may be between this one and a leaf; absent: any number. */
  readonly pathLength?: number;
}

/** A certificate of any kind of key, with what Node does not tell of it. */
export interface ParsedCertificate {
  readonly x509: X509Certificate;
  /** 1 to 3. */
  readonly version: number;
  /** DER. */
  readonly subject: Buffer;
  /** DER. */
  readonly issuer: Buffer;
  /** Dotted object identifier. */
  readonly signatureAlgorithm: string;
  readonly basicConstraints?: BasicConstraints;
  readonly keyUsage?: ReadonlySet<KeyUsage>;
  readonly subjectKeyIdentifier?: Buffer;
  readonly authorityKeyIdentifier?: Buffer;
}

/** Reads DER, or the first certificate of a PEM text. Throws when it is none, or not DER throughout. */
export function parseCertificate(pemOrDer: string | Buffer): ParsedCertificate {
  const x509 = new X509Certificate(pemOrDer);
  const [body, algorithm] = childrenOf(parseDer(x509.raw));
  const fields = childrenOf(body);
  const explicitVersion = fields[0] !== undefined && isTagged(fields[0], 0) ? fields[0] : undefined;
  const [, , issuer, , subject] = explicitVersion === undefined ? fields : fields.slice(1);
  return {
    x509,
    version: 1 + numberOf(childrenOf(explicitVersion)[0]),
    subject: derOfPart(subject),
    issuer: derOfPart(issuer),
    signatureAlgorithm: objectIdentifierOf(childrenOf(algorithm)[0]),
    ...readExtensions(extensionsOf(fields)),
  };
}

type Extensions = Pick<
  ParsedCertificate,
  'basicConstraints' | 'keyUsage' | 'subjectKeyIdentifier' | 'authorityKeyIdentifier'
>;

function readExtensions(contents: ReadonlyMap<string, Buffer>): Extensions {
  const contentOf = (identifier: string) => {
    const content = contents.get(identifier);
    return content === undefined ? undefined : parseDer(content);
  };
  const basicConstraints = contentOf('2.5.29.19');
  const keyUsage = contentOf('2.5.29.15');
  const subjectKeyIdentifier = contentOf('2.5.29.14');
  const authorityKeyIdentifier = childrenOf(contentOf('2.5.29.35')).find((part) => isTagged(part, 0));
  return {
    ...(basicConstraints === undefined ? {} : { basicConstraints: basicConstraintsOf(basicConstraints) }),
    ...(keyUsage === undefined ? {} : { keyUsage: keyUsageOf(keyUsage) }),
    ...(subjectKeyIdentifier === undefined ? {} : { subjectKeyIdentifier: bytesOf(subjectKeyIdentifier) }),
    ...(authorityKeyIdentifier === undefined
      ? {}
      : { authorityKeyIdentifier: bytesOf(authorityKeyIdentifier) }),
  };
}

/** The content of each extension by its object identifier; that of one which nobody knows need not be DER. */
function extensionsOf(fields: readonly Asn1[]): ReadonlyMap<string, Buffer> {
  const [list] = childrenOf(fields.find((field) => isTagged(field, 3)));
  return new Map(
    childrenOf(list).map((extension) => {
      const parts = childrenOf(extension); // identifier, critical unless false, content
      return [objectIdentifierOf(parts[0]), bytesOf(parts.at(-1))];
    }),
  );
}

function basicConstraintsOf(content: Asn1): BasicConstraints {
  const parts = childrenOf(content);
  const authority = parts.find(({ type }) => type === forge.asn1.Type.BOOLEAN);
  const pathLength = parts.find(({ type }) => type === forge.asn1.Type.INTEGER);
  return {
    authority: authority !== undefined && bytesOf(authority)[0] !== 0,
    ...(pathLength === undefined ? {} : { pathLength: numberOf(pathLength) }),
  };
}

function keyUsageOf(content: Asn1): ReadonlySet<KeyUsage> {
  const [, ...bytes] = bytesOf(content); // the first one counts unused bits
  return new Set(keyUsages.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0));
}

function isTagged({ tagClass, type }: Asn1, tag: number): boolean {
  return tagClass === forge.asn1.Class.CONTEXT_SPECIFIC && Number(type) === tag;
}

function childrenOf(value: Asn1 | undefined): readonly Asn1[] {
  return Array.isArray(value?.value) ? value.value : [];
}

function bytesOf(value: Asn1 | undefined): Buffer {
  return Buffer.from(typeof value?.value === 'string' ? value.value : '', 'binary');
}

/** Not negative; 0 when it is missing. */
function numberOf(value: Asn1 | undefined): number {
  return Number(`0x${bytesOf(value).toString('hex') || '0'}`);
}

function objectIdentifierOf(value: Asn1 | undefined): string {
  return forge.asn1.derToOid(bytesOf(value).toString('binary'));
}

function derOfPart(value: Asn1 | undefined): Buffer {
  if (value === undefined) throw new Error('The certificate lacks a part');
  return derOf(value);
}
