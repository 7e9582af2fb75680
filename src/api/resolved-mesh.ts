import type { GatewayApiChannel } from './gateway-api.ts';
import type { GatewayKind } from './gateway-kinds.ts';
import type { PlatformName } from './platforms.ts';
import type { ResolvedMonitoring } from './resolve-monitoring.ts';
import type { ResolvedTelemetry } from './resolve-telemetry.ts';
import type { ResolvedAuthority } from './resolved-authority.ts';
import type { ResolvedCni } from './resolved-cni.ts';
import type { ResolvedInjection } from './resolved-injection.ts';
import type { ResolvedMultiCluster, ResolvedRemoteIstiod } from './resolved-multi-cluster.ts';
import type { ResolvedNetworkPolicy } from './resolved-network-policy.ts';
import type { ResolvedSecurity } from './resolved-security.ts';
import type { ResolvedTenancy } from './resolved-tenancy.ts';
import type { ResolvedTagScope, ResolvedUpgrade } from './resolved-upgrade.ts';
import type { ResolvedZtunnel } from './resolved-ztunnel.ts';
import type { IstioVersion } from './versions.ts';

/** A JSON value that is passed through to Kubernetes or Istio as it is. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Settings of the pods of one component, after merging profile, `values` and `components.*.k8s`. */
export interface ResolvedPods {
  readonly resources: JsonObject;
  /** EnvVar list in the user's order; wins by name over what the component sets itself. */
  readonly env: readonly JsonObject[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly JsonObject[];
  readonly affinity?: JsonObject;
  readonly podAnnotations: Readonly<Record<string, string>>;
  readonly podLabels: Readonly<Record<string, string>>;
  /** `spec.strategy` of a Deployment, `spec.updateStrategy` of a DaemonSet. */
  readonly strategy: JsonObject;
  readonly priorityClassName?: string;
  readonly imagePullPolicy?: string;
  readonly securityContext?: JsonObject;
  /** Merged over the readiness probe of the container. */
  readonly readinessProbe?: JsonObject;
  /** Further volumes of the pod, which win by name. */
  readonly volumes?: readonly JsonObject[];
  /** Further mounts of the container, which win by `mountPath`. */
  readonly volumeMounts?: readonly JsonObject[];
}

/** Kubernetes settings of one Deployment and what is around it. */
export interface ResolvedWorkload extends ResolvedPods {
  /** Absent when an HPA owns the number of replicas. */
  readonly replicas?: number;
  /** HorizontalPodAutoscaler v2 `spec` without `scaleTargetRef`; absent when there is none. */
  readonly hpaSpec?: JsonObject;
  /** PodDisruptionBudget `spec` without `selector`; absent with a single replica, where it would block drains. */
  readonly podDisruptionBudget?: JsonObject;
  readonly topologySpreadConstraints: readonly JsonObject[];
  readonly serviceAnnotations: Readonly<Record<string, string>>;
}

/** Changes of one rendered object, in the user's order. */
export interface ResolvedOverlay {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  /** Without a value, what is at the path is taken away. */
  readonly patches: readonly { readonly path: string; readonly value?: Json }[];
}

/** The overlays of one component. */
export interface ResolvedOverlays {
  /** Where they are in the MeshOperator: `spec.components.pilot.k8s.overlays`. */
  readonly path: string;
  /** Name of the component in the spec, `gateway` for one of those. */
  readonly component: string;
  readonly gateway?: { readonly name: string; readonly namespace: string };
  readonly overlays: readonly ResolvedOverlay[];
}

export interface ResolvedPilot extends ResolvedWorkload {
  readonly enabled: boolean;
  /** Complete image reference. */
  readonly image: string;
  /** Additional command line arguments, after ours. */
  readonly extraArgs: readonly string[];
  /** `--log_output_level` of istiod. */
  readonly logLevel: string;
  readonly logAsJson: boolean;
  /** Value of `--keepaliveMaxServerConnectionAge`, a Go duration. */
  readonly keepaliveMaxServerConnectionAge: string;
  /** Percentage 0-100 for `PILOT_TRACE_SAMPLING`. */
  readonly traceSampling: number;
  readonly service: {
    readonly ports: readonly ResolvedServicePort[];
    /** Other Service `spec` fields the user set, `type` among them. */
    readonly spec: JsonObject;
  };
}

/** The webhook that injects sidecars. */
export interface ResolvedInjector extends ResolvedWorkload {
  readonly enabled: boolean;
  /** The failure policy of the webhook once the API server has been seen to reach it. */
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** What becomes of pods that should have a sidecar and have none. */
  readonly barePods: 'Report' | 'Evict';
}

export interface ResolvedServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number | string;
  readonly protocol: string;
  readonly nodePort?: number;
  readonly appProtocol?: string;
}

