import { TerminalError } from '../base/errors.ts';
import { dropNulls } from './drop-nulls.ts';
import { mergeJson } from './merge-json.ts';
import type { MeshOperator } from './mesh-operator.ts';
import type { MeshOperatorSpec } from './mesh-operator-spec.ts';
import { platformValues } from './platforms.ts';
import { problemText } from './problem.ts';
import { type Profile, profiles } from './profiles.ts';
import { resolveAuthority } from './resolve-authority.ts';
import { resolveCni } from './resolve-cni.ts';
import type { ResolveContext } from './resolve-context.ts';
import { resolveGateways } from './resolve-gateway.ts';
import { resolveInjection } from './resolve-injection.ts';
import { resolveInjector } from './resolve-injector.ts';
import { resolveMonitoring } from './resolve-monitoring.ts';
import {
  followedRoots,
  multiClusterValues,
  ownNetwork,
  profileOf,
  resolveMultiCluster,
  resolveRemoteIstiod,
} from './resolve-multi-cluster.ts';
import { resolveNetworkPolicy } from './resolve-network-policy.ts';
import { resolveOverlays } from './resolve-overlays.ts';
import { resolvePilot } from './resolve-pilot.ts';
import { resolveSecurity, securityMeshConfig } from './resolve-security.ts';
import { resolveTelemetry, withTelemetryProviders } from './resolve-telemetry.ts';
import { resolveTenancy, tenantBundleName, tenantMeshConfig } from './resolve-tenancy.ts';
import { resolveTagScope, resolveUpgrade } from './resolve-upgrade.ts';
import { resolveVersion } from './resolve-version.ts';
import { resolveZtunnel } from './resolve-ztunnel.ts';
import type { Json, JsonObject, ResolvedMesh, ResolvedProxy } from './resolved-mesh.ts';
import { revisionSuffix, rootNamespaceOf } from './resolved-mesh.ts';
import type { ResolvedTenancy } from './resolved-tenancy.ts';
import type { Values } from './spec/values.ts';
import { validateMeshOperator } from './validate.ts';
import type { IstioVersion } from './versions.ts';

/** Where released images are. */
export const defaultHub = 'registry.istio.io/release';

/**
 * Fills in every default: version table <- profile <- spec. Same input, same output; the input stays as it is.
 *
 * Where two fields say the same, `values` wins over `spec.hub`, `spec.tag` and `spec.meshConfig` (validation
 * refuses those that differ), and `components.*.k8s` wins over `values`, as in IstioOperator.
 *
 * Throws TerminalError with reason `InvalidSpec` and all problems when the object does not pass validation.
 */
