import { describe, expect, it } from 'vitest';
import { parseInjectorConfiguration } from '../../../../src/servers/injector/injector-configuration.ts';
import { aRenderContext } from '../../../support/render-context.ts';
import { containerOf, findObject, podTemplateOf, renderAll } from '../../../support/rendered-objects.ts';
import { anInjector, aResolvedMesh } from '../../../support/resolved-mesh.ts';

interface Entry {
  readonly name: string;
  readonly failurePolicy: string;
  readonly timeoutSeconds: number;
  readonly sideEffects: string;
  readonly clientConfig: { readonly service: object };
  readonly namespaceSelector: { readonly matchExpressions: readonly { key: string; values?: string[] }[] };
  readonly objectSelector: { readonly matchExpressions: readonly object[] };
}

const objects = renderAll(aResolvedMesh());
const configurationOf = (rendered: typeof objects, name: string) =>
  findObject(rendered, 'MutatingWebhookConfiguration', name) as unknown as {
    readonly metadata: { readonly labels: Record<string, string> };
    readonly webhooks: readonly Entry[];
  };

describe('the injector of a mesh', () => {
  it('runs twice, spread over nodes and zones, and keeps one replica through a drain and a rollout', () => {
    const { spec } = findObject(objects, 'Deployment', 'sidecar-injector') as unknown as {
      spec: { replicas: number; strategy: object };
    };
    const template = podTemplateOf(objects, 'sidecar-injector');

    expect(spec.replicas).toBe(2);
    expect(spec.strategy).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
    expect(template.spec.topologySpreadConstraints).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
      { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ]);
    expect(findObject(objects, 'PodDisruptionBudget', 'sidecar-injector').spec).toMatchObject({
      minAvailable: 1,
    });
  });

  it('runs the operator’s own image, without a token or a right, as pod security asks at its strictest', () => {
    const rendered = renderAll(aResolvedMesh(), aRenderContext({ operatorImage: 'example.com/op:1' }));
    const template = podTemplateOf(rendered, 'sidecar-injector');

    expect(containerOf(template)).toMatchObject({ image: 'example.com/op:1', args: ['injector'] });
    expect(template.spec.automountServiceAccountToken).toBe(false);
    expect(JSON.stringify(rendered.filter(({ kind }) => kind.endsWith('Binding')))).not.toContain(
      'sidecar-injector',
    );
    expect(template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containerOf(template).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    });
  });

  it('gets a configuration that it can use, of its mesh and of this Kubernetes', () => {
    const { data } = findObject(objects, 'ConfigMap', 'sidecar-injector') as unknown as {
      data: Record<string, string>;
    };
    const { mesh, kubernetesMinor } = parseInjectorConfiguration(data['config.json'] ?? '');

    expect(mesh.injection).toEqual(aResolvedMesh().injection);
    expect(kubernetesMinor).toBe(35);
  });

  it('is not rendered for a mesh that asks for none', () => {
    const rendered = renderAll(aResolvedMesh({ injector: anInjector({ enabled: false }) }));

    expect(JSON.stringify(rendered)).not.toContain('sidecar-injector');
  });
});

describe('the webhook configuration of a mesh', () => {
  const { metadata, webhooks } = configurationOf(objects, 'istio-sidecar-injector-istio-system');
  const selecting = webhooks.filter(({ name }) => !name.startsWith('self-test'));

  it('lets pods through until the injector is known to answer, and never waits long', () => {
    for (const { failurePolicy, timeoutSeconds, sideEffects } of selecting) {
      expect({ failurePolicy, sideEffects }).toEqual({ failurePolicy: 'Ignore', sideEffects: 'None' });
      expect(timeoutSeconds).toBeLessThanOrEqual(5);
    }
  });

  it('never selects Kubernetes’ own namespaces or the injector’s', () => {
    for (const { namespaceSelector, name } of selecting) {
      const excluded = namespaceSelector.matchExpressions.find(
        ({ key }) => key === 'kubernetes.io/metadata.name',
      );
      expect(excluded, name).toMatchObject({
        operator: 'NotIn',
        values: expect.arrayContaining(['kube-system', 'kube-public', 'kube-node-lease', 'istio-system']),
      });
    }
  });

  it('is one that istioctl takes for Istio’s, and that an istiod of the same revision leaves alone', () => {
    expect(metadata.labels).toMatchObject({ app: 'sidecar-injector', 'istio.io/rev': 'default' });
    for (const { name } of webhooks) {
      expect(name).toMatch(/istio\.io$/);
      expect(name).not.toMatch(/sidecar-injector\.istio\.io$/);
    }
  });

  it('selects all unlabelled namespaces only when the spec says so, and only for the default revision', () => {
    const all = aResolvedMesh().injection;
    const byDefault = { injection: { ...all, enableNamespacesByDefault: true } };
    const entries = (mesh: ReturnType<typeof aResolvedMesh>, name: string) =>
      configurationOf(renderAll(mesh), name).webhooks.map((entry) => entry.name.split('.mesh-operator')[0]);

    expect(selecting.map(({ name }) => name)).not.toContain('auto.mesh-operator.istio.io');
    expect(entries(aResolvedMesh(byDefault), 'istio-sidecar-injector-istio-system')).toContain('auto');
    expect(
      entries(
        aResolvedMesh({ ...byDefault, revision: 'canary' }),
        'istio-sidecar-injector-canary-istio-system',
      ),
    ).toEqual(['rev.namespace', 'rev.object', 'self-test']);
  });

  it('has a sister for each tag, which istioctl lists, and which selects the tag alone', () => {
    const rendered = renderAll(aResolvedMesh({ revision: 'canary', revisionTags: ['prod', 'default'] }));
    const prod = configurationOf(rendered, 'istio-revision-tag-prod');

    expect(prod.metadata.labels).toMatchObject({ 'istio.io/tag': 'prod', 'istio.io/rev': 'canary' });
    expect(JSON.stringify(prod.webhooks)).toContain('"values":["prod"]');
    expect(JSON.stringify(prod.webhooks)).not.toContain('"values":["canary"]');
    expect(
      configurationOf(rendered, 'istio-revision-tag-default').webhooks.map(({ name }) => name),
    ).toContain('namespace.mesh-operator.istio.io');
  });
});