export interface ResolvedGateway extends ResolvedWorkload {
  readonly kind: GatewayKind['list'];
  readonly name: string;
  readonly namespace: string;
  /** Labels of the selector: always `app` and `istio`. */
  readonly selector: Readonly<Record<string, string>>;
  /** Further labels of pod and Service. */
  readonly labels: Readonly<Record<string, string>>;
  readonly service: {
    readonly type: string;
    readonly ports: readonly ResolvedServicePort[];
    /** Other Service `spec` fields the user set (loadBalancerIP, externalTrafficPolicy, ...). */
    readonly spec: JsonObject;
  };
}

/** Settings that proxies share. */
export interface ResolvedProxy {
  readonly logLevel: string;
  readonly componentLogLevel: string;
  readonly clusterDomain: string;
  readonly readiness: {
    readonly initialDelaySeconds: number;
    readonly periodSeconds: number;
    readonly failureThreshold: number;
  };
}

/**
 * One MeshOperator with every default filled in: version table <- profile <- spec.
 * What render, controllers and CLI work on; nothing behind it looks at the spec again.
 */
export interface ResolvedMesh {
  readonly name: string;
  readonly namespace: string;
  /** Empty for the default revision, else a DNS label. */
  readonly revision: string;
  /** Further names of this control plane in `istio.io/rev`. */
  readonly revisionTags: readonly string[];
  /** Absent where the tags count in every namespace. */
  readonly tagScope?: ResolvedTagScope;
  readonly version: IstioVersion;
  readonly profile: string;
  readonly hub: string;
  readonly tag: string;
  readonly imagePullSecrets: readonly string[];
  /** The complete MeshConfig document of ConfigMap `istio[-R]`, key `mesh`. */
  readonly meshConfig: JsonObject;
  /** `meshNetworks` document. */
  readonly meshNetworks: JsonObject;
  readonly meshId: string;
  readonly network: string;
  readonly clusterId: string;
  readonly base: {
    readonly enabled: boolean;
    /** Channel of the Gateway API whose CRDs are installed where they are missing; absent: none. */
    readonly gatewayApi?: GatewayApiChannel;
  };
  readonly pilot: ResolvedPilot;
  /** The istiod of another cluster, which this one has instead of its own. */
  readonly remote?: ResolvedRemoteIstiod;
  /** Whether objects that name this revision may only use what Istio calls stable. */
  readonly stableValidationPolicy: boolean;
  /** What the cluster is, where that matters. */
  readonly platform?: PlatformName;
  /** The agent that captures traffic on each node. */
  readonly cni: ResolvedCni;
  /** The proxy that ambient pods of a node share. */
  readonly ztunnel: ResolvedZtunnel;
  readonly security: ResolvedSecurity;
  /** What proxies tell of the traffic, for each place that has settings. */
  readonly telemetry: readonly ResolvedTelemetry[];
  /** Absent: nothing watches it. */
  readonly monitoring?: ResolvedMonitoring;
  readonly proxy: ResolvedProxy;
  /** Who signs its certificates. */
  readonly authority: ResolvedAuthority;
  /** Who puts sidecars into pods. */
  readonly injector: ResolvedInjector;
  /** What is put into which pods. */
  readonly injection: ResolvedInjection;
  /** How another version gets in. */
  readonly upgrade: ResolvedUpgrade;
  /** Absent: no policies. */
  readonly networkPolicy?: ResolvedNetworkPolicy;
  /** Absent where the control plane is for the whole cluster. */
  readonly tenancy?: ResolvedTenancy;
  /** Absent where the mesh is of one cluster. */
  readonly multiCluster?: ResolvedMultiCluster;
  /** Ingress, egress and east-west ones; only those that are enabled. */
  readonly gateways: readonly ResolvedGateway[];
  /** Changes of rendered objects, for each component that has any. */
  readonly overlays: readonly ResolvedOverlays[];
}

/** `istio[-R]`-style suffix: empty for the default revision. */
export function revisionSuffix(revision: string): string {
  return revision === '' ? '' : `-${revision}`;
}

/** The word Istio uses in labels: the revision, or `default`. */
export function revisionLabel(revision: string): string {
  return revision === '' ? 'default' : revision;
}

/** Where a policy counts for the whole mesh (MeshConfig `rootNamespace`). */
export function rootNamespaceOf({ meshConfig }: Pick<ResolvedMesh, 'meshConfig'>): string {
  return String(meshConfig.rootNamespace);
}
