import type { Json, JsonObject } from './resolved-mesh.ts';
import type { Telemetry, TelemetryProvider, TelemetrySettings } from './spec/telemetry.ts';

/** The settings of one namespace, or of the whole mesh in its root namespace. */
export interface ResolvedTelemetry extends TelemetrySettings {
  readonly namespace: string;
}

/** The settings of each place that has some: the mesh first, in its root namespace, then namespaces by name. */
export function resolveTelemetry(
  telemetry: Telemetry | undefined,
  rootNamespace: string,
): readonly ResolvedTelemetry[] {
  const { namespaces = [], accessLogs, tracing, metrics } = telemetry ?? {};
  const sorted = [...namespaces].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  return [{ namespace: rootNamespace, accessLogs, tracing, metrics }, ...sorted].filter(
    (place) => place.accessLogs !== undefined || place.tracing !== undefined || place.metrics !== undefined,
  );
}

/** The list of `extensionProviders` with those of `spec.telemetry`, which win by name, at its end. */
export function withTelemetryProviders(
  known: Json | undefined,
  telemetry: Telemetry | undefined,
): JsonObject[] | undefined {
  const own = telemetry?.providers ?? [];
  if (own.length === 0) return undefined;
  const names = new Set<Json | undefined>(own.map(({ name }) => name));
  const others = ((known ?? []) as JsonObject[]).filter(({ name }) => !names.has(name));
  return [...others, ...own.map(extensionProvider)];
}

/**
 * What Istio's API calls the default (istio.io/api mesh/v1alpha1, HttpService); istiod fills in none, and then each Envoy
 * refuses every listener that has the provider.
 */
const otlpHttpTimeout = '3s';

function extensionProvider(provider: TelemetryProvider): JsonObject {
  const { name, type, fields, text, service = '', port, path } = provider;
  if (type === 'Zipkin') {
    return { name, zipkin: { service, port: port ?? 9411, ...(path === undefined ? {} : { path }) } };
  }
  if (type === 'OpenTelemetry') {
    return path === undefined
      ? { name, opentelemetry: { service, port: port ?? 4317 } }
      : { name, opentelemetry: { service, port: port ?? 4318, http: { path, timeout: otlpHttpTimeout } } };
  }
  const logFormat = fields === undefined ? { text: lineOf(text) } : { labels: fields };
  return {
    name,
    envoyFileAccessLog: {
      path: path ?? '/dev/stdout',
      ...(fields === undefined && text === undefined ? {} : { logFormat }),
    },
  };
}

/** Envoy ends no line by itself. */
function lineOf(text = ''): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
