import { describe, expect, it } from 'vitest';
import { problemText } from '../../../src/api/problem.ts';
import { findMeshProblems } from '../../../src/cli/mesh-problems.ts';
import { aMeshOperatorFromYaml } from '../../support/mesh-operator.ts';

describe('what is wrong with a MeshOperator', () => {
  it.each<[string, string, readonly string[]]>([
    ['nothing', '{}', []],
    ['its schema', '{ profil: demo }', ['spec.profil: is not a field (did you mean "profile"?)']],
    [
      'an overlay that meets no object',
      '{ components: { base: { k8s: { overlays: [{ kind: Secret, name: x, patches: [{ path: a }] }] } } } }',
      [
        'spec.components.base.k8s.overlays[0]: there is no Secret x among the objects of this component; there are ClusterRole istio-reader-clusterrole-istio-system (rbac.authorization.k8s.io/v1), ClusterRoleBinding istio-reader-clusterrole-istio-system (rbac.authorization.k8s.io/v1), ServiceAccount istio-reader-service-account (v1), ValidatingWebhookConfiguration istiod-default-validator (admissionregistration.k8s.io/v1)',
      ],
    ],
    [
      'an annotation from which no gateway can be made',
      '{ components: { ingressGateways: [{ name: a }, { name: b, namespace: edge, k8s: { podAnnotations: { proxy.istio.io/config: "[" } } }] } }',
      [
        'spec.components.ingressGateways[1].k8s.podAnnotations: Gateway edge/b: Annotation proxy.istio.io/config must be YAML: unexpected end of the stream within a flow collection (1:2)',
      ],
    ],
  ])('can be %s', (_name, spec, problems) => {
    expect(findMeshProblems(aMeshOperatorFromYaml(spec)).map(problemText)).toEqual(problems);
  });
});
