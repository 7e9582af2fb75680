import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { renderMonitoring } from '../../../../src/render/monitoring/monitoring.ts';
import { revisionPattern } from '../../../../src/render/monitoring/watched-parts.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';

function render(spec: MeshOperatorSpec): KubernetesObject[] {
  const mesh = resolveMesh(aMeshOperator({ telemetry: { monitoring: {} }, ...spec }));
  return renderMonitoring(mesh, aRenderContext());
}

function monitorsOf(spec: MeshOperatorSpec): string[] {
  return render(spec)
    .filter(({ kind }) => kind.endsWith('Monitor'))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

describe('what watches a mesh', () => {
  it.each<readonly [string, MeshOperatorSpec, readonly string[]]>([
    ['nothing, where it is turned off', { telemetry: { monitoring: { enabled: false } } }, []],
    ['nothing, where nobody asks for it', { telemetry: {} }, []],
    [
      'istiod, injector and proxies',
      {},
      ['ServiceMonitor istiod', 'ServiceMonitor sidecar-injector', 'PodMonitor mesh-proxies'],
    ],
    [
      'those of its revision',
      { revision: 'canary' },
      [
        'ServiceMonitor istiod-canary',
        'ServiceMonitor sidecar-injector-canary',
        'PodMonitor mesh-proxies-canary',
      ],
    ],
    [
      'no injector, where there is none',
      { sidecarInjector: { enabled: false } },
      ['ServiceMonitor istiod', 'PodMonitor mesh-proxies'],
    ],
    [
      'no istiod, where it is that of another cluster',
      { profile: 'remote' },
      ['ServiceMonitor sidecar-injector', 'PodMonitor mesh-proxies'],
    ],
    [
      'all control planes of a mesh that has several',
      { upgrade: { strategy: 'RevisionBased' } },
      ['ServiceMonitor istiod', 'ServiceMonitor sidecar-injector', 'PodMonitor mesh-proxies'],
    ],
  ])('is %s', (_what, spec, expected) => {
    expect(monitorsOf(spec)).toEqual(expected);
  });

  it('asks the agent where the mesh has it', () => {
    const objects = render({ values: { global: { proxy: { statusPort: 15999 } } } });
    const monitor = objects.find(({ kind }) => kind === 'PodMonitor');

    expect(JSON.stringify(monitor?.spec)).toContain('"$1:15999"');
  });
});

describe('the revisions that are watched', () => {
  it.each<readonly [string, MeshOperatorSpec, readonly string[], readonly string[]]>([
    ['a default mesh', {}, ['default'], ['default-2', 'canary', '']],
    ['a mesh with a revision', { revision: 'canary' }, ['canary'], ['default', 'canary-1-31-1']],
    [
      'a mesh of several control planes',
      { upgrade: { strategy: 'RevisionBased' } },
      ['1-31-1', '1-30-3'],
      ['default', 'prod-1-31-1', '1-31'],
    ],
    [
      'a mesh of several control planes with a revision',
      { revision: 'prod', upgrade: { strategy: 'RevisionBased' } },
      ['prod-1-31-1', 'prod-1-30-3'],
      ['prod', '1-31-1', 'a-prod-1-31-1'],
    ],
  ])('are those of %s', (_what, spec, own, foreign) => {
    const pattern = new RegExp(`^(?:${revisionPattern(resolveMesh(aMeshOperator(spec)))})$`);

    expect(own.filter((revision) => !pattern.test(revision))).toEqual([]);
    expect(foreign.filter((revision) => pattern.test(revision))).toEqual([]);
  });
});

describe('alerts', () => {
  it('are left out where nobody wants them', () => {
    const objects = render({ telemetry: { monitoring: { alerts: { enabled: false } } } });

    expect(objects.map(({ kind }) => kind)).not.toContain('PrometheusRule');
  });

  it.each<readonly [string, MeshOperatorSpec, string, RegExp]>([
    ['as much fails as is set', withAlerts({ errorPercent: 1 }), 'MeshWorkloadErrors', / > 0\.01 and /],
    ['gateways fail as much', withAlerts({ errorPercent: 1 }), 'MeshGatewayErrors', / > 0\.01 and /],
    ['it takes as long as is set', withAlerts({ latencyMs: 300 }), 'MeshWorkloadSlow', / > 300 and /],
    ['a root of years has a month left', {}, 'MeshRootEndsSoon', / < 2592000$/],
    [
      'half of the time has passed in which a short intermediate should have been replaced',
      {
        certificateAuthority: {
          intermediate: { lifetime: '48h' },
          rotation: { intermediate: { threshold: 50 } },
        },
      },
      'MeshIntermediateEndsSoon',
      / < 43200$/,
    ],
    [
      'an authority of somebody else has a month left',
      { certificateAuthority: { provider: 'Istiod' } },
      'MeshIntermediateEndsSoon',
      / < 2592000$/,
    ],
    ['a certificate of a day has an eighth left', {}, 'MeshWorkloadCertificatesEndSoon', /< 10800,/],
    [
      'a certificate of an hour has an eighth left',
      { meshConfig: { defaultConfig: { proxyMetadata: { SECRET_TTL: '1h' } } } },
      'MeshWorkloadCertificatesEndSoon',
      /< 450,/,
    ],
  ])('tell somebody when %s', (_when, spec, alert, expression) => {
    expect(expressionOf(spec, alert)).toMatch(expression);
  });

  it('say nothing of an istiod that is that of another cluster', () => {
    expect(expressionOf({ profile: 'remote' }, 'MeshIstiodDown')).toBe('');
    expect(expressionOf({ profile: 'remote' }, 'MeshInjectorDown')).not.toBe('');
  });
});

function withAlerts(alerts: { errorPercent?: number; latencyMs?: number }): MeshOperatorSpec {
  return { telemetry: { monitoring: { alerts } } };
}

/** Empty where there is no such alert. */
function expressionOf(spec: MeshOperatorSpec, alert: string): string {
  const rules = render(spec).find(({ kind }) => kind === 'PrometheusRule');
  const { groups = [] } = (rules?.spec ?? {}) as {
    groups?: { rules: { alert?: string; expr: string }[] }[];
  };
  return groups.flatMap((group) => group.rules).find((rule) => rule.alert === alert)?.expr ?? '';
}
