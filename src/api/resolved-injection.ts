import type { JsonObject } from './resolved-mesh.ts';

/** A Kubernetes label selector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}

/** When sidecars are init containers that keep running. */
export type NativeSidecars = 'Auto' | 'Always' | 'Never';

/** What the injector needs beside the rest of a resolved mesh. */
export interface ResolvedInjection {
  /** Whether pods of a selected namespace are injected that say nothing themselves. */
  readonly policy: 'enabled' | 'disabled';
  readonly enableNamespacesByDefault: boolean;
  readonly neverInjectSelector: readonly LabelSelector[];
  readonly alwaysInjectSelector: readonly LabelSelector[];
  readonly injectedAnnotations: Readonly<Record<string, string>>;
  /** Never empty. */
  readonly defaultTemplates: readonly string[];
  /** Handlebars text of further templates by name; wins over a built-in one of the same name. */
  readonly templates: Readonly<Record<string, string>>;
  readonly templateAliases: Readonly<Record<string, readonly string[]>>;
  readonly rewriteAppHTTPProbers: boolean;
  readonly nativeSidecars: NativeSidecars;
  readonly cni: { readonly enabled: boolean; readonly provider: 'default' | 'multus' };
  /** Image of the proxy, a name below the hub or a complete reference. */
  readonly image: string;
  /** Image of the container that captures traffic, likewise. */
  readonly initImage: string;
  /** `distroless` and the like; empty for none. */
  readonly variant: string;
  readonly imagePullPolicy?: string;
  readonly resources: JsonObject;
  /** By name of a namespace, what differs there; absent: nothing anywhere. */
  readonly proxyDefaults?: Readonly<Record<string, ProxyDefaults>>;
  /** 0: the agent answers no probes. */
  readonly statusPort: number;
  readonly startupProbe: { readonly enabled: boolean; readonly failureThreshold: number };
  readonly traffic: ResolvedTrafficCapture;
  readonly capNetBindService: boolean;
  readonly privileged: boolean;
  readonly holdApplicationUntilProxyStarts: boolean;
  readonly lifecycle?: JsonObject;
  readonly seccompProfile?: JsonObject;
  readonly outlierLogPath: string;
  readonly tracer: string;
  readonly mountMtlsCerts: boolean;
  readonly pilotCertProvider: string;
  /** host:port of the certificate authority. */
  readonly caAddress: string;
  readonly caName: string;
  /** 0: none. */
  readonly stsPort: number;
  readonly tokenAudience: string;
  /** ConfigMap, or ClusterTrustBundle when `clusterTrustBundle`; empty for the usual one. */
  readonly trustBundleName: string;
  readonly clusterTrustBundle: boolean;
  readonly crlConfigMapName: string;
  /** Empty for none. */
  readonly compliancePolicy: string;
  /** Pod security context of injected gateways, instead of the usual one. */
  readonly gatewaySecurityContext?: JsonObject;
}

/** Defaults of the proxies of one namespace. */
export interface ProxyDefaults {
  /** Complete: those of the mesh with the namespace's over them. */
  readonly resources: JsonObject;
  /** Absent: that of the mesh. 0: as many threads as CPUs. */
  readonly concurrency?: number;
}

/** What a sidecar captures unless annotations of the pod say otherwise: comma lists, `*` for all. */
export interface ResolvedTrafficCapture {
  readonly includeIPRanges: string;
  readonly excludeIPRanges: string;
  readonly includeInboundPorts: string;
  readonly excludeInboundPorts: string;
  readonly includeOutboundPorts: string;
  readonly excludeOutboundPorts: string;
  readonly forceApplyIptables: boolean;
  readonly nativeNftables: boolean;
}
