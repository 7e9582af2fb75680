import type { Problem } from '../problem.ts';
import { resolveAuthority } from '../resolve-authority.ts';
import type { CertificateAuthority } from '../spec/certificate-authority.ts';
import type { SpecView } from './spec-view.ts';

const path = 'spec.certificateAuthority';

/** Whoever plugs material in says where it is, and nobody else does. */
export function checkAuthorityProvider({ spec }: SpecView): Problem[] {
  const { provider = 'SelfSigned', pluggedIn } = spec.certificateAuthority ?? {};
  if (provider === 'PluggedIn' && pluggedIn === undefined) {
    return [{ path: `${path}.pluggedIn`, message: 'must name the Secret: provider is PluggedIn' }];
  }
  if (provider !== 'PluggedIn' && pluggedIn !== undefined) {
    return [
      {
        path: `${path}.pluggedIn`,
        message: `has no effect with provider ${provider}: set provider: PluggedIn, or remove it`,
      },
    ];
  }
  return [];
}

/** An intermediate must not outlive its root, and workloads' certificates are valid for a day. */
export function checkAuthorityLifetimes({ spec }: SpecView): Problem[] {
  const authority = spec.certificateAuthority as CertificateAuthority | undefined;
  const { root, intermediate } = resolveAuthority(authority, true);
  if (intermediate.lifetimeMs < leastLifetimeMs) {
    return [
      {
        path: `${path}.intermediate.lifetime`,
        message: 'must be at least 1h: certificates are renewed within it',
      },
    ];
  }
  if (root.lifetimeMs >= 2 * intermediate.lifetimeMs) return [];
  return [
    {
      path: `${path}.root.lifetime`,
      message:
        'must be at least twice the lifetime of intermediates: each is signed by a root that outlives it',
    },
  ];
}

const leastLifetimeMs = 3_600_000;
