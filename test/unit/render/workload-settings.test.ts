import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import type { WorkloadSettings } from '../../../src/api/spec/kubernetes-settings.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import { containerOf, findObject, podTemplateOf, renderAll } from '../../support/rendered-objects.ts';

const workloads: readonly [string, string, (k8s: WorkloadSettings) => MeshOperatorSpec][] = [
  ['istiod', 'istiod', (k8s) => ({ components: { pilot: { k8s } } })],
  ['a gateway', 'public', (k8s) => ({ components: { ingressGateways: [{ name: 'public', k8s }] } })],
  ['the injector', 'sidecar-injector', (k8s) => ({ sidecarInjector: { k8s } })],
];

const render = (spec: MeshOperatorSpec) => renderAll(resolveMesh(aMeshOperator(spec)));

describe.each(workloads)('the settings of %s', (_name, deployment, specWith) => {
  const pod = (k8s: WorkloadSettings) => podTemplateOf(render(specWith(k8s)), deployment);
  const before = pod({});

  it('change the readiness probe key by key', () => {
    const probe = containerOf(pod({ readinessProbe: { periodSeconds: 41 } })).readinessProbe;

    expect(probe).toEqual({ ...(containerOf(before).readinessProbe as object), periodSeconds: 41 });
  });

  it('replace the check of the readiness probe by one of another kind', () => {
    const probe = containerOf(pod({ readinessProbe: { tcpSocket: { port: 8080 } } })).readinessProbe;

    expect(probe).toHaveProperty('tcpSocket');
    expect(probe).not.toHaveProperty('httpGet');
    expect(probe).toHaveProperty('periodSeconds');
  });

  it('add volumes and mounts, each once by its name and its path', () => {
    const own = before.spec.volumes as { name: string }[];
    const [first] = own;
    const ownMounts = containerOf(before).volumeMounts as { mountPath: string }[];

    const after = pod({
      volumes: [
        { name: 'mine', emptyDir: {} },
        { name: first?.name ?? '', emptyDir: { medium: 'Memory' } },
      ],
      volumeMounts: [
        { name: 'mine', mountPath: '/mine' },
        { name: 'mine', mountPath: ownMounts[0]?.mountPath ?? '' },
      ],
    });

    expect(after.spec.volumes).toEqual([
      { name: first?.name, emptyDir: { medium: 'Memory' } },
      ...own.slice(1),
      { name: 'mine', emptyDir: {} },
    ]);
    expect(containerOf(after).volumeMounts).toEqual([
      { name: 'mine', mountPath: ownMounts[0]?.mountPath },
      ...ownMounts.slice(1),
      { name: 'mine', mountPath: '/mine' },
    ]);
  });
});

describe('the Service of istiod', () => {
  it('has its own ports with what is said of them, and further ones', () => {
    const service = {
      type: 'NodePort' as const,
      ports: [
        { port: 15012, nodePort: 30012 },
        { port: 8443, name: 'extra' },
      ],
    };

    const { spec } = findObject(render({ components: { pilot: { k8s: { service } } } }), 'Service', 'istiod');

    expect(spec).toEqual({
      type: 'NodePort',
      selector: { app: 'istiod', istio: 'pilot' },
      ports: [
        { name: 'grpc-xds', port: 15010, targetPort: 15010, protocol: 'TCP' },
        { name: 'https-dns', port: 15012, targetPort: 15012, protocol: 'TCP', nodePort: 30012 },
        { name: 'https-webhook', port: 443, targetPort: 15017, protocol: 'TCP' },
        { name: 'http-monitoring', port: 15014, targetPort: 15014, protocol: 'TCP' },
        { name: 'extra', port: 8443, targetPort: 8443, protocol: 'TCP' },
      ],
    });
  });
});
