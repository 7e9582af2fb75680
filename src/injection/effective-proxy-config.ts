import { meshConfigMessages } from '../api/mesh-config-messages.ts';
import { problemText } from '../api/problem.ts';
import type { ProtoMessages } from '../api/proto-fields.ts';
import type { JsonObject } from '../api/resolved-mesh.ts';
import { findProtoProblems } from '../api/validation/proto-problems.ts';
import { isRecord, stableJson } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import { parseYamlAnnotation } from './bounded-document.ts';
import type { InjectionInput, ProxyConfigResource } from './injection-input.ts';
import { matchesSelector } from './label-selector.ts';
import { annotationOf } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';
import { proxyDefaultsOf } from './proxy-defaults.ts';

const proxyConfigMessage = 'istio.mesh.v1alpha1.ProxyConfig';

/** Values that the agent starts from: repeating them in PROXY_CONFIG would only make pods bigger. */
const agentDefaults: JsonObject = {
  configPath: './etc/istio/proxy',
  binaryPath: '/usr/local/bin/envoy',
  serviceCluster: 'istio-proxy',
  drainDuration: '45s',
  terminationDrainDuration: '5s',
  discoveryAddress: 'istiod.istio-system.svc:15012',
  controlPlaneAuthPolicy: 'MUTUAL_TLS',
  proxyAdminPort: 15000,
  statNameLength: 189,
  statusPort: 15020,
  proxyMetadata: {},
};

/**
 * The ProxyConfig of one pod, from low to high: `defaultConfig` of the mesh, ProxyConfig resources of the root
 * namespace, `spec.sidecarInjector.proxyDefaults` of the pod's namespace, ProxyConfig resources of it, annotation
 * `proxy.istio.io/config`, ProxyConfig resources that select the pod. Each replaces whole fields, but `proxyMetadata` is merged key by key. Throws PodRejectedError for a bad annotation.
 */
export function effectiveProxyConfig(input: InjectionInput): JsonObject {
  const { pod, mesh, namespace } = input;
  const ours = (input.proxyConfigs ?? []).filter((resource) => resource.namespace === namespace.name);
  const root = mesh.meshConfig.rootNamespace ?? mesh.namespace;
  const layers = [
    meshProxyConfig(input),
    root === namespace.name ? undefined : wideConfig(input.proxyConfigs ?? [], String(root)),
    namespaceConcurrency(input),
    wideConfig(ours, namespace.name),
    annotatedConfig(annotationOf(pod, names.proxyConfig), meshConfigMessages(mesh.version.minor)),
    selectedConfig(ours, pod.metadata.labels ?? {}),
  ];
  return layers.reduce<JsonObject>((below, layer) => mergeLayer(below, layer ?? {}), {});
}

function namespaceConcurrency({ mesh, namespace }: InjectionInput): JsonObject | undefined {
  const concurrency = proxyDefaultsOf(mesh, namespace.name)?.concurrency;
  return concurrency === undefined ? undefined : { concurrency };
}

/** `defaultConfig` of the mesh alone. */
export function meshProxyConfig({ mesh }: Pick<InjectionInput, 'mesh'>): JsonObject {
  const { defaultConfig } = mesh.meshConfig;
  return isRecord(defaultConfig) ? (defaultConfig as JsonObject) : {};
}

/** The value of PROXY_CONFIG: the ProxyConfig without what the agent assumes anyway. */
export function proxyConfigText(proxyConfig: JsonObject): string {
  return stableJson(
    Object.fromEntries(
      Object.entries(proxyConfig).filter(
        ([key, value]) =>
          value !== null &&
          !(Object.hasOwn(agentDefaults, key) && stableJson(agentDefaults[key]) === stableJson(value)),
      ),
    ),
  );
}

/** `proxyMetadata` as text by name, sorted by name. */
export function proxyMetadataOf(proxyConfig: JsonObject): readonly (readonly [string, string])[] {
  const { proxyMetadata } = proxyConfig;
  if (!isRecord(proxyMetadata)) return [];
  return Object.keys(proxyMetadata)
    .sort()
    .map((name) => [name, String(proxyMetadata[name])] as const);
}

function mergeLayer(below: JsonObject, layer: JsonObject): JsonObject {
  const metadata = {
    ...(isRecord(below.proxyMetadata) ? below.proxyMetadata : {}),
    ...(isRecord(layer.proxyMetadata) ? layer.proxyMetadata : {}),
  } as JsonObject;
  const merged = { ...below, ...layer };
  return Object.keys(metadata).length === 0 ? merged : { ...merged, proxyMetadata: metadata };
}

function annotatedConfig(text: string | undefined, messages: ProtoMessages): JsonObject | undefined {
  if (text === undefined) return undefined;
  const document = withJsonNames(messages, proxyConfigMessage, parseYamlAnnotation(names.proxyConfig, text));
  const problems = findProtoProblems(messages, proxyConfigMessage, document, []);
  if (problems.length > 0) {
    throw new PodRejectedError(
      `Annotation ${names.proxyConfig} must be a ProxyConfig: ${problems.map(problemText).join('; ')}`,
    );
  }
  return document as JsonObject;
}

/** Istio reads `proxy_metadata` for `proxyMetadata`, too. */
function withJsonNames(
  messages: ProtoMessages,
  message: string,
  document: Record<string, unknown>,
): Record<string, unknown> {
  const fields = messages[message] ?? {};
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => {
      const jsonName = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
      const name = !Object.hasOwn(fields, key) && Object.hasOwn(fields, jsonName) ? jsonName : key;
      const inner = Object.hasOwn(fields, name) ? fields[name] : undefined;
      const isMessage = inner?.message !== undefined && inner.map !== true && isRecord(value);
      return [name, isMessage ? withJsonNames(messages, inner.message ?? '', value) : value];
    }),
  );
}

function wideConfig(resources: readonly ProxyConfigResource[], namespace: string): JsonObject | undefined {
  return asLayer(
    oldest(
      resources.filter((resource) => resource.namespace === namespace && resource.selector === undefined),
    ),
  );
}

function selectedConfig(
  resources: readonly ProxyConfigResource[],
  labels: Readonly<Record<string, string>>,
): JsonObject | undefined {
  return asLayer(
    oldest(
      resources.filter(
        ({ selector }) => selector !== undefined && matchesSelector({ matchLabels: selector }, labels),
      ),
    ),
  );
}

function oldest(resources: readonly ProxyConfigResource[]): ProxyConfigResource | undefined {
  return [...resources].sort((a, b) => (a.creationTimestamp < b.creationTimestamp ? -1 : 1))[0];
}

function asLayer(resource: ProxyConfigResource | undefined): JsonObject | undefined {
  if (resource === undefined) return undefined;
  const { concurrency, environmentVariables, image } = resource;
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(environmentVariables === undefined ? {} : { proxyMetadata: { ...environmentVariables } }),
    ...(image === undefined ? {} : { image }),
  };
}
