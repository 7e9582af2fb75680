import { isRecord } from '../../base/stable-json.ts';
import type { Problem } from '../problem.ts';
import { profiles } from '../profiles.ts';
import { profileOf } from '../resolve-multi-cluster.ts';
import type { Telemetry, TelemetryMetric, TelemetryProvider, TelemetrySettings } from '../spec/telemetry.ts';
import { findFormatProblem } from './access-log-format.ts';
import { findDuplicates } from './duplicates.ts';
import { nearestName } from './nearest-name.ts';
import type { Draft } from './schema-problems.ts';
import { meshConfigsOf, rootNamespaceOf, type SpecView, valueAt } from './spec-view.ts';

const path = 'spec.telemetry';

/** Labels that Istio's proxies give their metrics (istio.io, "Istio Standard Metrics"). */
const standardTags: readonly string[] = [
  ...['source', 'destination'].flatMap((side) =>
    ['workload', 'workload_namespace', 'principal', 'app', 'version', 'cluster'].map(
      (what) => `${side}_${what}`,
    ),
  ),
  ...['source', 'destination'].flatMap((side) => [`${side}_canonical_service`, `${side}_canonical_revision`]),
  ...['destination_service', 'destination_service_name', 'destination_service_namespace'],
  ...['reporter', 'request_protocol', 'response_code', 'response_flags', 'grpc_response_status'],
  'connection_security_policy',
];

/** A provider that istiod has by itself, for access logs alone. */
const builtIn = 'envoy';

type Settings = Draft<TelemetrySettings>;
interface Place {
  readonly at: string;
  readonly settings: Settings;
}

export function checkTelemetry(view: SpecView): Problem[] {
  const { spec } = view;
  const { telemetry } = spec;
  // In a remote cluster nobody reads it, which is said elsewhere.
  if (telemetry === undefined || profileOf(spec) === 'remote') return [];
  const root = rootNamespaceOf(view);
  const places = placesOf(telemetry);
  const choices = providersOf(view);
  return [
    ...findDuplicates(`${path}.providers`, telemetry.providers ?? [], (provider) => provider.name),
    ...findDuplicates(`${path}.namespaces`, telemetry.namespaces ?? [], (place) => place.namespace),
    ...(telemetry.namespaces ?? []).flatMap((place, index) => checkNamespace(index, place, root)),
    ...(telemetry.providers ?? []).flatMap((provider, index) =>
      provider === undefined ? [] : checkProvider(`${path}.providers[${index}]`, provider),
    ),
    ...places.flatMap((place) => checkAccessLogs(place, choices)),
    ...(isStrict(view) ? checkFilters(telemetry) : []),
    ...places.flatMap((place) => checkTracing(place, choices, telemetry)),
    ...places.flatMap(checkMetrics),
  ];
}

/** The same thing is said in one place: here, or in a MeshConfig that was brought along. */
export function checkTelemetryAgainstMeshConfig(view: SpecView): Problem[] {
  const { telemetry } = view.spec;
  if (telemetry === undefined) return [];
  const places = placesOf(telemetry);
  const isSaid = (setting: keyof TelemetrySettings) => places.some(({ settings }) => settings[setting]);
  const own = new Set((telemetry.providers ?? []).flatMap((provider) => provider?.name ?? []));
  return meshConfigsOf(view).flatMap(({ at, config }) => {
    const conflicts = [
      ...(isSaid('accessLogs') ? [...logSettings, 'defaultProviders.accessLogging'] : []),
      ...(isSaid('tracing') ? ['defaultConfig.tracing', 'defaultProviders.tracing'] : []),
      ...(isSaid('metrics') ? ['defaultProviders.metrics'] : []),
    ].filter((field) => valueAt(config, field) !== undefined);
    return [
      ...conflicts.map((field) => ({
        path: `${at}.${field}`,
        message: `says what ${path} says as well, which would win: remove one of them`,
      })),
      ...providerNames(config).flatMap(({ name, index }) =>
        own.has(name)
          ? [
              {
                path: `${at}.extensionProviders[${index}].name`,
                message: `is also the name of one of ${path}.providers: remove one of them, or rename it`,
              },
            ]
          : [],
      ),
    ];
  });
}

