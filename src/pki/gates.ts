import type { AuthorityState, Phase } from './authority-state.ts';
import { factsOf, splitCertificates } from './certificate-facts.ts';
import { istioBundleOf, signerOf, versionOfBundle } from './istio-bundle.ts';
import type { MemberView } from './member-view.ts';
import type { ObservedBundle, ObservedProxy, ObservedReplica, ObservedTrust } from './observed-trust.ts';

/** The gates of a phase, in the order in which they open: the last two are of other clusters. */
export const gateNames = ['Replicas', 'Bundles', 'Proxies', 'Followers', 'Members'] as const;
export type GateName = (typeof gateNames)[number];

/** What keeps a gate shut. */
export interface Blocker {
  readonly gate: GateName;
  /** What holds it: `pod shop/cart-0`, `ConfigMap shop/istio-ca-root-cert`, `cluster west`. */
  readonly what: string;
  /** A clause: `does not trust the next root yet`. */
  readonly why: string;
}

/** Whether another cluster keeps it shut. */
export function isOfOthers({ gate }: Blocker): boolean {
  return gate === 'Followers' || gate === 'Members';
}

/** What must be seen before a phase may end. */
interface Expectation {
  readonly rootNotAfter: number;
  readonly chainNotAfter: number;
  /** Fingerprints that every bundle and every proxy must hold, */
  readonly trusted: readonly string[];
  /** and that none may hold. */
  readonly dropped: readonly string[];
  /** Fingerprint of the intermediate that every proxy's certificate must be issued by; absent: any. */
  readonly signer?: string;
}

/** What holds the replicas' gate shut: who has not loaded the bundle of this phase. Empty when it is open. */
export function replicaBlockers(state: AuthorityState, replicas: readonly ObservedReplica[]): Blocker[] {
  const expected = expectationOf(state);
  return replicas.flatMap(({ pod, rootNotAfter, chainNotAfter, problem }) => {
    const why =
      problem ??
      (rootNotAfter === expected.rootNotAfter && chainNotAfter === expected.chainNotAfter
        ? undefined
        : 'has not loaded the bundle of this phase yet');
    return why === undefined ? [] : [{ gate: 'Replicas' as const, what: `pod ${pod}`, why }];
  });
}

/** What holds the gates that must be open before proxies are asked: those of the replicas and of the bundles. */
export function blockersBeforeProxies(
  state: AuthorityState,
  { replicas, bundles }: Pick<ObservedTrust, 'replicas' | 'bundles'>,
): Blocker[] {
  const expected = expectationOf(state);
  return [
    ...replicaBlockers(state, replicas),
    ...bundles.flatMap((bundle) => bundleBlockers(bundle, expected)),
  ];
}

/**
 * What keeps the gates of this cluster from being open: empty when each is. Proxies count as unknown, and so as a blocker
 * of their own, until every replica has loaded the bundle: an answer of one that has not could take back what a proxy was
 * seen to have.
 */
export function phaseBlockers(state: AuthorityState, observed: ObservedTrust): Blocker[] {
  const blockers = blockersBeforeProxies(state, observed);
  if (blockers.length > 0) return blockers;
  const expected = expectationOf(state);
  if (observed.proxies === undefined) {
    return [{ gate: 'Proxies', what: 'the proxies', why: 'have not been asked yet' }];
  }
  return observed.proxies.flatMap((proxy) => proxyBlockers(proxy, expected));
}

/**
 * Clusters that follow the istiod of this one and keep a phase from ending, or what is exchanged from being said: each must
 * have answered the bundle of this phase, with what proxies here are waited for as well.
 */
export function followerBlockers(state: AuthorityState, followers: readonly MemberView[]): Blocker[] {
  if (followers.length === 0) return [];
  const expected = expectationOf(state);
  const version = versionOfBundle(istioBundleOf(state));
  return followers.flatMap((follower) => followerLack(follower, version, expected));
}

function followerLack(
  { clusterName, statement, absentSince, trouble }: MemberView,
  version: string,
  { trusted, dropped, signer }: Expectation,
): Blocker[] {
  const lack = (() => {
    if (statement?.answers !== version) return 'has not answered for its proxies yet';
    if (trusted.some((root) => !statement.trusted.includes(root)))
      return 'does not trust a root that is to be trusted';
    if (dropped.some((root) => statement.held.includes(root))) return 'still holds the previous root';
    if (signer !== undefined && statement.signers.some((each) => each !== signer))
      return 'still has certificates of another intermediate';
    return undefined;
  })();
  if (lack === undefined) return [];
  // What it has answered it goes on to do while it is away.
  const why = absentSince === undefined ? lack : (trouble ?? lack);
  return [{ gate: 'Followers', what: `cluster ${clusterName}`, why }];
}

