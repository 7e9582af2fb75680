import type { ResolvedIssuer } from './resolved-authority.ts';

/** Names an issuer to a person, and tells it from every other of its namespace: `Issuer mesh-ca`. */
export function issuerText({ kind, name, group }: ResolvedIssuer): string {
  return group === 'cert-manager.io' ? `${kind} ${name}` : `${kind} ${name} of ${group}`;
}
