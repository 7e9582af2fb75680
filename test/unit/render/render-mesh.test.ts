import { describe, expect, it } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { ownerByLabels } from '../../../src/api/labels.ts';
import { renderMesh } from '../../../src/render/render-mesh.ts';
import { waveNames } from '../../../src/render/wave.ts';
import { aRenderContext } from '../../support/render-context.ts';
import { renderAll } from '../../support/rendered-objects.ts';
import { aGateway, anInjector, aPilot, aResolvedMesh } from '../../support/resolved-mesh.ts';

const names = (objects: readonly KubernetesObject[]) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

describe('renderMesh', () => {
  it('puts what istiod needs before istiod, its webhooks after it, and gateways last', () => {
    const waves = renderMesh(aResolvedMesh(), aRenderContext());

    expect(Object.fromEntries(waves.map((wave) => [wave.name, names(wave.objects)]))).toEqual({
      access: [
        'ServiceAccount istio-reader-service-account',
        'ClusterRole istio-reader-clusterrole-istio-system',
        'ClusterRoleBinding istio-reader-clusterrole-istio-system',
        'ServiceAccount istiod',
        'ClusterRole istiod-clusterrole-istio-system',
        'ClusterRoleBinding istiod-clusterrole-istio-system',
        'Role istiod',
        'RoleBinding istiod',
        'ConfigMap istio',
      ],
      'control-plane': ['Service istiod', 'Deployment istiod', 'HorizontalPodAutoscaler istiod'],
      admission: [
        'ValidatingWebhookConfiguration istio-validator-istio-system',
        'ValidatingWebhookConfiguration istiod-default-validator',
      ],
      injector: [
        'ServiceAccount sidecar-injector',
        'ConfigMap sidecar-injector',
        'Service sidecar-injector',
        'Deployment sidecar-injector',
        'PodDisruptionBudget sidecar-injector',
        'MutatingWebhookConfiguration istio-sidecar-injector-istio-system',
      ],
      gateways: [
        'ServiceAccount istio-ingressgateway-service-account',
        'Role istio-ingressgateway-sds',
        'RoleBinding istio-ingressgateway-sds',
        'Service istio-ingressgateway',
        'Deployment istio-ingressgateway',
        'HorizontalPodAutoscaler istio-ingressgateway',
      ],
    });
    const notInDefault: readonly string[] = ['other-revisions', 'members', 'cni', 'ztunnel', 'policies'];
    expect(waves.map((wave) => wave.name)).toEqual(waveNames.filter((name) => !notInDefault.includes(name)));
  });

  it('gives the same bytes for the same mesh, whatever order the user wrote keys in', () => {
    const written = aResolvedMesh({
      meshConfig: { trustDomain: 'td', accessLogFile: '/dev/stdout', defaultConfig: { a: 1, b: 2 } },
      pilot: aPilot({ nodeSelector: { disk: 'ssd', zone: 'a' } }),
    });
    const reordered = aResolvedMesh({
      meshConfig: { defaultConfig: { b: 2, a: 1 }, accessLogFile: '/dev/stdout', trustDomain: 'td' },
      pilot: aPilot({ nodeSelector: { zone: 'a', disk: 'ssd' } }),
    });

    expect(JSON.stringify(renderMesh(reordered, aRenderContext()))).toBe(
      JSON.stringify(renderMesh(written, aRenderContext())),
    );
  });

  it('does not change the mesh it is given', () => {
    const mesh = aResolvedMesh();
    const before = structuredClone(mesh);

    renderMesh(mesh, aRenderContext({ ownerUid: 'b7c1' }));

    expect(mesh).toEqual(before);
  });

  it('renders only kinds that the operator knows', () => {
    for (const object of renderAll(meshWithEverything())) {
      const info = kindInfo(object.apiVersion, object.kind);

      expect(object.metadata.namespace !== undefined, idText(idOf(object))).toBe(info.namespaced);
    }
  });

  it('labels every object with its mesh, and with nothing that istioctl uninstall or Argo CD acts on', () => {
    for (const object of renderAll(meshWithEverything())) {
      const labels = object.metadata.labels ?? {};

      expect(ownerByLabels(labels), object.metadata.name).toEqual({
        name: 'mesh',
        namespace: 'istio-system',
      });
      expect(Object.keys(labels).filter((key) => /operator\.istio\.io|instance$|helm/.test(key))).toEqual([]);
    }
  });

  it('makes the MeshOperator owner of what is in its namespace, and of nothing else', () => {
    const objects = renderAll(meshWithEverything(), aRenderContext({ ownerUid: 'b7c1' }));

    for (const object of objects) {
      const expected =
        object.metadata.namespace === 'istio-system'
          ? [
              {
                apiVersion: 'meshoperator.dev/v1alpha1',
                kind: 'MeshOperator',
                name: 'mesh',
                uid: 'b7c1',
                controller: true,
              },
            ]
          : undefined;
      expect(object.metadata.ownerReferences, object.metadata.name).toEqual(expected);
    }
    expect(objects.some(({ metadata }) => metadata.namespace === 'edge')).toBe(true);
  });

  it('names no owner when it is not known, as in rendering from a file', () => {
    expect(renderAll(aResolvedMesh()).filter(({ metadata }) => metadata.ownerReferences)).toEqual([]);
  });

  it('renders no two objects with one identity', () => {
    const ids = renderAll(meshWithEverything()).map((object) => idText(idOf(object)));

    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shares no object with a mesh of another revision in the same namespace', () => {
    const ids = (mesh: ReturnType<typeof aResolvedMesh>) =>
      renderAll(mesh).map((object) => idText(idOf(object)));
    const stable = ids(aResolvedMesh({ name: 'stable', gateways: [] }));
    const canary = ids(aResolvedMesh({ name: 'canary', revision: 'canary', gateways: [] }));

    expect(canary.filter((id) => stable.includes(id))).toEqual([]);
  });

  it('leaves out a wave that has no objects', () => {
    const mesh = aResolvedMesh({
      gateways: [],
      pilot: aPilot({ enabled: false }),
      injector: anInjector({ enabled: false }),
    });

    expect(renderMesh(mesh, aRenderContext()).map((wave) => wave.name)).toEqual(['access']);
    expect(renderMesh({ ...mesh, base: { enabled: false } }, aRenderContext())).toEqual([]);
  });

  it('renders gateways of a mesh whose control plane is somewhere else', () => {
    const mesh = aResolvedMesh({
      base: { enabled: false },
      pilot: aPilot({ enabled: false }),
      injector: anInjector({ enabled: false }),
    });

    expect(renderMesh(mesh, aRenderContext()).map((wave) => wave.name)).toEqual(['gateways']);
  });
});

function meshWithEverything() {
  const disruption = { podDisruptionBudget: { minAvailable: 1 } };
  return aResolvedMesh({
    imagePullSecrets: ['registry'],
    pilot: aPilot(disruption),
    gateways: [
      aGateway(disruption),
      aGateway({ name: 'edge-gateway', namespace: 'edge', selector: { app: 'edge-gateway', istio: 'edge' } }),
    ],
  });
}
