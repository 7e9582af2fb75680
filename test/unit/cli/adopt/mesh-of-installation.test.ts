import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { Installation } from '../../../../src/cli/adopt/find-installation.ts';
import type { HelmRelease } from '../../../../src/cli/adopt/helm-release.ts';
import { meshOfInstallation } from '../../../../src/cli/adopt/mesh-of-installation.ts';
import { UsageError } from '../../../../src/cli/terminal.ts';

function aRelease(
  chart: HelmRelease['chart'],
  values: object = {},
  more: Partial<HelmRelease> = {},
): HelmRelease {
  return { name: `my-${chart}`, namespace: 'istio-system', version: '1.31.0', ...more, chart, values };
}

function istiodOf(image: string): KubernetesObject {
  const containers = [{ name: 'discovery', image }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'istiod', namespace: 'istio-system' },
    spec: { template: { spec: { containers } } },
  };
}

function anInstallation(parts: Partial<Installation> = {}): Installation {
  return {
    ...{ namespace: 'istio-system', revision: '', installer: 'helm', objects: [], tags: [] },
    istiod: istiodOf('registry.istio.io/release/pilot:1.31.0'),
    releases: [aRelease('istiod')],
    ...parts,
  };
}

function specOf(parts: Partial<Installation> = {}): unknown {
  return meshOfInstallation(anInstallation(parts), undefined).mesh.spec;
}

describe('the MeshOperator of an installation by Helm', () => {
  test('has what every release has set, and the version that runs', () => {
    const releases = [
      aRelease('gateway', { service: { type: 'ClusterIP' } }, { name: 'edge', namespace: 'ingress' }),
      aRelease('base'),
      aRelease('istiod', { meshConfig: { accessLogFile: '/dev/stdout' } }),
    ];

    expect(meshOfInstallation(anInstallation({ releases }), undefined)).toMatchObject({
      losses: [],
      mesh: {
        metadata: { namespace: 'istio-system' },
        spec: {
          version: '1.31.0',
          meshConfig: { accessLogFile: '/dev/stdout' },
          components: {
            ingressGateways: [
              { name: 'edge', namespace: 'ingress', k8s: { service: { type: 'ClusterIP' } } },
            ],
          },
        },
      },
    });
    expect(specOf()).not.toHaveProperty('hub');
  });

  test('names the place of images that are no release, and where a mirror has them', () => {
    expect(specOf({ istiod: istiodOf('mirror:5000/istio/pilot:nightly') })).toMatchObject({
      ...{ hub: 'mirror:5000/istio', tag: 'nightly' },
    });
    expect(specOf({ istiod: istiodOf('mirror:5000/istio/pilot:1.31.0-distroless') })).toMatchObject({
      ...{ hub: 'mirror:5000/istio', version: '1.31.0' },
    });
  });

  test('has the revision, and the tags by which namespaces choose it', () => {
    const releases = [aRelease('istiod', { revision: 'canary' })];

    expect(specOf({ revision: 'canary', tags: ['prod'], releases })).toMatchObject({
      ...{ revision: 'canary', revisionTags: ['prod'] },
    });
  });

  test('gives a gateway the ports of its Service, so that proxies go on listening where traffic comes in', () => {
    const ports = [
      { name: 'http2', port: 80, targetPort: 8080, protocol: 'TCP', nodePort: 30080 },
      { name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' },
    ];
    const service = {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'edge', namespace: 'istio-system' } },
      spec: { ports },
    };
    const releases = [aRelease('istiod'), aRelease('gateway', {}, { name: 'edge' })];

    const spec = specOf({ releases, objects: [service] }) as {
      components: { ingressGateways: readonly [{ k8s: { service: { ports: unknown } } }] };
    };

    expect(spec.components.ingressGateways[0].k8s.service.ports).toEqual([
      { name: 'http2', port: 80, targetPort: 8080, protocol: 'TCP' },
      { name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' },
    ]);
  });
});

describe('the MeshOperator of an installation by Sail', () => {
  const proxy = { image: 'mirror.example.com/istio/proxyv2:1.31.0' };
  const values = {
    ...{ revision: '', global: { proxy, proxy_init: proxy }, meshConfig: { accessLogFile: '/dev/stdout' } },
    ...{ pilot: { image: 'mirror.example.com/istio/pilot:1.31.0' }, ztunnel: { resourceName: 'ztunnel' } },
  };
  const releases = [aRelease('base', values), aRelease('istiod', values)];
  const istiod = istiodOf('mirror.example.com/istio/pilot:1.31.0');
  const spec = {
    ...{ version: '1.31.0', hub: 'mirror.example.com/istio', profile: 'minimal' },
    meshConfig: { accessLogFile: '/dev/stdout' },
  };

  test('is that of its IstioRevision, with the gateways of Helm beside it', () => {
    const revision = {
      ...{ apiVersion: 'sailoperator.io/v1', kind: 'IstioRevision', metadata: { name: 'default' } },
      spec: { version: 'v1.31.0', namespace: 'istio-system', values },
    };
    const sail = { revision, keepers: [revision], components: [] };
    const edge = aRelease('gateway', {}, { name: 'edge' });
    const installation = anInstallation({ installer: 'sail', releases: [...releases, edge], istiod, sail });

    expect(meshOfInstallation(installation, undefined)).toMatchObject({
      losses: [],
      mesh: {
        metadata: { name: 'default' },
        spec: { ...spec, components: { ingressGateways: [{ name: 'edge' }] } },
      },
    });
  });

  test('is the same by the Helm releases that are left once the IstioRevision is gone', () => {
    const tag = aRelease('revisiontags', { ...values, revisionTags: ['prod'] });
    const sail = { keepers: [], components: [] };
    const installation = anInstallation({ installer: 'sail', releases: [tag, ...releases], istiod, sail });

    const { mesh, losses } = meshOfInstallation({ ...installation, tags: ['prod'] }, undefined);

    expect(losses).toEqual([]);
    expect(mesh).toMatchObject({ metadata: { name: 'mesh' } });
    expect(mesh.spec).toEqual({ ...spec, revisionTags: ['prod'] });
  });
});

describe('an installation that nothing keeps a record of', () => {
  test.each([
    ['istioctl', /^istioctl keeps no record of what was installed: give it by -f/],
    ['manifests', /^nothing in the cluster is a record of what was installed: give it by -f/],
  ] as const)('by %s needs a file', (installer, message) => {
    const installation = anInstallation({ installer, releases: [] });

    expect(() => meshOfInstallation(installation, undefined)).toThrow(UsageError);
    expect(() => meshOfInstallation(installation, undefined)).toThrow(message);
  });
});

describe('a file', () => {
  test('with a MeshOperator is taken as it is written', () => {
    const value = { kind: 'MeshOperator', metadata: { name: 'mine' }, spec: { tag: 'x' } };

    const { mesh, losses } = meshOfInstallation(anInstallation(), [{ source: 'mesh.yaml', value }]);

    expect(mesh).toEqual({ ...value, metadata: { name: 'mine', namespace: 'istio-system' } });
    expect(losses).toEqual([]);
  });

  test('with a MeshOperator of another namespace is refused', () => {
    const value = { kind: 'MeshOperator', metadata: { name: 'mine', namespace: 'other' } };

    expect(() => meshOfInstallation(anInstallation(), [{ source: 'mesh.yaml', value }])).toThrow(
      /^metadata\.namespace of the MeshOperator is other, and the control plane is in istio-system/,
    );
  });
});
