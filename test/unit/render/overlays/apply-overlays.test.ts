import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import type { Overlay } from '../../../../src/api/spec/overlays.ts';
import { OverlaysRefusedError } from '../../../../src/render/overlays/overlays-refused-error.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { findObject, renderAll } from '../../../support/rendered-objects.ts';

function overlay(kind: string, name: string, ...patches: Overlay['patches']): Overlay {
  return { kind, name, patches };
}

function pilot(...overlays: Overlay[]): MeshOperatorSpec {
  return { components: { pilot: { k8s: { overlays } } } };
}

const render = (spec: MeshOperatorSpec) => renderAll(resolveMesh(aMeshOperator(spec)));

function problemsOf(spec: MeshOperatorSpec): readonly string[] {
  try {
    render(spec);
    return [];
  } catch (error) {
    if (!(error instanceof OverlaysRefusedError)) throw error;
    expect(error.reason).toBe('InvalidSpec');
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const grace = { path: 'spec.template.spec.terminationGracePeriodSeconds', value: 90 };

describe('overlays', () => {
  it('change the object they name, and no other', () => {
    const before = render({});

    const after = render(pilot(overlay('Deployment', 'istiod', grace)));

    const changed = after.filter((object, index) => JSON.stringify(object) !== JSON.stringify(before[index]));
    expect(changed.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['Deployment istiod']);
    expect(findObject(after, 'Deployment', 'istiod')).toMatchObject({
      spec: { template: { spec: { terminationGracePeriodSeconds: 90 } } },
    });
  });

  it('follow each other, each seeing what the one before has made', () => {
    const args = 'spec.template.spec.containers.[name:discovery].args';

    const objects = render(
      pilot(
        overlay('Deployment', 'istiod', { path: `${args}.[-1]`, value: '--first' }),
        overlay('Deployment', 'istiod', { path: `${args}.[:--first]`, value: '--second' }),
      ),
    );

    expect(JSON.stringify(findObject(objects, 'Deployment', 'istiod'))).toContain('"--second"]');
  });

  it.each<[string, MeshOperatorSpec, string, string]>([
    ['istiod, in every wave', pilot(overlay('ConfigMap', 'istio', label())), 'ConfigMap', 'istio'],
    [
      'istiod’s cluster-scoped objects',
      pilot(overlay('ClusterRole', 'istiod-clusterrole-istio-system', label())),
      'ClusterRole',
      'istiod-clusterrole-istio-system',
    ],
    [
      'what the cluster shares',
      {
        components: {
          base: {
            k8s: {
              overlays: [overlay('ValidatingWebhookConfiguration', 'istiod-default-validator', label())],
            },
          },
        },
      },
      'ValidatingWebhookConfiguration',
      'istiod-default-validator',
    ],
    [
      'the injector',
      {
        sidecarInjector: {
          k8s: {
            overlays: [
              overlay('MutatingWebhookConfiguration', 'istio-sidecar-injector-istio-system', label()),
            ],
          },
        },
      },
      'MutatingWebhookConfiguration',
      'istio-sidecar-injector-istio-system',
    ],
    [
      'a gateway of a namespace of its own',
      {
        components: {
          ingressGateways: [
            {
              name: 'public',
              namespace: 'edge',
              k8s: { overlays: [overlay('ServiceAccount', 'public-service-account', label())] },
            },
          ],
        },
      },
      'ServiceAccount',
      'public-service-account',
    ],
  ])('reach %s', (_name, spec, kind, name) => {
    expect(findObject(render(spec), kind, name).metadata.labels).toMatchObject({ team: 'mesh' });
  });

  it('of one gateway do not reach another one of the same name', () => {
    const overlays = [overlay('Service', 'public', label())];
    const spec: MeshOperatorSpec = {
      components: {
        ingressGateways: [
          { name: 'public', namespace: 'a' },
          { name: 'public', namespace: 'b', label: { app: 'b' }, k8s: { overlays } },
        ],
      },
    };

    const services = render(spec).filter(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === 'public',
    );

    expect(services.map(({ metadata }) => [metadata.namespace, metadata.labels?.team])).toEqual([
      ['a', undefined],
      ['b', 'mesh'],
    ]);
  });

  it('find an object by the group of its API, whatever the version', () => {
    const hpa = overlay('HorizontalPodAutoscaler', 'istiod', { path: 'spec.maxReplicas', value: 9 });

    expect(problemsOf(pilot({ ...hpa, apiVersion: 'autoscaling/v2beta1' }))).toEqual([]);
    expect(problemsOf(pilot({ ...hpa, apiVersion: 'policy/v1' }))[0]).toContain(
      'there is no HorizontalPodAutoscaler istiod of policy/v1',
    );
  });

  it('of a component that is turned off are nothing to complain about', () => {
    const { components } = pilot(overlay('Deployment', 'gone', grace));

    expect(problemsOf({ components: { pilot: { ...components?.pilot, enabled: false } } })).toEqual([]);
  });

  it('that name no object are refused, with those that there are', () => {
    expect(problemsOf(pilot(overlay('Deployment', 'istoid', grace)))).toEqual([
      'spec.components.pilot.k8s.overlays[0]: there is no Deployment istoid among the objects of this component; there are ' +
        'ClusterRole istiod-clusterrole-istio-system (rbac.authorization.k8s.io/v1), ' +
        'ClusterRoleBinding istiod-clusterrole-istio-system (rbac.authorization.k8s.io/v1), ConfigMap istio (v1), ' +
        'Deployment istiod (apps/v1), HorizontalPodAutoscaler istiod (autoscaling/v2), Role istiod (rbac.authorization.k8s.io/v1), ' +
        'RoleBinding istiod (rbac.authorization.k8s.io/v1), Service istiod (v1), ServiceAccount istiod (v1), ' +
        'ValidatingWebhookConfiguration istio-validator-istio-system (admissionregistration.k8s.io/v1)',
    ]);
  });

  it('that name an object of another component are told so', () => {
    const [problem] = problemsOf(
      pilot(overlay('MutatingWebhookConfiguration', 'istio-sidecar-injector-istio-system', label())),
    );

    expect(problem).toContain('it belongs to another component, whose overlays can change it');
  });

  it('are refused together, each at its place', () => {
    const spec = pilot(
      overlay('Deployment', 'istiod', grace, {
        path: 'spec.template.spec.containers.[name:x].image',
        value: 'y',
      }),
      overlay('Service', 'gone', label()),
    );

    const problems = problemsOf(spec);

    expect(problems[0]).toBe(
      'spec.components.pilot.k8s.overlays[0].patches[1].path: spec.template.spec.containers.[name:x].image: spec.template.spec.containers has no item [name:x]; there is [name:discovery]',
    );
    expect(problems[1]).toContain('spec.components.pilot.k8s.overlays[1]: there is no Service gone');
    expect(problems).toHaveLength(2);
  });

  it.each([
    ['apiVersion', 'v2', 'which object this is'],
    ['kind', 'StatefulSet', 'which object this is'],
    ['metadata.name', 'other', 'which object this is'],
    ['metadata.name', undefined, 'which object this is'],
    ['metadata', undefined, 'must not take metadata away'],
    ['metadata', { name: 'istiod' }, 'must not move the object'],
    ['metadata.namespace', 'other', 'must not move the object'],
    ['metadata.ownerReferences', [], 'whose object this is'],
    ['metadata.labels.meshoperator\\.dev/mesh', 'other', 'whose object this is'],
    ['metadata.labels.app\\.kubernetes\\.io/managed-by', undefined, 'whose object this is'],
    ['metadata.labels', { a: 'b' }, 'whose object this is'],
    ['metadata.uid', 'x', 'must not set what the API server sets'],
    ['metadata.resourceVersion', '1', 'must not set what the API server sets'],
    ['status', { replicas: 1 }, 'must not set a status'],
    ['spec.replicas', 3, 'must not set the number of replicas'],
  ])('must not set %s to %o', (path, value, says) => {
    expect(problemsOf(pilot(overlay('Deployment', 'istiod', { path, value })))[0]).toContain(says);
  });

  it('may set the replicas of a Deployment without an autoscaler', () => {
    const overlays = [overlay('Deployment', 'istiod', { path: 'spec.replicas', value: 3 })];

    expect(problemsOf({ components: { pilot: { k8s: { replicaCount: 2, overlays } } } })).toEqual([]);
  });

  it.each(['failurePolicy', 'clientConfig.caBundle'])('must not set %s of a webhook', (field) => {
    const name = 'istio-validator-istio-system';
    const patch = { path: `webhooks.[name:rev\\.validation\\.istio\\.io].${field}`, value: 'Fail' };

    expect(problemsOf(pilot(overlay('ValidatingWebhookConfiguration', name, patch)))[0]).toContain(
      'must not set what is kept while the mesh runs',
    );
  });

  it('may add and remove webhooks, and set their other fields', () => {
    const patches = [
      { path: 'webhooks.[0].timeoutSeconds', value: 5 },
      { path: 'webhooks.[-1]', value: { name: 'mine.example.com', failurePolicy: 'Ignore' } },
      { path: 'webhooks.[0]' },
    ];

    expect(
      problemsOf(
        pilot(overlay('ValidatingWebhookConfiguration', 'istio-validator-istio-system', ...patches)),
      ),
    ).toEqual([]);
  });
});

function label(): Overlay['patches'][number] {
  return { path: 'metadata.labels.team', value: 'mesh' };
}
