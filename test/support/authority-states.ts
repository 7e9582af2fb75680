import type { AuthorityState } from '../../src/pki/authority-state.ts';
import { factsOf, splitCertificates } from '../../src/pki/certificate-facts.ts';
import { istioBundleOf, signerOf } from '../../src/pki/istio-bundle.ts';
import type { ObservedTrust } from '../../src/pki/observed-trust.ts';
import type { RotationKind, RotationPolicy } from '../../src/pki/rotation-policy.ts';
import { advanceRotation, beginRotation } from '../../src/pki/rotation-steps.ts';
import { FastAuthority } from './fast-authority.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** When the authorities of these tests are made, unless a test says otherwise. */
export const firstDay = new Date('2026-01-10T12:00:00Z');

/** An instant this long after the first day. */
export const later = (ms: number) => new Date(firstDay.getTime() + ms);

const issuer = new FastAuthority();

/** A policy by which nothing is due before 200 days (intermediate) and 2000 (root). */
export function aPolicy(changes: Partial<RotationPolicy> = {}): RotationPolicy {
  return {
    root: { lifetimeMs: 3000 * dayMs, threshold: 1 / 3 },
    intermediate: { lifetimeMs: 300 * dayMs, threshold: 1 / 3 },
    soakMs: 2 * minuteMs,
    isPaused: false,
    ...changes,
  };
}

/** A Stable authority that was made at an instant, by the lifetimes of `aPolicy`. */
export function anAuthority({
  madeAt = firstDay,
  rootLifetimeMs = 3000 * dayMs,
  intermediateLifetimeMs = 300 * dayMs,
}: {
  readonly madeAt?: Date;
  readonly rootLifetimeMs?: number;
  readonly intermediateLifetimeMs?: number;
} = {}): AuthorityState {
  const root = issuer.root({ now: madeAt, lifetimeMs: rootLifetimeMs });
  const intermediate = issuer.intermediate(root, { now: madeAt, lifetimeMs: intermediateLifetimeMs });
  return { phase: 'Stable', roots: { current: root }, intermediates: { current: intermediate } };
}

/** The same, with a root whose key is kept elsewhere. */
export function withoutRootKey(state: AuthorityState): AuthorityState {
  const { certPem } = state.roots.current;
  return { ...state, roots: { ...state.roots, current: { certPem } } };
}

/** What a rotation of this kind brings. */
export function newMaterialFor(state: AuthorityState, kind: RotationKind, now: Date) {
  const { root: rootPolicy, intermediate } = aPolicy();
  const { roots, intermediates } = state;
  const root =
    kind === 'root'
      ? issuer.root({ now, lifetimeMs: rootPolicy.lifetimeMs, unlike: roots.current })
      : undefined;
  const request = { now, lifetimeMs: intermediate.lifetimeMs, unlike: intermediates.current };
  return {
    ...(root === undefined ? {} : { root }),
    intermediate: issuer.intermediate(root ?? roots.current, request),
  };
}

/** A rotation that has begun a day after the first day. */
export function aRotation(
  kind: RotationKind,
  {
    state = anAuthority(),
    now = later(dayMs),
  }: { readonly state?: AuthorityState; readonly now?: Date } = {},
): AuthorityState {
  return beginRotation(state, { reason: 'Schedule' }, newMaterialFor(state, kind, now), now);
}

/** Each phase that a root rotation goes through, an hour each, and the Stable after it. */
export function rootRotation(): Record<
  'before' | 'trusting' | 'signing' | 'distrusting' | 'after',
  AuthorityState
> {
  const before = anAuthority();
  const trusting = aRotation('root', { state: before });
  const signing = advanceRotation(trusting, later(dayMs + hourMs));
  const distrusting = advanceRotation(signing, later(dayMs + 2 * hourMs));
  const after = advanceRotation(distrusting, later(dayMs + 3 * hourMs));
  return { before, trusting, signing, distrusting, after };
}

/** A mesh in which everybody is where the phase wants them: one replica, one copy of the bundle, one proxy. */
export function everybodyDone(state: AuthorityState): ObservedTrust {
  const bundle = istioBundleOf(state);
  const roots = splitCertificates(bundle['root-cert.pem']);
  const trusted = new Set(roots.map(fingerprintOf));
  return {
    replicas: [
      {
        pod: 'istio-system/istiod-0',
        rootNotAfter: secondsOf(roots[0] ?? ''),
        chainNotAfter: secondsOf(splitCertificates(bundle['cert-chain.pem'])[0] ?? ''),
      },
    ],
    bundles: [{ where: 'ConfigMap shop/istio-ca-root-cert', roots: trusted }],
    proxies: [{ pod: 'shop/cart-0', roots: trusted, signer: fingerprintOf(signerOf(state).certPem) }],
  };
}

export function fingerprintOf(certPem: string): string {
  return factsOf(certPem).fingerprint;
}

function secondsOf(certPem: string): number {
  return Math.floor(factsOf(certPem).notAfter.getTime() / 1000);
}
