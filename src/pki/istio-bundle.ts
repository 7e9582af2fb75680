import { stableHash } from '../base/stable-json.ts';
import type { AuthorityState, IntermediateMaterial, RootMaterial } from './authority-state.ts';
import type { RootOrder } from './root-order.ts';

/** The files that istiod reads of Secret `cacerts`, by their names (Istio `security/pkg/pki/ca/ca.go`). */
export interface IstioBundle {
  readonly 'ca-cert.pem': string;
  readonly 'ca-key.pem': string;
  readonly 'cert-chain.pem': string;
  readonly 'root-cert.pem': string;
}

/**
 * What istiod is given in a phase. The text of `root-cert.pem` holds, in this order:
 *
 * | phase | roots |
 * | --- | --- |
 * | Stable | current |
 * | Trusting | next, current, current |
 * | Signing | current, and what the phase before held |
 * | Distrusting | current, which was next |
 *
 * Each text contains the one before or is contained in it: istiod 1.29 takes no other change, newer ones compare sets.
 * Each differs from the one before, which makes every proxy ask for a new certificate at once. The first certificate
 * changes as well, whose end each replica shows in `citadel_server_root_cert_expiry_timestamp`: so it is seen who has
 * loaded it. A root twice in a bundle means the same as once. With roots of other clusters, the text is that of
 * `exchange`, which keeps to the same.
 */
export function istioBundleOf(state: AuthorityState): IstioBundle {
  const signer = signerOf(state);
  return {
    'ca-cert.pem': signer.certPem,
    'ca-key.pem': signer.keyPem,
    'cert-chain.pem': signer.chainPem,
    'root-cert.pem': rootOrderOf(state).join(''),
  };
}

/** The intermediate that signs in this phase. */
export function signerOf({ phase, intermediates }: AuthorityState): IntermediateMaterial {
  return phase === 'Signing' && intermediates.next !== undefined ? intermediates.next : intermediates.current;
}

/** The root of the intermediate that signs in this phase. */
export function signingRootOf({ phase, roots }: AuthorityState): RootMaterial {
  return phase === 'Signing' && roots.next !== undefined ? roots.next : roots.current;
}

/** The certificates of `root-cert.pem`, first to last. */
export function rootOrderOf(state: AuthorityState): RootOrder {
  return state.exchange?.order ?? ownRootOrder(state);
}

/** What they are while nothing is exchanged. */
export function ownRootOrder({ phase, roots }: Pick<AuthorityState, 'phase' | 'roots'>): RootOrder {
  const current = wholeLines(roots.current.certPem);
  // Twice, since a replica may still hold what Signing of an intermediate has given it.
  const before = roots.next === undefined ? [current] : [wholeLines(roots.next.certPem), current, current];
  switch (phase) {
    case 'Stable':
    case 'Distrusting':
      return [current];
    case 'Trusting':
      return before;
    case 'Signing':
      return [current, ...before];
  }
}

/** What a user has given may lack the last line break, and would run into the next one. */
function wholeLines(certPem: string): string {
  return certPem.endsWith('\n') ? certPem : `${certPem}\n`;
}

/** Names a bundle; says nothing of keys. */
export function versionOfBundle({
  'root-cert.pem': roots,
  'cert-chain.pem': chain,
}: Pick<IstioBundle, 'root-cert.pem' | 'cert-chain.pem'>): string {
  return stableHash([roots, chain], 12);
}
