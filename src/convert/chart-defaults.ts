import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import { isRecord, stableJson } from '../base/stable-json.ts';
import type { Path } from './setting-tree.ts';

/**
 * Values of Istio's charts that are their defaults and have no field here: whoever writes them down asks for nothing.
 * Facts of the charts `istiod`, `base` and `gateway` of 1.29 to 1.31, and of the profile of Sail that names ztunnel.
 */
const defaults: JsonObject = {
  global: {
    arch: { amd64: 2, ppc64le: 2, s390x: 2, arm64: 2 },
    configCluster: false,
    configValidation: true,
    defaultPodDisruptionBudget: { enabled: true },
    defaultResources: { requests: { cpu: '10m' } },
    enableReaderRBAC: true,
    externalIstiod: false,
    istiod: { enableAnalysis: false },
    jwtPolicy: 'third-party-jwt',
    multiCluster: { enabled: false, globalDomainSuffix: 'global', includeEnvoyFilter: true },
    networkPolicy: { enabled: false },
    omitSidecarInjectorConfigMap: false,
    operatorManageWebhooks: false,
    proxy: { enableCoreDump: false },
    resourceScope: 'all',
    waypoint: {
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '2', memory: '1Gi' } },
    },
  },
  pilot: {
    configMap: true,
    cni: { chained: true },
    enabled: true,
    taint: { enabled: false, name: 'cni.istio.io/not-ready' },
    trustedZtunnelName: 'ztunnel',
  },
  sidecarInjectorWebhook: { reinvocationPolicy: 'Never' },
  istiodRemote: { enabled: false, enabledLocalInjectorIstiod: false, injectionPath: '/inject' },
  telemetry: {
    enabled: true,
    v2: { enabled: true, prometheus: { enabled: true }, stackdriver: { enabled: false } },
  },
  base: { enableCRDTemplates: true, enableIstioConfigCRDs: true, validateGateway: false },
  experimental: { stableValidationPolicy: false },
  istio_cni: { enabled: false, chained: true },
  ownerName: 'unknown',
  pdb: { minAvailable: 1 },
  ztunnel: { resourceName: 'ztunnel' },
};

/** Whether a value at a path of the values says no more than the chart would do without it. */
export function isChartDefault(path: Path, value: Json): boolean {
  const preset = path.reduce<Json | undefined>(
    (inner, key) => (isRecord(inner) ? (inner as JsonObject)[String(key)] : undefined),
    defaults,
  );
  return isEmpty(value) || (preset !== undefined && stableJson(preset) === stableJson(value));
}

/** What Helm's templates take for not set. */
function isEmpty(value: Json): boolean {
  return value === '' || stableJson(value) === '{}' || stableJson(value) === '[]';
}