const logSettings = ['accessLogFile', 'accessLogFormat', 'accessLogEncoding'];

function placesOf(telemetry: Draft<Telemetry>): Place[] {
  const ofNamespaces = (telemetry.namespaces ?? []).flatMap((settings, index) =>
    settings === undefined ? [] : [{ at: `${path}.namespaces[${index}]`, settings }],
  );
  return [{ at: path, settings: telemetry }, ...ofNamespaces];
}

function checkNamespace(
  index: number,
  place: Draft<NonNullable<Telemetry['namespaces']>[number]> | undefined,
  root: string,
): Problem[] {
  if (place === undefined) return [];
  const at = `${path}.namespaces[${index}]`;
  if (place.namespace === root) {
    const message = `is the root namespace, whose settings are those of the whole mesh: set them in ${path}`;
    return [{ path: `${at}.namespace`, message }];
  }
  const { accessLogs, tracing, metrics } = place;
  return accessLogs === undefined && tracing === undefined && metrics === undefined
    ? [{ path: at, message: 'says nothing: give accessLogs, tracing or metrics' }]
    : [];
}

function checkProvider(at: string, provider: Draft<TelemetryProvider>): Problem[] {
  const { type, fields, text, service, port } = provider;
  if (type === undefined) return [];
  const isLog = type === 'AccessLogFile';
  const foreign = Object.entries(isLog ? { service, port } : { fields, text });
  return [
    ...foreign
      .filter(([, value]) => value !== undefined)
      .map(([field]) => ({ path: `${at}.${field}`, message: `has no effect with type ${type}: remove it` })),
    ...(!isLog && service === undefined
      ? [{ path: `${at}.service`, message: `is required with type ${type}: the host of the collector` }]
      : []),
    ...(isLog && fields !== undefined && text !== undefined
      ? [{ path: `${at}.text`, message: 'has no effect beside fields: remove one of them' }]
      : []),
    ...(isLog && fields !== undefined && Object.keys(fields).length === 0
      ? [{ path: `${at}.fields`, message: "must have a field; without it lines are in Istio's own format" }]
      : []),
    ...Object.entries(fields ?? {}).flatMap(([name, format]) =>
      formatProblem(`${at}.fields.${name}`, format),
    ),
    ...formatProblem(`${at}.text`, text),
  ];
}

function formatProblem(at: string, format: string | undefined): Problem[] {
  const problem = format === undefined ? undefined : findFormatProblem(format);
  return problem === undefined ? [] : [{ path: at, ...problem }];
}

interface Choices {
  readonly logs: readonly string[];
  readonly spans: readonly string[];
}

/** Names that settings may choose. What kind a pasted provider is of is istiod's to say. */
function providersOf(view: SpecView): Choices {
  const { spec } = view;
  const own = spec.telemetry?.providers ?? [];
  const pasted = [profiles[profileOf(spec)].meshConfig, ...meshConfigsOf(view).map(({ config }) => config)];
  const others = pasted.flatMap((config) => providerNames(config).map(({ name }) => name));
  const named = (isLog: boolean) =>
    own.flatMap((one) => ((one?.type === 'AccessLogFile') === isLog ? (one?.name ?? []) : []));
  return { logs: [...named(true), ...others, builtIn], spans: [...named(false), ...others] };
}

function checkAccessLogs({ at, settings }: Place, { logs }: Choices): Problem[] {
  const entries = settings.accessLogs ?? [];
  return [
    ...findDuplicates(`${at}.accessLogs`, entries, (entry) => entry.provider),
    ...entries.flatMap((entry, index) => {
      const here = `${at}.accessLogs[${index}]`;
      const known = unknownProvider(`${here}.provider`, entry?.provider, logs, 'access logs');
      return entry?.disabled === true && entry.filter !== undefined
        ? [
            ...known,
            { path: `${here}.filter`, message: 'has no effect on a log that is disabled: remove it' },
          ]
        : known;
    }),
  ];
}

