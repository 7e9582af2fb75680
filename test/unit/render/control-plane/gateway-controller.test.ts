import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { istioVersions } from '../../../../src/api/versions.ts';
import { isRecord } from '../../../../src/base/stable-json.ts';
import { findObject, renderAll } from '../../../support/rendered-objects.ts';
import { anInjector, aPilot, aResolvedMesh } from '../../../support/resolved-mesh.ts';

const on = { name: 'PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER', value: 'true' };
const ambient = { name: 'PILOT_ENABLE_AMBIENT', value: 'true' };

/** The parts of a chart's values that a template reads, `global.proxy.image`. */
const readValues = /\.Values\.([A-Za-z_.]+)/g;

describe('what istiod deploys Gateways by', () => {
  it('is there when its environment turns it on, and not before', () => {
    expect(names(aResolvedMesh())).toEqual([]);
    expect(names(aResolvedMesh({ pilot: aPilot({ env: [on] }) }))).toEqual([
      'ClusterRole istiod-gateway-controller-istio-system',
      'ClusterRoleBinding istiod-gateway-controller-istio-system',
      'ConfigMap istio-sidecar-injector',
    ]);
  });

  it('goes by the revision, where there is one', () => {
    expect(names(aResolvedMesh({ revision: 'canary', pilot: aPilot({ env: [on] }) }))).toEqual([
      'ClusterRole istiod-gateway-controller-canary-istio-system',
      'ClusterRoleBinding istiod-gateway-controller-canary-istio-system',
      'ConfigMap istio-sidecar-injector-canary',
    ]);
  });

  it('has the template of waypoints in an ambient mesh alone', () => {
    expect(Object.keys(configOf([on]).templates)).toEqual(['kube-gateway']);
    expect(Object.keys(configOf([on, ambient]).templates)).toEqual(['kube-gateway', 'waypoint']);
  });

  it.each(istioVersions)('has a parent for each value that the templates of Istio $minor read', (version) => {
    const { templates, values } = configOf([on, ambient], version);
    const paths = Object.values(templates).flatMap((text) =>
      [...text.matchAll(readValues)].map(([, path = '']) => path),
    );

    expect(paths.length).toBeGreaterThan(50);
    const orphans = paths.filter((path) => !isRecord(parentOf(values, path.split('.'))));
    expect(orphans).toEqual([]);
  });

  it('gives them the settings that sidecars have', () => {
    const { values } = configOf([on]);

    expect(values).toMatchObject({
      global: {
        ...{ hub: aResolvedMesh().hub, tag: aResolvedMesh().tag, istioNamespace: 'istio-system' },
        proxy: { image: 'proxyv2', resources: aResolvedMesh().injection.resources },
      },
    });
  });
});

function names(mesh: ReturnType<typeof aResolvedMesh>): string[] {
  const without = { ...mesh, injector: anInjector({ enabled: false }) };
  return renderAll(without)
    .filter(({ metadata }) => /gateway-controller|sidecar-injector/.test(metadata.name))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

function configOf(env: (typeof on)[], version = istioVersions[0]) {
  const mesh = aResolvedMesh({ version, pilot: aPilot({ env }) });
  const { data } = findObject(renderAll(mesh), 'ConfigMap', 'istio-sidecar-injector') as unknown as {
    data: { config: string; values: string };
  };
  const { templates } = load(data.config) as { templates: Readonly<Record<string, string>> };
  return { templates, values: JSON.parse(data.values) as Record<string, unknown> };
}

function parentOf(values: unknown, path: readonly string[]): unknown {
  return path.slice(0, -1).reduce((value, name) => (isRecord(value) ? value[name] : undefined), values);
}
