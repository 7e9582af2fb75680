import { X509Certificate } from 'node:crypto';
import { factsOf, splitCertificates } from './certificate-facts.ts';
import { lintInputs } from './lint/lint-bundle.ts';

/** One root in the bundle of an authority that somebody else keeps. */
export interface TrustedRoot {
  /** One PEM certificate. */
  readonly certPem: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of its SPIFFE ID, where it has one (SPIFFE X.509-SVID, section 4.1: an authority's has no path). */
  readonly trustDomain?: string;
}

/** What a text holds, or why it must not become anybody's bundle; the latter quotes nothing of it. */
export type TrustedRootsReading =
  | { readonly roots: readonly TrustedRoot[]; readonly problem?: undefined }
  | { readonly roots?: undefined; readonly problem: string };

/** Of roots that have ended or are not valid yet, one that is makes good. */
const rulesOfTime: readonly string[] = ['Expired', 'NotYetValid'];
const maxNamed = 3;

/** Reads the roots of a PEM text. Whatever `ca lint` calls an error is one here; `name` is where the text is from. */
export function readTrustedRoots(name: string, text: string, now: Date): TrustedRootsReading {
  const findings = lintInputs([{ name, text }], now).flatMap((report) => report.findings);
  const errors = findings.filter(({ severity }) => severity === 'error');
  const lasting = errors.filter(({ rule }) => !rulesOfTime.includes(rule));
  const roots = lasting.length === 0 ? splitCertificates(text).map(trustedRoot) : [];
  const isAnyValid = roots.some(({ notBefore, notAfter }) => notBefore <= now && now < notAfter);
  const counted = isAnyValid ? lasting : errors;
  if (counted.length === 0) return { roots };
  const texts = counted.slice(0, maxNamed).map(({ where, problem, fix }) => `${where}: ${problem} (${fix})`);
  return { problem: texts.join('; ') };
}

/** The bundle as one text: certificates alone, in their order. */
export function bundlePemOf(roots: readonly TrustedRoot[]): string {
  return roots.map(({ certPem }) => certPem).join('');
}

/** The root that ends last: when it has, nothing verifies. Throws for an empty list. */
export function lastingRoot(roots: readonly TrustedRoot[]): TrustedRoot {
  return roots.reduce((last, root) => (root.notAfter > last.notAfter ? root : last));
}

const dayMs = 24 * 3_600_000;
const longestNoticeMs = 30 * dayMs;
const noticeFraction = 0.3;

/**
 * When a root that has no successor is worth a warning: 30 days before its end, and for one that lives for less than a
 * hundred days when 30 percent of its life is left. Authorities that rotate by themselves have brought another by then
 * (SPIRE does when half is left).
 */
export function noticeAt({ notBefore, notAfter }: TrustedRoot): Date {
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  return new Date(notAfter.getTime() - Math.min(longestNoticeMs, noticeFraction * lifetimeMs));
}

function trustedRoot(certPem: string): TrustedRoot {
  const { subjectAltName = '' } = new X509Certificate(certPem);
  const trustDomain = /(?:^|, )URI:spiffe:\/\/([a-z0-9._-]+)(?=$|\/|,)/.exec(subjectAltName)?.[1];
  const { serial, fingerprint, notBefore, notAfter } = factsOf(certPem);
  const facts = { certPem, serial, fingerprint, notBefore, notAfter };
  return trustDomain === undefined ? facts : { ...facts, trustDomain };
}
