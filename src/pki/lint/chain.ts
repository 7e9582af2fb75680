import { type BundleCertificate, isSelfIssued, isSignedBy } from './bundle-certificate.ts';

/** The way from a certificate that signs up to a root. */
export interface Chain {
  /** From the one that signs, as far as it goes. */
  readonly path: readonly [BundleCertificate, ...BundleCertificate[]];
  readonly end: ChainEnd;
}

/**
 * How it ends: in a certificate that is trusted; without its issuer; in a root that is not trusted; in a certificate
 * whose issuer is there by name but has not signed it.
 */
export type ChainEnd = 'trusted' | 'missing' | 'unknown' | 'forged';

/** Goes up from a certificate; of several issuers of one name it takes the one that has signed, a trusted one first. */
export function chainOf(
  signer: BundleCertificate,
  trusted: readonly BundleCertificate[],
  others: readonly BundleCertificate[],
): Chain {
  const path: [BundleCertificate, ...BundleCertificate[]] = [signer];
  for (let current = signer; ; ) {
    if (trusted.includes(current)) return { path, end: 'trusted' };
    if (isSelfIssued(current)) return { path, end: isSignedBy(current, current) ? 'unknown' : 'forged' };
    const named = issuersByName(current, [...trusted, ...others]).filter((each) => !path.includes(each));
    if (named.length === 0) return { path, end: 'missing' };
    const issuer = named.find((each) => isSignedBy(current, each));
    if (issuer === undefined) return { path, end: 'forged' };
    path.push(issuer);
    current = issuer;
  }
}

/** Who has issued a certificate of the path; undefined for its last one, and for one that is not on it. */
export function issuerOnPath(
  chain: Chain | undefined,
  certificate: BundleCertificate,
): BundleCertificate | undefined {
  const index = chain?.path.indexOf(certificate) ?? -1;
  return index < 0 ? undefined : chain?.path[index + 1];
}

/** Who its issuer may be, by the name alone. */
export function issuersByName(
  { issuer }: BundleCertificate,
  candidates: readonly BundleCertificate[],
): BundleCertificate[] {
  return candidates.filter(({ subject }) => subject.equals(issuer));
}
