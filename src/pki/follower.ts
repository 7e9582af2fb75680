import { factsOf, splitCertificates } from './certificate-facts.ts';
import { type Blocker, proxyBlockers } from './gates.ts';
import type { ObservedProxy } from './observed-trust.ts';
import type { TrustStatement } from './trust-statement.ts';

/** What a cluster with an istiod asks of one that follows it. */
export interface FollowedBundle {
  /** Cluster and mesh of the istiod. */
  readonly clusterName: string;
  readonly meshID: string;
  /** Of what every replica of istiod has loaded; empty while some has not. */
  readonly version: string;
  /** PEM: the roots that all must trust. */
  readonly rootsPem: string;
  /** PEM: the certificate that istiod signs with; empty where nobody asks by whom certificates are. */
  readonly signerPem: string;
}

/**
 * What a cluster says while its proxies may hold what it was told before as well as what it is told now; `before` is what
 * it said last. Nothing in it is better than before.
 */
export function openStatement(
  own: string,
  before: TrustStatement | undefined,
  bundle: FollowedBundle,
): TrustStatement {
  const now = fingerprintsOf(bundle.rootsPem);
  return {
    ...aboutOf(own, bundle),
    version: before?.version ?? '',
    ...(before?.answers === undefined ? {} : { answers: before.answers }),
    trusted: (before?.trusted ?? []).filter((root) => now.includes(root)),
    held: [...new Set([...(before?.held ?? []), ...now])],
    signers: [...new Set([...(before?.signers ?? []), ...fingerprintsOf(bundle.signerPem)])],
  };
}

/** What it says when every proxy was seen where the bundle wants it. */
export function answer(own: string, bundle: FollowedBundle): TrustStatement {
  const roots = fingerprintsOf(bundle.rootsPem);
  return {
    ...aboutOf(own, bundle),
    ...{ version: bundle.version, answers: bundle.version, trusted: roots, held: roots },
    signers: fingerprintsOf(bundle.signerPem),
  };
}

/**
 * The proxies that are not where the bundle wants them: each trusts all its roots and none that was told before and is
 * gone, and has a certificate of its signer. `said` is what the cluster says meanwhile (`openStatement`).
 */
export function followerBlockers(
  bundle: FollowedBundle,
  said: Pick<TrustStatement, 'held'>,
  proxies: readonly ObservedProxy[],
): Blocker[] {
  const trusted = fingerprintsOf(bundle.rootsPem);
  const dropped = said.held.filter((root) => !trusted.includes(root));
  const [signer] = fingerprintsOf(bundle.signerPem);
  const expected = { trusted, dropped, ...(signer === undefined ? {} : { signer }) };
  return proxies.flatMap((proxy) => proxyBlockers(proxy, expected));
}

function aboutOf(clusterName: string, { clusterName: primary, meshID }: FollowedBundle) {
  return { clusterName, meshID, members: [primary], roots: [] };
}

function fingerprintsOf(pem: string): string[] {
  return [...new Set(splitCertificates(pem).map((certPem) => factsOf(certPem).fingerprint))];
}
