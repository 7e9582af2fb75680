import { goDurationMs } from '../base/duration.ts';
import type {
  ResolvedAuthority,
  ResolvedAuthorityCertificate,
  ResolvedExternalAuthority,
  ResolvedIssuer,
  ResolvedSpire,
} from './resolved-authority.ts';
import type { CertificateAuthority } from './spec/certificate-authority.ts';

const hourMs = 3_600_000;
const defaultLifetimesMs = { root: 87_600 * hourMs, intermediate: 8_760 * hourMs } as const;
const defaultThreshold = 33;
const defaultSoakMs = 120_000;

/** Where every proxy looks for its roots, and the key in it (Istio security/pkg/k8s, `CACertNamespaceConfigMap`). */
export const rootConfigMapName = 'istio-ca-root-cert';
export const rootConfigMapKey = 'root-cert.pem';

/** The authority with every default filled in; `namespace` is that of the mesh. */
export function resolveAuthority(
  authority: CertificateAuthority | undefined,
  hasControlPlane: boolean,
  namespace: string,
): ResolvedAuthority {
  const { provider = 'SelfSigned', pluggedIn, certManager, rotation } = authority ?? {};
  const proceedAfterMs = goDurationMs(rotation?.absentMembers?.proceedAfter);
  const external = hasControlPlane ? resolveExternal(authority, namespace) : undefined;
  return {
    enabled: hasControlPlane && provider !== 'External' && provider !== 'Istiod',
    provider,
    ...(external === undefined ? {} : { external }),
    ...(provider === 'Spire' ? { spire: resolveSpire(authority?.spire) } : {}),
    ...(pluggedIn?.secretName === undefined ? {} : { secretName: pluggedIn.secretName }),
    ...(certManager?.issuerRef === undefined ? {} : { issuer: resolveIssuer(certManager.issuerRef) }),
    root: resolveCertificate('root', authority),
    intermediate: resolveCertificate('intermediate', authority),
    soakMs: goDurationMs(rotation?.soak) ?? defaultSoakMs,
    ...(proceedAfterMs === undefined ? {} : { proceedAfterMs }),
    ...(rotation?.paused === undefined ? {} : { paused: rotation.paused }),
  };
}

function resolveExternal(
  { provider, external }: CertificateAuthority = {},
  namespace: string,
): ResolvedExternalAuthority | undefined {
  if (provider !== 'External' || external === undefined) return undefined;
  const { address, trustBundle } = external;
  const bundle =
    trustBundle === undefined
      ? { namespace, name: rootConfigMapName, key: rootConfigMapKey }
      : { namespace, name: trustBundle.configMapName, key: trustBundle.key ?? 'ca.crt' };
  return { address, bundle, distributes: trustBundle !== undefined };
}

function resolveSpire({
  csiDriver,
  trustBundle,
}: NonNullable<CertificateAuthority['spire']> = {}): ResolvedSpire {
  const { namespace = 'spire', configMapName = 'spire-bundle', key = 'bundle.crt' } = trustBundle ?? {};
  return {
    csiDriver: csiDriver ?? 'csi.spiffe.io',
    bundle: { namespace, name: configMapName, key },
    isBundleNamed: trustBundle !== undefined,
  };
}

function resolveIssuer({
  name,
  kind = 'Issuer',
  group = 'cert-manager.io',
}: NonNullable<CertificateAuthority['certManager']>['issuerRef']): ResolvedIssuer {
  return { name, kind, group };
}

function resolveCertificate(
  which: 'root' | 'intermediate',
  authority: CertificateAuthority | undefined,
): ResolvedAuthorityCertificate {
  const { algorithm = 'ECDSA-P256', lifetime } = authority?.[which] ?? {};
  const { schedule, threshold = defaultThreshold } = authority?.rotation?.[which] ?? {};
  return {
    algorithm,
    lifetimeMs: goDurationMs(lifetime) ?? defaultLifetimesMs[which],
    ...(schedule === undefined ? {} : { schedule }),
    threshold: threshold / 100,
  };
}
