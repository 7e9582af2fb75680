import type { Problem } from '../problem.ts';
import { resolveAuthority } from '../resolve-authority.ts';
import type { CertificateAuthority } from '../spec/certificate-authority.ts';
import type { SpecView } from './spec-view.ts';

const path = 'spec.certificateAuthority';

/** Blocks that belong to one provider each, and what one that is missing must say; undefined: it may be missing. */
const blocks = [
  { block: 'pluggedIn', of: 'PluggedIn', missing: 'must name the Secret' },
  { block: 'certManager', of: 'CertManager', missing: 'must name the issuer' },
  { block: 'external', of: 'External', missing: 'must say which address proxies ask for certificates' },
  { block: 'spire', of: 'Spire', missing: undefined },
] as const;

/** What a provider needs is there, and what belongs to another one is not. */
export function checkAuthorityProvider({ spec }: SpecView): Problem[] {
  const authority = spec.certificateAuthority ?? {};
  const { provider = 'SelfSigned' } = authority;
  return blocks.flatMap(({ block, of, missing }) => {
    const isThere = authority[block] !== undefined;
    if (provider === of && !isThere && missing !== undefined) {
      return [{ path: `${path}.${block}`, message: `${missing}: provider is ${of}` }];
    }
    if (provider === of || !isThere) return [];
    const message = `has no effect with provider ${provider}: set provider: ${of}, or remove it`;
    return [{ path: `${path}.${block}`, message }];
  });
}

/** The root of what an issuer signs is the issuer's. */
export function checkAuthorityIssuer({ spec }: SpecView): Problem[] {
  const { provider, root, rotation } = spec.certificateAuthority ?? {};
  if (provider !== 'CertManager') return [];
  const ofTheRoot = [
    ...(root === undefined ? [] : [`${path}.root`]),
    ...(rotation?.root === undefined ? [] : [`${path}.rotation.root`]),
  ];
  return ofTheRoot.map((field) => ({
    path: field,
    message:
      'has no effect with provider CertManager: the root is that of the issuer and is replaced there; remove it',
  }));
}

/** Only other clusters can be absent. */
export function checkAbsentMembers({ spec }: SpecView): Problem[] {
  if (spec.certificateAuthority?.rotation?.absentMembers === undefined || spec.multiCluster !== undefined) {
    return [];
  }
  const message = 'has no effect without spec.multiCluster: remove it, or say which clusters there are';
  return [{ path: `${path}.rotation.absentMembers`, message }];
}

/** An intermediate must not outlive its root, and workloads' certificates are valid for a day. */
export function checkAuthorityLifetimes({ spec, namespace }: SpecView): Problem[] {
  const authority = spec.certificateAuthority as CertificateAuthority | undefined;
  const { provider, root, intermediate } = resolveAuthority(authority, true, namespace);
  if (intermediate.lifetimeMs < leastLifetimeMs) {
    return [
      {
        path: `${path}.intermediate.lifetime`,
        message: 'must be at least 1h: certificates are renewed within it',
      },
    ];
  }
  // How long the root of an issuer is valid is not ours to say.
  if (provider === 'CertManager' || root.lifetimeMs >= 2 * intermediate.lifetimeMs) return [];
  return [
    {
      path: `${path}.root.lifetime`,
      message:
        'must be at least twice the lifetime of intermediates: each is signed by a root that outlives it',
    },
  ];
}

const leastLifetimeMs = 3_600_000;