/** Whether the API server denies our resources what Istio does not call stable; those of no revision it does not judge. */
function isStrict({ spec: { profile = 'default', values, upgrade } }: SpecView): boolean {
  const { experimental } = profiles[profile].values;
  return (
    (values?.experimental?.stableValidationPolicy ?? experimental?.stableValidationPolicy) === true &&
    upgrade?.strategy !== 'RevisionBased'
  );
}

function checkFilters(telemetry: Draft<Telemetry>): Problem[] {
  const message =
    'is not stable in Istio, so the policy of this mesh denies it: remove it, or set spec.values.experimental.stableValidationPolicy to false';
  return logFilterPaths(telemetry).map((filter) => ({ path: filter, message }));
}

/** Where access logs are filtered. */
export function logFilterPaths(telemetry: Draft<Telemetry> = {}): string[] {
  return placesOf(telemetry).flatMap(({ at, settings }) =>
    (settings.accessLogs ?? []).flatMap((entry, index) =>
      entry?.filter === undefined ? [] : `${at}.accessLogs[${index}].filter`,
    ),
  );
}

function checkTracing({ at, settings }: Place, { spans }: Choices, mesh: Draft<Telemetry>): Problem[] {
  const { tracing } = settings;
  if (tracing === undefined) return [];
  const here = `${at}.tracing.provider`;
  const provider = tracing.provider ?? mesh.tracing?.provider;
  if (provider === undefined && tracing.disabled !== true) {
    return [{ path: here, message: 'is required: without it, and one of the mesh, nothing is traced' }];
  }
  return unknownProvider(here, tracing.provider, spans, 'spans');
}

function unknownProvider(
  at: string,
  name: string | undefined,
  known: readonly string[],
  what: string,
): Problem[] {
  if (name === undefined || known.includes(name)) return [];
  const suggestion = nearestName(name, known);
  const message = `is no provider that takes ${what}: name one of ${path}.providers`;
  return [{ path: at, message, ...(suggestion === undefined ? {} : { suggestion }) }];
}

function checkMetrics({ at, settings }: Place): Problem[] {
  const metrics = settings.metrics ?? [];
  const identity = ({ metric = 'ALL_METRICS', side = 'CLIENT_AND_SERVER' }: Draft<TelemetryMetric>) =>
    `${metric} of ${side}`;
  return [
    ...findDuplicates(`${at}.metrics`, metrics, identity),
    ...metrics.flatMap((metric, index) =>
      metric === undefined ? [] : checkMetric(`${at}.metrics[${index}]`, metric),
    ),
  ];
}

function checkMetric(at: string, metric: Draft<TelemetryMetric>): Problem[] {
  const { disabled, removeTags = [], tags = {} } = metric;
  if (disabled === undefined && removeTags.length === 0 && Object.keys(tags).length === 0) {
    return [{ path: at, message: 'changes nothing: give disabled, removeTags or tags' }];
  }
  return removeTags.flatMap((tag, index) => {
    const here = `${at}.removeTags[${index}]`;
    if (tag === undefined) return [];
    if (Object.hasOwn(tags, tag)) return [{ path: here, message: 'is also one of tags: remove one of them' }];
    if (standardTags.includes(tag)) return [];
    const suggestion = nearestName(tag, standardTags);
    const message = "is no label that Istio's metrics have";
    return [{ path: here, message, ...(suggestion === undefined ? {} : { suggestion }) }];
  });
}

function providerNames({ extensionProviders }: Readonly<Record<string, unknown>>) {
  const list: readonly unknown[] = Array.isArray(extensionProviders) ? extensionProviders : [];
  return list.flatMap((entry, index) =>
    isRecord(entry) && typeof entry.name === 'string' ? [{ name: entry.name, index }] : [],
  );
}
