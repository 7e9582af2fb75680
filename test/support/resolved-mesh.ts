import { resolveCni } from '../../src/api/resolve-cni.ts';
import type { ResolveContext } from '../../src/api/resolve-context.ts';
import { resolveInjection } from '../../src/api/resolve-injection.ts';
import { resolveSecurity } from '../../src/api/resolve-security.ts';
import { resolveUpgrade } from '../../src/api/resolve-upgrade.ts';
import { resolveZtunnel } from '../../src/api/resolve-ztunnel.ts';
import type { ResolvedAuthority } from '../../src/api/resolved-authority.ts';
import type {
  ResolvedGateway,
  ResolvedInjector,
  ResolvedMesh,
  ResolvedPilot,
  ResolvedWorkload,
} from '../../src/api/resolved-mesh.ts';

const aWorkload: ResolvedWorkload = {
  resources: {},
  env: [],
  nodeSelector: {},
  tolerations: [],
  topologySpreadConstraints: [],
  podAnnotations: {},
  podLabels: {},
  serviceAnnotations: {},
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' } },
  hpaSpec: {
    minReplicas: 1,
    maxReplicas: 5,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  },
};

/** A pilot with the defaults of the default profile. */
export function aPilot(fields: Partial<ResolvedPilot> = {}): ResolvedPilot {
  return {
    ...aWorkload,
    enabled: true,
    image: 'registry.istio.io/release/pilot:1.31.1',
    resources: { requests: { cpu: '500m', memory: '2Gi' } },
    extraArgs: [],
    logLevel: 'default:info',
    logAsJson: false,
    keepaliveMaxServerConnectionAge: '30m',
    traceSampling: 1,
    service: {
      ports: [{ name: 'https-dns', port: 15012, targetPort: 15012, protocol: 'TCP' }],
      spec: {},
    },
    ...fields,
  };
}

/** The ingress gateway of the default profile. */
export function aGateway(fields: Partial<ResolvedGateway> = {}): ResolvedGateway {
  return {
    ...aWorkload,
    kind: 'ingressGateways',
    name: 'istio-ingressgateway',
    namespace: 'istio-system',
    selector: { app: 'istio-ingressgateway', istio: 'ingressgateway' },
    labels: {},
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2', memory: '1Gi' } },
    service: {
      type: 'LoadBalancer',
      ports: [
        { name: 'status-port', port: 15021, targetPort: 15021, protocol: 'TCP' },
        { name: 'http2', port: 80, targetPort: 8080, protocol: 'TCP' },
        { name: 'https', port: 443, targetPort: 8443, protocol: 'TCP' },
      ],
      spec: {},
    },
    ...fields,
  };
}

/** The injector of the default profile. */
export function anInjector(fields: Partial<ResolvedInjector> = {}): ResolvedInjector {
  const { hpaSpec: _hpaSpec, ...fixed } = aWorkload;
  return {
    ...fixed,
    replicas: 2,
    podDisruptionBudget: { minAvailable: 1 },
    resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 } },
    enabled: true,
    failurePolicy: 'Fail',
    barePods: 'Report',
    ...fields,
  };
}

/** The authority of a spec that says nothing of it. */
export function anAuthority(fields: Partial<ResolvedAuthority> = {}): ResolvedAuthority {
  const certificate = { algorithm: 'ECDSA-P256', threshold: 0.33 } as const;
  return {
    enabled: true,
    provider: 'SelfSigned',
    root: { ...certificate, lifetimeMs: 87_600 * 3_600_000 },
    intermediate: { ...certificate, lifetimeMs: 8_760 * 3_600_000 },
    soakMs: 120_000,
    ...fields,
  };
}

const context: ResolveContext = {
  namespace: 'istio-system',
  revision: '',
  hub: 'registry.istio.io/release',
  tag: '1.31.1',
  values: {},
};

/** A mesh as the default profile resolves to, in namespace istio-system. */
export function aResolvedMesh(fields: Partial<ResolvedMesh> = {}): ResolvedMesh {
  return {
    name: 'mesh',
    namespace: 'istio-system',
    revision: '',
    revisionTags: [],
    version: { minor: '1.31', patch: '1.31.1' },
    profile: 'default',
    hub: 'registry.istio.io/release',
    tag: '1.31.1',
    imagePullSecrets: [],
    meshConfig: {
      rootNamespace: 'istio-system',
      trustDomain: 'cluster.local',
      enablePrometheusMerge: true,
      defaultProviders: { metrics: ['prometheus'] },
      defaultConfig: {
        discoveryAddress: 'istiod.istio-system.svc:15012',
        proxyMetadata: { PROXY_CONFIG_XDS_AGENT: 'true' },
      },
    },
    security: resolveSecurity(undefined, 'istio-system'),
    telemetry: [],
    meshNetworks: { networks: {} },
    meshId: '',
    network: '',
    clusterId: 'Kubernetes',
    base: { enabled: true },
    upgrade: resolveUpgrade(undefined),
    authority: anAuthority(),
    pilot: aPilot(),
    stableValidationPolicy: false,
    proxy: {
      logLevel: 'warning',
      componentLogLevel: 'misc:error',
      clusterDomain: 'cluster.local',
      readiness: { initialDelaySeconds: 0, periodSeconds: 15, failureThreshold: 4 },
    },
    injector: anInjector(),
    ztunnel: resolveZtunnel(
      undefined,
      {
        enabledByProfile: false,
        namespaceOfProfile: undefined,
        authorityAddress: 'istiod.istio-system.svc:15012',
      },
      context,
    ),
    cni: resolveCni(undefined, { enabled: false, namespace: undefined }, context),
    injection: resolveInjection(undefined, context, { hasCni: false, authorityAddress: undefined }),
    gateways: [aGateway()],
    overlays: [],
    ...fields,
  };
}
