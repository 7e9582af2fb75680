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
    const [monitor] = render({ values: { global: { proxy: { statusPort: 15999 } } } }).slice(-1);

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
