import { mergeJson } from './merge-json.ts';
import type { ResolveContext } from './resolve-context.ts';
import type {
  LabelSelector,
  NativeSidecars,
  ProxyDefaults,
  ResolvedInjection,
  ResolvedTrafficCapture,
} from './resolved-injection.ts';
import { type JsonObject, revisionSuffix } from './resolved-mesh.ts';
import type { SidecarInjector } from './spec/sidecar-injector.ts';
import type { Values } from './spec/values.ts';

type Global = NonNullable<Values['global']>;

/** Resources of proxies that set none themselves. */
export const defaultProxyResources: JsonObject = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { cpu: '2000m', memory: '1024Mi' },
};

/** The agent's port when nothing says otherwise. */
export const defaultStatusPort = 15020;

/** What injection depends on beside its own settings. */
export interface InjectionSurroundings {
  /** Whether the mesh has the agent that captures traffic. */
  readonly hasCni: boolean;
  /** Address of an external authority, which `values.global.caAddress` may only repeat. */
  readonly authorityAddress: string | undefined;
  /** ConfigMap with the roots where `values.global.trustBundleName` does not say; empty for the usual one. */
  readonly bundleName?: string;
}

/** The injector with every default filled in; `spec.sidecarInjector` wins over `values`. */
export function resolveInjection(
  injector: SidecarInjector | undefined,
  context: ResolveContext,
  { hasCni, authorityAddress, bundleName = '' }: InjectionSurroundings,
): ResolvedInjection {
  const { values } = context;
  const global = values.global ?? {};
  const pilot = values.pilot ?? {};
  const webhook = values.sidecarInjectorWebhook ?? {};
  const defaultTemplates = injector?.defaultTemplates ?? webhook.defaultTemplates ?? [];
  return {
    policy: global.proxy?.autoInject ?? 'enabled',
    enableNamespacesByDefault:
      injector?.enableNamespacesByDefault ?? webhook.enableNamespacesByDefault ?? false,
    neverInjectSelector: (injector?.neverInjectSelector ??
      webhook.neverInjectSelector ??
      []) as readonly LabelSelector[],
    alwaysInjectSelector: (injector?.alwaysInjectSelector ??
      webhook.alwaysInjectSelector ??
      []) as readonly LabelSelector[],
    injectedAnnotations: { ...webhook.injectedAnnotations, ...injector?.injectedAnnotations },
    defaultTemplates: defaultTemplates.length === 0 ? ['sidecar'] : defaultTemplates,
    templates: injector?.templates ?? {},
    templateAliases: injector?.templateAliases ?? {},
    rewriteAppHTTPProbers: injector?.rewriteAppHTTPProbers ?? webhook.rewriteAppHTTPProbe ?? true,
    nativeSidecars: injector?.nativeSidecars ?? nativeSidecarsOf(pilot.env?.ENABLE_NATIVE_SIDECARS),
    cni: {
      enabled: pilot.cni?.enabled ?? hasCni,
      provider: pilot.cni?.provider ?? values.cni?.provider ?? 'default',
    },
    crlConfigMapName: pilot.crlConfigMapName ?? 'istio-ca-crl',
    compliancePolicy: pilot.env?.COMPLIANCE_POLICY ?? '',
    clusterTrustBundle: pilot.env?.ENABLE_CLUSTER_TRUST_BUNDLE_API === 'true',
    ...resolveContainers(global),
    ...resolveProxyDefaults(injector?.proxyDefaults, global),
    ...resolveIdentity(global, context),
    trustBundleName: global.trustBundleName || bundleName,
    ...(authorityAddress === undefined ? {} : { caAddress: authorityAddress }),
  };
}

function resolveContainers(global: Global) {
  const proxy = global.proxy ?? {};
  return {
    image: proxy.image ?? 'proxyv2',
    initImage: global.proxy_init?.image ?? 'proxyv2',
    variant: global.variant ?? '',
    ...(global.imagePullPolicy === undefined ? {} : { imagePullPolicy: global.imagePullPolicy }),
    resources: proxyResources(global),
    statusPort: proxy.statusPort ?? defaultStatusPort,
    startupProbe: {
      enabled: proxy.startupProbe?.enabled ?? true,
      failureThreshold: proxy.startupProbe?.failureThreshold ?? 600,
    },
    traffic: resolveTraffic(global),
    capNetBindService: proxy.capNetBindService ?? false,
    privileged: proxy.privileged ?? false,
    holdApplicationUntilProxyStarts: proxy.holdApplicationUntilProxyStarts ?? false,
    ...(isGiven(proxy.lifecycle) ? { lifecycle: proxy.lifecycle } : {}),
    ...(isGiven(proxy.seccompProfile) ? { seccompProfile: proxy.seccompProfile } : {}),
    outlierLogPath: proxy.outlierLogPath ?? '',
    tracer: proxy.tracer ?? 'none',
  };
}

function proxyResources({ proxy }: Global): JsonObject {
  return mergeJson(defaultProxyResources, proxy?.resources as JsonObject | undefined);
}

/** An injector without such defaults is told nothing of them, so its configuration stays as it was. */
function resolveProxyDefaults(
  entries: SidecarInjector['proxyDefaults'],
  global: Global,
): { readonly proxyDefaults?: Readonly<Record<string, ProxyDefaults>> } {
  if (entries === undefined || entries.length === 0) return {};
  const proxyDefaults = entries.flatMap(({ namespaces, resources, concurrency }) => {
    const defaults: ProxyDefaults = {
      resources: mergeJson(proxyResources(global), resources as JsonObject | undefined),
      ...(concurrency === undefined ? {} : { concurrency }),
    };
    return namespaces.map((namespace) => [namespace, defaults] as const);
  });
  return { proxyDefaults: Object.fromEntries(proxyDefaults) };
}

function resolveTraffic(global: Global): ResolvedTrafficCapture {
  const proxy = global.proxy ?? {};
  return {
    includeIPRanges: proxy.includeIPRanges ?? '*',
    excludeIPRanges: proxy.excludeIPRanges ?? '',
    includeInboundPorts: proxy.includeInboundPorts ?? '*',
    excludeInboundPorts: proxy.excludeInboundPorts ?? '',
    includeOutboundPorts: proxy.includeOutboundPorts ?? '',
    excludeOutboundPorts: proxy.excludeOutboundPorts ?? '',
    forceApplyIptables: global.proxy_init?.forceApplyIptables ?? false,
    nativeNftables: global.nativeNftables ?? false,
  };
}

/** How a proxy proves who it is, and whom it trusts. */
function resolveIdentity(global: Global, { namespace, revision }: ResolveContext) {
  return {
    mountMtlsCerts: global.mountMtlsCerts ?? false,
    pilotCertProvider: global.pilotCertProvider ?? 'istiod',
    caAddress: global.caAddress || `istiod${revisionSuffix(revision)}.${namespace}.svc:15012`,
    caName: global.caName ?? '',
    stsPort: global.sts?.servicePort ?? 0,
    tokenAudience: global.sds?.token?.aud ?? 'istio-ca',
  };
}

/** As istiod reads its own variable. */
function nativeSidecarsOf(setting: string | undefined): NativeSidecars {
  if (setting === undefined || setting === 'auto') return 'Auto';
  return setting === 'true' ? 'Always' : 'Never';
}

/** An empty object in values means "none". */
function isGiven(object: object | undefined): object is JsonObject {
  return object !== undefined && Object.keys(object).length > 0;
}
