import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { istioVersions } from '../../../../src/api/versions.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { wholeTelemetry } from '../../../support/whole-telemetry.ts';

type Telemetry = NonNullable<MeshOperatorSpec['telemetry']>;
type Provider = NonNullable<Telemetry['providers']>[number];

const json: Provider = { name: 'json', type: 'AccessLogFile', fields: { code: '%RESPONSE_CODE%' } };
const collector: Provider = { name: 'collector', type: 'OpenTelemetry', service: 'otel.tracing.svc' };

function aLog(fields: Partial<Provider>): Telemetry {
  return { providers: [{ ...json, ...fields }] };
}

const rows: readonly (readonly [name: string, telemetry: unknown, problem: RegExp])[] = [
  [
    'readings too seldom for alerts',
    { monitoring: { interval: '5m' } },
    /monitoring\.interval: must be 1s to/,
  ],
  ['a duration of Go', { monitoring: { interval: '0.5m' } }, /monitoring\.interval: must be 1s to/],
  ['no request that may fail', { monitoring: { alerts: { errorPercent: 0 } } }, /alerts\.errorPercent: /],
  ['two providers of one name', { providers: [json, json] }, /providers\[1\]: is a second json beside/],
  [
    'two blocks of one namespace',
    { namespaces: [place('a'), place('a')] },
    /namespaces\[1\]: is a second a /,
  ],
  ['the root namespace', { namespaces: [place('istio-system')] }, /namespaces\[0\]\.namespace: is the root/],
  [
    'a namespace of which nothing is said',
    { namespaces: [{ namespace: 'a' }] },
    /namespaces\[0\]: says nothing/,
  ],
  [
    'a collector without a host',
    { providers: [{ name: 'a', type: 'Zipkin' }] },
    /\.service: is required with/,
  ],
  ['a host of a file', aLog({ service: 'otel.tracing.svc' }), /\.service: has no effect with type AccessLog/],
  ['fields of a collector', { providers: [{ ...collector, fields: {} }] }, /\.fields: has no effect with/],
  ['fields and text', aLog({ text: 'a' }), /\.text: has no effect beside fields/],
  ['no field at all', aLog({ fields: {} }), /\.fields: must have a field/],
  ['an operator without an end', aLog({ fields: { a: '%PROTOCOL' } }), /at "%PROTOCOL".*"%PROTOCOL%"/],
  ['a mistyped operator', aLog({ fields: { a: '%PROTCOL%' } }), /unknown operator %PROTCOL%.*"%PROTOCOL%"/],
  ['an empty filter', { accessLogs: [{ provider: 'envoy', filter: ' ' }] }, /\.filter: must be a CEL expr/],
  [
    'a filter of a log that is off',
    { accessLogs: [{ provider: 'envoy', filter: 'true', disabled: true }] },
    /\.filter: has no effect on a log/,
  ],
  [
    'an unknown provider of logs',
    { providers: [json], accessLogs: [{ provider: 'jsno' }] },
    /accessLogs\[0\]\.provider: is no provider.*did you mean "json"/,
  ],
  [
    'a provider of logs for spans',
    { providers: [json], tracing: { provider: 'json' } },
    /tracing\.provider: is no provider that takes spans/,
  ],
  ['spans that go nowhere', { tracing: { sampling: 1 } }, /tracing\.provider: is required/],
  ['more than everything', tracing(101), /sampling: must be at most 100/],
  ['less than nothing', tracing(-1), /sampling: must be at least 0/],
  ['an unknown metric', { metrics: [{ metric: 'REQUEST_CONT', disabled: true }] }, /mean "REQUEST_COUNT"/],
  [
    'one metric twice',
    { metrics: [{ disabled: true }, { disabled: false }] },
    /metrics\[1\]: is a second ALL_/,
  ],
  [
    'a metric that stays as it is',
    { metrics: [{ metric: 'REQUEST_SIZE' }] },
    /metrics\[0\]: changes nothing/,
  ],
  ['an unknown label', { metrics: [{ removeTags: ['reponse_code'] }] }, /no label that .*"response_code"/],
  [
    'a label that goes and comes',
    { metrics: [{ removeTags: ['reporter'], tags: { reporter: '"a"' } }] },
    /removeTags\[0\]: is also one of tags/,
  ],
];

const conflicts: readonly (readonly [field: string, spec: MeshOperatorSpec, problem: RegExp])[] = [
  [
    'accessLogFile',
    { meshConfig: { accessLogFile: '/dev/stdout' }, telemetry: { accessLogs: [{ provider: 'envoy' }] } },
    /^spec\.meshConfig\.accessLogFile: says what spec\.telemetry says/,
  ],
  [
    'accessLogEncoding of values',
    {
      values: { meshConfig: { accessLogEncoding: 'JSON' } },
      telemetry: { accessLogs: [{ provider: 'envoy' }] },
    },
    /^spec\.values\.meshConfig\.accessLogEncoding: says what/,
  ],
  [
    'the tracing of defaultConfig',
    { meshConfig: { defaultConfig: { tracing: { sampling: 1 } } }, telemetry: tracing(1) },
    /^spec\.meshConfig\.defaultConfig\.tracing: says what/,
  ],
  [
    'a provider of the same name',
    {
      meshConfig: { extensionProviders: [{ name: 'json', prometheus: {} }] },
      telemetry: { providers: [json] },
    },
    /^spec\.meshConfig\.extensionProviders\[0\]\.name: is also the name of one of spec\.telemetry/,
  ],
];

