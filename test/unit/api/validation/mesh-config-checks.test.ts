import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const sayings = (spec: MeshOperatorSpec) => validateMeshOperator(aMeshOperator(spec)).map(problemText);

const trafficPolicy = { defaultTrafficPolicy: { connectionPool: { tcp: { maxConnections: 10 } } } };
const tracing = {
  extensionProviders: [
    {
      name: 'otel',
      opentelemetry: {
        service: 'otel.example.com',
        port: 4317,
        serviceAttributeEnrichment: 'OTEL_SEMANTIC_CONVENTIONS',
      },
    },
  ],
};
const dynamicDns = { outboundTrafficPolicy: { mode: 'ALLOW_ANY_DYNAMIC_DNS' } };

describe('mesh configuration in an older minor', () => {
  it.each<readonly [what: string, spec: MeshOperatorSpec, problems: readonly string[]]>([
    [
      'is refused for a field that came later, with the minor that has it',
      { version: '1.30', meshConfig: trafficPolicy },
      [
        'spec.meshConfig.defaultTrafficPolicy: is not in Istio 1.30, but from 1.31 on: leave it out, or set spec.version to 1.31',
      ],
    ],
    [
      'is refused for it among the values as well',
      { version: '1.29.6', values: { meshConfig: trafficPolicy } },
      [
        'spec.values.meshConfig.defaultTrafficPolicy: is not in Istio 1.29, but from 1.31 on: leave it out, or set spec.version to 1.31',
      ],
    ],
    [
      'names the first minor that has a field',
      { version: '1.29', meshConfig: tracing },
      [
        'spec.meshConfig.extensionProviders[0].opentelemetry.serviceAttributeEnrichment: is not in Istio 1.29, but from 1.30 on: leave it out, or set spec.version to 1.30',
      ],
    ],
    [
      'is refused for a value that came later',
      { version: '1.29', meshConfig: dynamicDns },
      [
        'spec.meshConfig.outboundTrafficPolicy.mode: is not in Istio 1.29, but from 1.30 on: leave it out, or set spec.version to 1.30',
      ],
    ],
    [
      'is refused for what no minor has, as in any minor',
      { version: '1.29', meshConfig: { accessLogFil: '/dev/stdout' } },
      ['spec.meshConfig.accessLogFil: is not a field (did you mean "accessLogFile"?)'],
    ],
    ['is taken with what came before', { version: '1.30', meshConfig: { ...tracing, ...dynamicDns } }, []],
    ['is taken whole in the newest', { meshConfig: { ...trafficPolicy, ...tracing, ...dynamicDns } }, []],
  ])('%s', (_what, spec, problems) => {
    expect(sayings(spec)).toEqual(problems);
  });
});

describe('a policy that an older minor does not know', () => {
  const variable = { name: 'COMPLIANCE_POLICY', value: 'fips-140-3' };

  it.each<readonly [where: string, spec: MeshOperatorSpec, path: string]>([
    [
      'among the values',
      { values: { pilot: { env: { COMPLIANCE_POLICY: 'fips-140-3' } } } },
      'spec.values.pilot.env.COMPLIANCE_POLICY',
    ],
    [
      'in the environment of istiod',
      { components: { pilot: { k8s: { env: [{ name: 'A', value: 'b' }, variable] } } } },
      'spec.components.pilot.k8s.env[1].value',
    ],
  ])('is refused %s', (_where, spec, path) => {
    expect(sayings({ version: '1.30', ...spec })).toEqual([
      `${path}: is not in Istio 1.30, but from 1.31 on: leave it out, or set spec.version to 1.31`,
    ]);
    expect(sayings({ version: '1.31', ...spec })).toEqual([]);
  });
});
