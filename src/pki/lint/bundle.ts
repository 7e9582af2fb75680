import type { ParsedCertificate } from '../parsed-certificate.ts';
import { type BundleCertificate, isSelfIssued, type Place, readCertificate } from './bundle-certificate.ts';
import { type Chain, chainOf } from './chain.ts';
import { filesOf, type Layout } from './layout.ts';
import { type PemBlock, readPem } from './pem-blocks.ts';

/** What a Secret may hold, and so the longest text that is read. */
export const maxFileLength = 1_048_576;
/** More certificates of one file are not looked at. */
export const maxCertificates = 100;

/** What a file of a bundle holds. */
export interface BundleFile {
  readonly name: string;
  /** Absent when the file is missing. */
  readonly text?: string;
  /** Everything but certificates. */
  readonly blocks: readonly PemBlock[];
  /** In their order; a certificate that is in several files is the same object in each. */
  readonly certificates: readonly BundleCertificate[];
  /** Clauses that say what of it cannot be read. */
  readonly problems: readonly string[];
  /** Longer than what is read, or with more certificates. */
  readonly isTooLarge: boolean;
}

/** Files of an authority, read. */
export interface Bundle {
  readonly layout?: Layout;
  readonly files: readonly BundleFile[];
  /** Each once: roots first, then from the top of the chain down, then what is not on it. */
  readonly certificates: readonly BundleCertificate[];
  readonly roots: readonly BundleCertificate[];
  /** From the certificate that signs; absent when there is none, or it cannot be read. */
  readonly chain?: Chain;
}

/** Reads the files of a layout; a missing one is a file without a text. */
export function readBundle(texts: Readonly<Record<string, string>>, layout: Layout): Bundle {
  const files = shareCertificates(
    filesOf(layout).map((name) => readFile(name, Object.hasOwn(texts, name) ? texts[name] : undefined)),
  );
  const certificatesIn = (name: string) => files.find((file) => file.name === name)?.certificates ?? [];
  const [signer] = certificatesIn(layout.signer);
  return assembled(files, certificatesIn(layout.roots), signer, layout);
}

/**
 * Reads a file that stands alone: what is self-signed in it is trusted, and the one of the others that has issued none
 * is the one that signs.
 */
export function readLoneFile(name: string, text: string): Bundle {
  const files = shareCertificates([readFile(name, text)]);
  const certificates = files.flatMap((file) => file.certificates);
  const roots = certificates.filter(isSelfIssued);
  const lowest = certificates
    .filter((each) => !isSelfIssued(each))
    .filter(({ subject }) => !certificates.some(({ issuer }) => issuer.equals(subject)));
  return assembled(files, roots, lowest.length === 1 ? lowest[0] : undefined);
}

function assembled(
  files: readonly BundleFile[],
  roots: readonly BundleCertificate[],
  signer: BundleCertificate | undefined,
  layout?: Layout,
): Bundle {
  const all = [...new Set(files.flatMap((file) => file.certificates))];
  const chain = signer === undefined ? undefined : chainOf(signer, roots, all);
  const downward = chain === undefined ? [] : [...chain.path].reverse();
  return {
    ...(layout === undefined ? {} : { layout }),
    ...{ files, roots: [...new Set(roots)] },
    certificates: [...new Set([...roots, ...downward, ...all])],
    ...(chain === undefined ? {} : { chain }),
  };
}

/** A file before its certificates are known to be in others as well. */
interface ReadFile extends Omit<BundleFile, 'certificates'> {
  /** One that cannot be read leaves a gap, so that the others keep their positions. */
  readonly certificates: readonly (ParsedCertificate | undefined)[];
}

function readFile(name: string, text: string | undefined): ReadFile {
  const empty = { name, blocks: [], certificates: [], problems: [], isTooLarge: false };
  if (text === undefined) return empty;
  if (text.length > maxFileLength) return { ...empty, text, isTooLarge: true };
  const { blocks, problems } = readPem(text);
  const found = blocks.filter(({ label }) => label === 'CERTIFICATE');
  const read = found.slice(0, maxCertificates).map(({ content }) => readCertificate(content));
  const broken = read.flatMap((certificate, index) =>
    certificate === undefined ? [`certificate #${index + 1} is not a whole X.509 certificate in DER`] : [],
  );
  return {
    ...{ name, text, blocks: blocks.filter(({ label }) => label !== 'CERTIFICATE') },
    certificates: read,
    problems: [...problems, ...broken],
    isTooLarge: found.length > maxCertificates,
  };
}

function shareCertificates(files: readonly ReadFile[]): BundleFile[] {
  const shared = new Map<string, BundleCertificate & { readonly places: Place[] }>();
  return files.map((file) => ({
    ...file,
    certificates: file.certificates.flatMap((parsed, index) => {
      if (parsed === undefined) return [];
      const certificate = shared.get(parsed.x509.fingerprint256) ?? { ...parsed, places: [] };
      shared.set(parsed.x509.fingerprint256, certificate);
      certificate.places.push({ file: file.name, position: index + 1, count: file.certificates.length });
      return [certificate];
    }),
  }));
}

/** Whether leaves are verified by this certificate: of a bundle without a chain, any. */
export function isInUse({ chain }: Bundle, certificate: BundleCertificate): boolean {
  return chain === undefined || chain.path.includes(certificate);
}
