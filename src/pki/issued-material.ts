import { X509Certificate } from 'node:crypto';
import type { AuthorityState } from './authority-state.ts';
import { factsOf, splitCertificates } from './certificate-facts.ts';
import { clockSkewMs } from './clock-skew.ts';
import { readGivenMaterial } from './given-material.ts';
import { signingRootOf } from './istio-bundle.ts';
import type { Finding, LintRule } from './lint/finding.ts';
import { lintBundle } from './lint/lint-bundle.ts';
import type { NewMaterial } from './rotation-steps.ts';

/** What an issuer has given for a key of ours, in PEM. */
export interface Issued {
  /** The intermediate first, then what is between it and the root. */
  readonly chainPem: string;
  /** The root as the issuer names it; empty when it names none. */
  readonly rootPem: string;
  readonly keyPem: string;
}

/** What can be done with it. Nothing of it holds key material. */
export type IssuedMaterial =
  | { readonly verdict: 'usable'; readonly material: Required<NewMaterial> }
  /** Its clock is ahead of ours by a little: wait until then. */
  | { readonly verdict: 'early'; readonly validFrom: Date }
  /** It would end after what has signed it, which ends then: order a shorter one. */
  | { readonly verdict: 'long'; readonly issuerEnds: Date }
  | { readonly verdict: 'refused'; readonly problem: string };

/** Judges it as what a user plugs in is judged; it must moreover come with a root that is self-signed. */
export function judgeIssued({ chainPem, rootPem, keyPem }: Issued, now: Date): IssuedMaterial {
  const [certPem = '', ...above] = splitCertificates(chainPem);
  if (splitCertificates(rootPem).length === 0) {
    return refused('it comes without its root (`status.ca` of the CertificateRequest holds no certificate)');
  }
  const files = {
    'ca-cert.pem': certPem,
    'ca-key.pem': keyPem,
    'cert-chain.pem': chainPem,
    'root-cert.pem': rootPem,
  };
  const errors = lintBundle(files, now).filter(({ severity }) => severity === 'error');
  if (areAll(errors, 'OutlivesIssuer')) {
    const ends = [...above, ...splitCertificates(rootPem)].map((pem) => factsOf(pem).notAfter.getTime());
    return { verdict: 'long', issuerEnds: new Date(Math.min(...ends)) };
  }
  if (areAll(errors, 'NotYetValid')) {
    const starts = splitCertificates(chainPem + rootPem).map((pem) => factsOf(pem).notBefore.getTime());
    const validFrom = new Date(Math.max(...starts));
    if (validFrom.getTime() - now.getTime() <= clockSkewMs) return { verdict: 'early', validFrom };
  }
  if (errors.length > 0) return refused(`it fails lint: ${errors.slice(0, 3).map(errorText).join('; ')}`);
  const given = readGivenMaterial(files, { rootSigns: false });
  if (given.problem !== undefined) return refused(given.problem);
  const { root, intermediate } = given;
  if (intermediate === undefined) return refused('it has signed itself, so it is no intermediate');
  if (!isSelfSigned(root.certPem)) {
    return refused(
      'what it names as its root (`status.ca`) is not self-signed: the issuer must give the root of its chain, which a CA issuer takes from `ca.crt` of its Secret',
    );
  }
  return { verdict: 'usable', material: { root, intermediate } };
}

/**
 * What a rotation takes on of it: the root only when it is not the one that signs already. So it is the issuer's root
 * that decides whether a rotation is one of the root.
 */
export function newToAuthority(
  state: AuthorityState,
  { root, intermediate }: Required<NewMaterial>,
): NewMaterial {
  const isKnown = factsOf(root.certPem).fingerprint === factsOf(signingRootOf(state).certPem).fingerprint;
  return isKnown ? { intermediate } : { root, intermediate };
}

/** Of its own life; a threshold of 90 percent leaves a tenth. */
const leastGain = 1 / 20;

/**
 * Whether it is worth a rotation whose reason is the end of what is in use. An issuer whose root is about to end would
 * else be asked again and again for intermediates that all end with it.
 */
export function outlastsInUse(
  { intermediates }: AuthorityState,
  { root, intermediate }: NewMaterial,
): boolean {
  if (root !== undefined) return true;
  const { notBefore, notAfter } = factsOf(intermediate.certPem);
  const gainMs = notAfter.getTime() - factsOf(intermediates.current.certPem).notAfter.getTime();
  return gainMs >= leastGain * (notAfter.getTime() - notBefore.getTime());
}

function areAll(errors: readonly Finding[], rule: LintRule): boolean {
  return errors.length > 0 && errors.every((error) => error.rule === rule);
}

/** Without the fix of the lint, which is for whoever has the key of the issuer. */
function errorText({ where, problem }: Finding): string {
  return `${where}: ${problem}`;
}

function refused(problem: string): IssuedMaterial {
  return { verdict: 'refused', problem };
}

function isSelfSigned(certPem: string): boolean {
  const certificate = new X509Certificate(certPem);
  return certificate.verify(certificate.publicKey);
}
