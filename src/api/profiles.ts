import type { GatewayKind } from './gateway-kinds.ts';
import type { JsonObject } from './resolved-mesh.ts';
import type { Components } from './spec/components.ts';
import type { Values } from './spec/values.ts';

export const profileNames = [
  'default',
  'minimal',
  'demo',
  'ambient',
  'openshift',
  'preview',
  'stable',
  'remote',
  'empty',
] as const;

export type ProfileName = (typeof profileNames)[number];

/** Defaults that one word in the spec stands for; the spec wins over each of them. */
export interface Profile {
  readonly base: boolean;
  readonly pilot: boolean;
  readonly cni: boolean;
  readonly ztunnel: boolean;
  /** Where components run that have a pod on every node; absent: in the namespace of the mesh. */
  readonly nodeNamespace?: string;
  readonly gateways: Pick<Components, GatewayKind['list']>;
  readonly meshConfig: JsonObject;
  readonly values: Values;
}

const smallProxy = { requests: { cpu: '10m', memory: '40Mi' } };
const smallGateway = { replicaCount: 1, resources: smallProxy };

const oneIngressGateway: Profile['gateways'] = { ingressGateways: [{ name: 'istio-ingressgateway' }] };

const plain: Omit<Profile, 'gateways'> = {
  base: true,
  pilot: true,
  cni: false,
  ztunnel: false,
  meshConfig: {},
  values: {},
};

/** Facts of Istio's own profiles. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  default: { ...plain, gateways: oneIngressGateway },
  minimal: { ...plain, gateways: {} },
  empty: { ...plain, base: false, pilot: false, gateways: {} },
  preview: {
    ...plain,
    gateways: oneIngressGateway,
    meshConfig: { defaultConfig: { proxyMetadata: { ISTIO_META_DNS_CAPTURE: 'true' } } },
  },
  stable: {
    ...plain,
    gateways: oneIngressGateway,
    values: { experimental: { stableValidationPolicy: true } },
  },
  openshift: {
    ...plain,
    cni: true,
    // There pods may be privileged.
    nodeNamespace: 'kube-system',
    gateways: oneIngressGateway,
    values: { global: { platform: 'openshift' } },
  },
  ambient: {
    ...plain,
    cni: true,
    ztunnel: true,
    gateways: {},
    meshConfig: {
      defaultConfig: { proxyMetadata: { ISTIO_META_ENABLE_HBONE: 'true' } },
      serviceScopeConfigs: [
        {
          servicesSelector: {
            matchExpressions: [{ key: 'istio.io/global', operator: 'In', values: ['true'] }],
          },
          scope: 'GLOBAL',
        },
      ],
    },
    values: {
      global: { variant: 'distroless' },
      pilot: { env: { PILOT_ENABLE_AMBIENT: 'true' } },
      cni: { ambient: { enabled: true } },
    },
  },
  // Its istiod is in another cluster.
  remote: { ...plain, pilot: false, gateways: {} },
  demo: {
    ...plain,
    gateways: {
      ingressGateways: [
        {
          name: 'istio-ingressgateway',
          k8s: {
            ...smallGateway,
            service: {
              ports: [
                { name: 'status-port', port: 15021 },
                { name: 'http2', port: 80 },
                { name: 'https', port: 443 },
                { name: 'tcp', port: 31400 },
                { name: 'tls', port: 15443 },
              ],
            },
          },
        },
      ],
      egressGateways: [{ name: 'istio-egressgateway', k8s: smallGateway }],
    },
    meshConfig: {
      accessLogFile: '/dev/stdout',
      extensionProviders: [
        {
          name: 'otel',
          envoyOtelAls: { service: 'opentelemetry-collector.observability.svc.cluster.local', port: 4317 },
        },
        {
          name: 'skywalking',
          skywalking: { service: 'tracing.istio-system.svc.cluster.local', port: 11800 },
        },
        {
          name: 'otel-tracing',
          opentelemetry: { service: 'opentelemetry-collector.observability.svc.cluster.local', port: 4317 },
        },
        {
          name: 'jaeger',
          opentelemetry: { service: 'jaeger-collector.istio-system.svc.cluster.local', port: 4317 },
        },
      ],
    },
    values: {
      global: { proxy: { resources: smallProxy } },
      pilot: {
        autoscaleEnabled: false,
        traceSampling: 100,
        resources: { requests: { cpu: '10m', memory: '100Mi' } },
      },
      cni: { resources: smallProxy },
      ztunnel: { resources: smallProxy },
    },
  },
};
