import { type ParsedCertificate, parseCertificate } from '../parsed-certificate.ts';

/** A certificate of a bundle, once, however often it is in its files. */
export interface BundleCertificate extends ParsedCertificate {
  readonly places: readonly Place[];
}

/** Where a certificate is. */
export interface Place {
  readonly file: string;
  /** From 1 on. */
  readonly position: number;
  /** How many certificates the file has. */
  readonly count: number;
}

/** Reads DER. Undefined when Go would not read it either: broken, or with something behind it. */
export function readCertificate(der: Buffer): ParsedCertificate | undefined {
  try {
    const parsed = parseCertificate(der);
    const isWhole = parsed.x509.raw.equals(der);
    return isWhole && isDate(parsed.x509.validFromDate) && isDate(parsed.x509.validToDate)
      ? parsed
      : undefined;
  } catch {
    return undefined;
  }
}

/** Its files and its name, as a person finds it: `ca-cert.pem, cert-chain.pem #1 (CN=Intermediate CA)`. */
export function whereIs(certificate: BundleCertificate): string {
  return `${placesOf(certificate)} (${nameOf(certificate)})`;
}

/** Its files: `ca-cert.pem, cert-chain.pem #1`. */
export function placesOf({ places }: BundleCertificate): string {
  return places.map(({ file, position, count }) => (count === 1 ? file : `${file} #${position}`)).join(', ');
}

/** Its subject in one line, safe for a terminal, at most 200 characters. */
export function nameOf({ x509 }: ParsedCertificate): string {
  return readableName(x509.subject);
}

/** The name of its issuer, as `nameOf` writes names. */
export function issuerNameOf({ x509 }: ParsedCertificate): string {
  return readableName(x509.issuer);
}

export function isSelfIssued({ subject, issuer }: ParsedCertificate): boolean {
  return subject.equals(issuer);
}

/** Whether a certificate's signature is of the key of another, or of its own; false also when no one can tell. */
export function isSignedBy({ x509 }: ParsedCertificate, issuer: ParsedCertificate): boolean {
  try {
    return x509.verify(issuer.x509.publicKey);
  } catch {
    return false; // a kind of key that Node does not know
  }
}

function readableName(lines: string | undefined): string {
  const name = (lines ?? '')
    .replaceAll('\n', ', ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/g, '?');
  if (name === '') return 'without a name';
  return name.length > 200 ? `${name.slice(0, 200)}...` : name;
}

function isDate(date: Date): boolean {
  return !Number.isNaN(date.getTime());
}
