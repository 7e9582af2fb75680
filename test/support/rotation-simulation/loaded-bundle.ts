import { X509Certificate } from 'node:crypto';
import { type CertificateFacts, factsOf, splitCertificates } from '../../../src/pki/certificate-facts.ts';
import type { IstioBundle } from '../../../src/pki/istio-bundle.ts';

/** What an istiod has loaded of the files that it is given. */
export interface LoadedBundle {
  readonly rootsText: string;
  /** Fingerprints. */
  readonly roots: ReadonlySet<string>;
  readonly signer: CertificateFacts;
  /** The root by which what it signs verifies; undefined when the bundle does not hold it. */
  readonly signingRoot: CertificateFacts | undefined;
  /** What its metrics show, in seconds. */
  readonly rootNotAfter: number;
  readonly chainNotAfter: number;
}

const known = new WeakMap<IstioBundle, LoadedBundle>();

export function readBundle(bundle: IstioBundle): LoadedBundle {
  const found = known.get(bundle) ?? parse(bundle);
  known.set(bundle, found);
  return found;
}

function parse(bundle: IstioBundle): LoadedBundle {
  const roots = splitCertificates(bundle['root-cert.pem']);
  const [signer = ''] = splitCertificates(bundle['cert-chain.pem']);
  const signingRoot = roots.find((root) => hasIssued(root, signer));
  return {
    rootsText: bundle['root-cert.pem'],
    roots: new Set(roots.map((root) => factsOf(root).fingerprint)),
    signer: factsOf(signer),
    signingRoot: signingRoot === undefined ? undefined : factsOf(signingRoot),
    rootNotAfter: secondsOf(roots[0] ?? ''),
    chainNotAfter: secondsOf(signer),
  };
}

/** By name and by signature. */
function hasIssued(rootPem: string, pem: string): boolean {
  const root = new X509Certificate(rootPem);
  const certificate = new X509Certificate(pem);
  return certificate.checkIssued(root) && certificate.verify(root.publicKey);
}

/** istiod verifies what it signs with before it uses it (`keycertbundle.go`, `Verify`). */
export function verifies({ signer, signingRoot }: LoadedBundle, nowMs: number): boolean {
  return signingRoot !== undefined && isValid(signer, nowMs) && isValid(signingRoot, nowMs);
}

export function isValid(
  { notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  ms: number,
) {
  return notBefore.getTime() <= ms && ms <= notAfter.getTime();
}

/**
 * Whether a running istiod takes a bundle in the place of another: one must hold all roots of the other; 1.29 wants the
 * text of one to be a part of the other's (`istio_ca.go`, `handleEvent`).
 */
export function mayFollow(before: LoadedBundle, after: LoadedBundle, comparesTexts: boolean): boolean {
  if (comparesTexts) {
    return after.rootsText.includes(before.rootsText) || before.rootsText.includes(after.rootsText);
  }
  return holdsAll(after, before) || holdsAll(before, after);
}

function holdsAll({ roots }: LoadedBundle, other: LoadedBundle): boolean {
  return [...other.roots].every((root) => roots.has(root));
}

function secondsOf(pem: string): number {
  return Math.floor(factsOf(pem).notAfter.getTime() / 1000);
}