export function resolveMesh(object: MeshOperator): ResolvedMesh {
  const problems = validateMeshOperator(object);
  if (problems.length > 0) {
    throw new TerminalError(problems.map(problemText).join('; '), { reason: 'InvalidSpec' });
  }

  const { name, namespace = '' } = object.metadata;
  const spec = dropNulls(object.spec ?? {});
  const version = resolveVersion(spec.version);
  if (version === undefined)
    throw new Error(`Version ${spec.version} passed validation but is not in the table`);
  const profileName = profileOf(spec);
  const profile = profiles[profileName];
  const platform = spec.values?.global?.platform ?? profile.values.global?.platform;
  const values = mergeJson(
    profile.values as JsonObject,
    platform === undefined ? undefined : platformValues[platform],
    multiClusterValues(spec.multiCluster),
    spec.values as JsonObject | undefined,
  ) as Values;
  const revision = spec.revision ?? '';
  const context: ResolveContext = { namespace, revision, values, ...imageSource(spec, values, version) };
  const global = values.global ?? {};
  const isRemote = profileName === 'remote';
  const isForAnother = spec.multiCluster?.configCluster !== undefined;
  const pilot = resolvePilot(spec.components?.pilot, profile.pilot, context);
  const cni = resolveCni(
    spec.components?.cni,
    { enabled: profile.cni, namespace: profile.nodeNamespace },
    context,
  );
  const injection = resolveInjection(spec.sidecarInjector, context, {
    hasCni: cni.enabled,
    authorityAddress: spec.certificateAuthority?.external?.address,
    // An external authority has its roots brought under the usual name.
    bundleName:
      spec.tenancy === undefined || spec.certificateAuthority?.provider === 'External'
        ? ''
        : tenantBundleName(spec.tenancy.tenant),
  });
  const ztunnel = resolveZtunnel(
    spec.components?.ztunnel,
    {
      enabledByProfile: profile.ztunnel,
      namespaceOfProfile: profile.nodeNamespace,
      authorityAddress: injection.caAddress,
    },
    context,
  );
  const tenancy = spec.tenancy === undefined ? undefined : resolveTenancy(spec.tenancy);
  const meshConfig = resolveMeshConfig(spec, profile, context, tenancy);
  const upgrade = resolveUpgrade(spec.upgrade);
  const tagScope = resolveTagScope(spec.revisionTagScope);
  const multiCluster =
    spec.multiCluster === undefined ? undefined : resolveMultiCluster(spec.multiCluster, profileName);
  const networkPolicy = resolveNetworkPolicy(spec.networkPolicy, platform);
  const monitoring = resolveMonitoring(spec.telemetry?.monitoring);

  return {
    name,
    namespace,
    revision,
    revisionTags: [...new Set(spec.revisionTags ?? [])],
    ...(tagScope === undefined ? {} : { tagScope }),
    version,
    profile: profileName,
    hub: context.hub,
    tag: context.tag,
    imagePullSecrets: [...new Set([...(spec.imagePullSecrets ?? []), ...(global.imagePullSecrets ?? [])])],
    meshConfig,
    meshNetworks: {
      networks: mergeJson(ownNetwork(spec.multiCluster), global.meshNetworks as JsonObject | undefined),
    },
    meshId: global.meshID ?? '',
    network: global.network ?? '',
    clusterId: global.multiCluster?.clusterName ?? 'Kubernetes',
    base: {
      enabled:
        spec.components?.base?.enabled ??
        // Istio's resources are in the other cluster.
        (spec.components?.base !== undefined || (profile.base && !isForAnother)),
      ...(spec.components?.base?.gatewayApi === undefined
        ? {}
        : { gatewayApi: spec.components.base.gatewayApi }),
    },
    // Whatever is said of istiod, it is that of another cluster.
    pilot: isRemote ? { ...pilot, enabled: false } : pilot,
    ...(isRemote ? { remote: resolveRemoteIstiod(global.remotePilotAddress, multiCluster) } : {}),
    stableValidationPolicy: values.experimental?.stableValidationPolicy ?? false,
    ...(platform === undefined ? {} : { platform }),
    cni,
    ztunnel,
    security: resolveSecurity(spec.security, rootNamespaceOf({ meshConfig })),
    telemetry: resolveTelemetry(spec.telemetry, rootNamespaceOf({ meshConfig })),
    ...(monitoring === undefined ? {} : { monitoring }),
    proxy: resolveProxy(values),
    authority: {
      ...resolveAuthority(spec.certificateAuthority, pilot.enabled && !isRemote, namespace),
      ...(multiCluster?.role === 'Remote' ? { followed: followedRoots(namespace, revision) } : {}),
    },
    injector: resolveInjector(
      spec.sidecarInjector,
      (pilot.enabled || isRemote) && !isForAnother && upgrade.strategy === 'InPlace',
      context,
    ),
    injection,
    upgrade,
    ...(networkPolicy === undefined ? {} : { networkPolicy }),
    ...(tenancy === undefined ? {} : { tenancy }),
    ...(multiCluster === undefined ? {} : { multiCluster }),
    gateways: resolveGateways(spec.components, profile, context),
    overlays: resolveOverlays(spec, namespace),
  };
}

function imageSource(spec: MeshOperatorSpec, values: Values, version: IstioVersion) {
  return {
    hub: values.global?.hub ?? spec.hub ?? defaultHub,
    tag: values.global?.tag ?? spec.tag ?? version.patch,
  };
}

/** Generated <- profile <- what other blocks of the spec say <- `spec.meshConfig` <- `values.meshConfig`. */
function resolveMeshConfig(
  spec: MeshOperatorSpec,
  profile: Profile,
  context: ResolveContext,
  tenancy: ResolvedTenancy | undefined,
): JsonObject {
  const users = mergeJson(
    profile.meshConfig,
    securityMeshConfig(spec.security),
    spec.meshConfig as JsonObject | undefined,
    spec.values?.meshConfig as JsonObject | undefined,
  );
  const { meshID, variant } = context.values.global ?? {};
  const defaultConfig: Record<string, Json> = {
    discoveryAddress: `istiod${revisionSuffix(context.revision)}.${context.namespace}.svc:15012`,
    // A trust bundle that grows reaches running proxies at once; without it, only with their next certificates.
    proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' },
  };
  if (meshID !== undefined) defaultConfig.meshId = meshID;
  if (variant !== undefined) defaultConfig.image = { imageType: variant };
  const generated: JsonObject = {
    trustDomain: 'cluster.local',
    rootNamespace: context.namespace,
    enablePrometheusMerge: true,
    defaultConfig,
    ...(tenancy === undefined ? {} : tenantMeshConfig(tenancy, context)),
  };
  // Any provider the user names replaces the default one, as in Istio's charts.
  if (users.defaultProviders === undefined) generated.defaultProviders = { metrics: ['prometheus'] };
  const extensionProviders = withTelemetryProviders(users.extensionProviders, spec.telemetry);
  return mergeJson(generated, users, extensionProviders === undefined ? undefined : { extensionProviders });
}

function resolveProxy(values: Values): ResolvedProxy {
  const proxy = values.global?.proxy ?? {};
  return {
    logLevel: proxy.logLevel ?? 'warning',
    componentLogLevel: proxy.componentLogLevel ?? 'misc:error',
    clusterDomain: proxy.clusterDomain ?? 'cluster.local',
    readiness: {
      initialDelaySeconds: proxy.readinessInitialDelaySeconds ?? 0,
      periodSeconds: proxy.readinessPeriodSeconds ?? 15,
      failureThreshold: proxy.readinessFailureThreshold ?? 4,
    },
  };
}