/**
 * Other clusters that keep a phase from ending: every one that takes the roots of this one must trust the next root
 * before it signs, and hold the previous one no more when the rotation ends. What it was seen to trust it goes on to
 * trust while we say so, hence one that has answered may be away.
 */
export function memberBlockers(state: AuthorityState, views: readonly MemberView[]): Blocker[] {
  const members = state.exchange?.members ?? [];
  const { previous } = state.roots;
  const ofOthers = members.flatMap(({ roots }) => roots.map(fingerprintOf));
  // A root that is another cluster's own as well is not ours to take away.
  const isShared = previous !== undefined && ofOthers.includes(fingerprintOf(previous.certPem));
  if (state.phase === 'Distrusting' && isShared) return [];
  return views.flatMap((view) => {
    const known = members.find(({ clusterName }) => clusterName === view.clusterName);
    if ((view.takesOurs ?? known?.takesOurs) !== true) return [];
    const lack = lackOf(state, view);
    if (lack === undefined) return [];
    const why = view.trouble ?? lack;
    return [{ gate: 'Members' as const, what: `cluster ${view.clusterName}`, why }];
  });
}

/** What a member has not done that the phase waits for. */
function lackOf({ phase, roots }: AuthorityState, { statement }: MemberView): string | undefined {
  switch (phase) {
    case 'Trusting': {
      const isTrusted =
        roots.next !== undefined && statement?.trusted.includes(fingerprintOf(roots.next.certPem));
      return isTrusted === true ? undefined : 'does not trust the next root yet';
    }
    case 'Distrusting': {
      if (roots.previous === undefined) return undefined;
      const isGone = statement?.held.includes(fingerprintOf(roots.previous.certPem)) === false;
      return isGone ? undefined : 'still holds the previous root';
    }
    case 'Signing':
    case 'Stable':
      return undefined;
  }
}

function bundleBlockers({ where, roots }: ObservedBundle, { trusted, dropped }: Expectation): Blocker[] {
  if (trusted.some((root) => !roots.has(root))) {
    return [{ gate: 'Bundles', what: where, why: 'lacks a root that is to be trusted' }];
  }
  if (dropped.some((root) => roots.has(root))) {
    return [{ gate: 'Bundles', what: where, why: 'still holds the previous root' }];
  }
  return [];
}

/** What of a proxy keeps the gate of the proxies shut. */
export function proxyBlockers(
  proxy: ObservedProxy,
  { trusted, dropped, signer }: Pick<Expectation, 'trusted' | 'dropped' | 'signer'>,
): Blocker[] {
  const why = (() => {
    if (proxy.problem !== undefined) return proxy.problem;
    if (trusted.some((root) => !proxy.roots.has(root))) return 'does not trust a root that is to be trusted';
    if (dropped.some((root) => proxy.roots.has(root))) return 'still trusts the previous root';
    if (signer !== undefined && proxy.signer !== signer) {
      return 'still has a certificate of another intermediate';
    }
    return undefined;
  })();
  return why === undefined ? [] : [{ gate: 'Proxies', what: `pod ${proxy.pod}`, why }];
}

function expectationOf(state: AuthorityState): Expectation {
  const bundle = istioBundleOf(state);
  const roots = splitCertificates(bundle['root-cert.pem']);
  const trusted = [...new Set(roots.map(fingerprintOf))];
  const { previous } = state.roots;
  const former = [
    ...(state.exchange?.held ?? []),
    ...(previous === undefined ? [] : [fingerprintOf(previous.certPem)]),
  ];
  return {
    rootNotAfter: secondsOf(roots[0] ?? ''),
    chainNotAfter: secondsOf(splitCertificates(bundle['cert-chain.pem'])[0] ?? ''),
    trusted,
    dropped: former.filter((root) => !trusted.includes(root)),
    ...(signerIsAwaited(state.phase) ? { signer: fingerprintOf(signerOf(state).certPem) } : {}),
  };
}

/** Nothing of the old signer may be left before anything is dropped. */
function signerIsAwaited(phase: Phase): boolean {
  return phase === 'Signing' || phase === 'Distrusting';
}

function fingerprintOf(certPem: string): string {
  return factsOf(certPem).fingerprint;
}

function secondsOf(certPem: string): number {
  return Math.floor(factsOf(certPem).notAfter.getTime() / 1000);
}