const filtered: Telemetry = { accessLogs: [{ provider: 'envoy', filter: 'response.code >= 400' }] };

describe('a filter of access logs', () => {
  it.each<MeshOperatorSpec>([
    { profile: 'stable' },
    { values: { experimental: { stableValidationPolicy: true } } },
  ])('is refused where the API server would deny it (%j)', (spec) => {
    const telemetry = { ...filtered, namespaces: [{ namespace: 'shop', ...filtered }] };

    expect(problemsOf({ ...spec, telemetry })).toEqual([
      expect.stringMatching(
        /^spec\.telemetry\.accessLogs\[0\]\.filter: is not stable.*stableValidationPolicy to false/,
      ),
      expect.stringMatching(/^spec\.telemetry\.namespaces\[0\]\.accessLogs\[0\]\.filter: is not stable/),
    ]);
  });

  it.each<MeshOperatorSpec>([
    {},
    { profile: 'stable', values: { experimental: { stableValidationPolicy: false } } },
    // The resource is all control planes', so it names no revision that a policy could select.
    { profile: 'stable', upgrade: { strategy: 'RevisionBased' } },
  ])('is taken where it would not (%j)', (spec) => {
    expect(problemsOf({ ...spec, telemetry: filtered })).toEqual([]);
  });
});

describe('telemetry settings', () => {
  it.each(rows)('are refused with %s', (_name, telemetry, problem) => {
    const problems = problemsOf({ telemetry: telemetry as Telemetry });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  it.each(conflicts)('are refused beside %s', (_field, spec, problem) => {
    expect(problemsOf(spec)).toEqual([expect.stringMatching(problem)]);
  });

  it('are refused in a remote cluster, where nobody reads them', () => {
    expect(problemsOf({ profile: 'remote', telemetry: tracing(1) }).join()).toMatch(
      /spec\.telemetry\.tracing: has no/,
    );
  });

  it('may have a remote cluster watched', () => {
    expect(problemsOf({ profile: 'remote', telemetry: { monitoring: {} } })).toEqual([]);
  });

  it.each([
    '%START_TIME(%Y-%m-%dT%H:%M:%S)%',
    '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):20%',
    '100%% of %BYTES_SENT%',
    '%UPSTREAM_REMOTE_ADDRESS%',
    'no operator',
  ])('may have the format %s', (format) => {
    expect(problemsOf({ telemetry: aLog({ fields: { a: format } }) })).toEqual([]);
  });

  it.each(istioVersions.map(({ minor }) => minor))('become a MeshConfig that Istio %s has', (version) => {
    for (const spec of wholeTelemetry) {
      const { meshConfig } = resolveMesh(aMeshOperator({ ...spec, version }));
      const extensionProviders = meshConfig.extensionProviders;

      expect(problemsOf({ version, meshConfig: { extensionProviders } })).toEqual([]);
    }
  });

  // Without it istiod's listeners are refused by every Envoy.
  it('give spans over HTTP a timeout', () => {
    const overHttp: Provider = { ...collector, path: '/v1/traces' };
    const { meshConfig } = resolveMesh(aMeshOperator({ telemetry: { providers: [overHttp] } }));

    expect(meshConfig.extensionProviders).toEqual([
      {
        name: 'collector',
        opentelemetry: {
          service: 'otel.tracing.svc',
          port: 4318,
          http: { path: '/v1/traces', timeout: '3s' },
        },
      },
    ]);
  });

  it('may choose providers that a profile or a MeshConfig brings, which stay', () => {
    const spec: MeshOperatorSpec = {
      profile: 'demo',
      telemetry: { providers: [json], tracing: { provider: 'otel-tracing' } },
    };

    expect(problemsOf(spec)).toEqual([]);
    expect(resolveMesh(aMeshOperator(spec)).meshConfig.extensionProviders).toEqual([
      ...['otel', 'skywalking', 'otel-tracing', 'jaeger'].map((name) => expect.objectContaining({ name })),
      expect.objectContaining({ name: 'json' }),
    ]);
  });
});

function place(namespace: string) {
  return { namespace, accessLogs: [{ provider: 'envoy' }] };
}

function tracing(sampling: number): Telemetry {
  return { providers: [collector], tracing: { provider: 'collector', sampling } };
}

function problemsOf(spec: MeshOperatorSpec): string[] {
  return validateMeshOperator(aMeshOperator(spec)).map(problemText);
}
