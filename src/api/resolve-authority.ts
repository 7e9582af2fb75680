import { goDurationMs } from '../base/duration.ts';
import type { ResolvedAuthority, ResolvedAuthorityCertificate } from './resolved-authority.ts';
import type { CertificateAuthority } from './spec/certificate-authority.ts';

const hourMs = 3_600_000;
const defaultLifetimesMs = { root: 87_600 * hourMs, intermediate: 8_760 * hourMs } as const;
const defaultThreshold = 33;
const defaultSoakMs = 120_000;

/** The authority with every default filled in. */
export function resolveAuthority(
  authority: CertificateAuthority | undefined,
  hasControlPlane: boolean,
): ResolvedAuthority {
  const { provider = 'SelfSigned', pluggedIn, rotation } = authority ?? {};
  return {
    enabled: hasControlPlane && provider !== 'Istiod',
    provider,
    ...(pluggedIn?.secretName === undefined ? {} : { secretName: pluggedIn.secretName }),
    root: resolveCertificate('root', authority),
    intermediate: resolveCertificate('intermediate', authority),
    soakMs: durationMs(rotation?.soak) ?? defaultSoakMs,
    ...(rotation?.paused === undefined ? {} : { paused: rotation.paused }),
  };
}

function resolveCertificate(
  which: 'root' | 'intermediate',
  authority: CertificateAuthority | undefined,
): ResolvedAuthorityCertificate {
  const { algorithm = 'ECDSA-P256', lifetime } = authority?.[which] ?? {};
  const { schedule, threshold = defaultThreshold } = authority?.rotation?.[which] ?? {};
  return {
    algorithm,
    lifetimeMs: durationMs(lifetime) ?? defaultLifetimesMs[which],
    ...(schedule === undefined ? {} : { schedule }),
    threshold: threshold / 100,
  };
}

function durationMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : goDurationMs(text);
}
