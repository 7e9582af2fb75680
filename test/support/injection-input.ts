import type { ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import { messageOf } from '../../src/base/errors.ts';
import { injectPod } from '../../src/injection/inject-pod.ts';
import type { InjectionInput } from '../../src/injection/injection-input.ts';
import type { Pod, PodMetadata, PodSpec } from '../../src/injection/pod.ts';
import { aResolvedMesh } from './resolved-mesh.ts';

/** A valid pod with one container `app`. */
export function aPod(
  fields: { readonly metadata?: Partial<PodMetadata>; readonly spec?: Partial<PodSpec> } = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'hello', namespace: 'apps', labels: { app: 'hello' }, ...fields.metadata },
    spec: {
      containers: [{ name: 'app', image: 'registry.example.com/hello:1', ports: [{ containerPort: 8080 }] }],
      ...fields.spec,
    },
  };
}

/** A pod with these annotations. */
export function aPodWith(annotations: Record<string, string>): Pod {
  return aPod({ metadata: { annotations } });
}

/** A pod in a namespace with `istio-injection=enabled`, on Kubernetes 1.35. */
export function anInput(fields: Partial<InjectionInput> = {}): InjectionInput {
  return {
    pod: aPod(),
    namespace: { name: 'apps', labels: { 'istio-injection': 'enabled' } },
    mesh: aResolvedMesh(),
    kubernetesMinor: 35,
    ...fields,
  };
}

/**
 * What a mesh makes of some pods that differ in everything that its settings ask about: the result of each, or why it
 * is refused.
 */
export function injectAll(mesh: ResolvedMesh): unknown[] {
  const revision = mesh.revision === '' ? 'default' : mesh.revision;
  const chosen = { name: 'apps', labels: { 'istio.io/rev': revision } };
  const labelled = (labels: Record<string, string>) => ({
    namespace: chosen,
    pod: aPod({ metadata: { labels } }),
  });
  const asking = { 'sidecar.istio.io/inject': 'true', 'istio.io/rev': revision };
  const annotated = (annotations: Record<string, string>) => ({
    namespace: chosen,
    pod: aPod({ metadata: { labels: asking, annotations } }),
  });
  const probed = { name: 'app', image: 'x', readinessProbe: { httpGet: { port: 80, path: '/' } } };
  const inputs: Partial<InjectionInput>[] = [
    labelled({}),
    labelled({ app: 'never', tier: 'never' }),
    labelled({ app: 'never' }),
    labelled({ tier: 'never' }),
    labelled({ app: 'always', tier: 'always' }),
    labelled({ app: 'always' }),
    labelled({ tier: 'always' }),
    { ...labelled(asking), kubernetesMinor: 30 },
    { ...labelled({}), namespace: { name: 'apps', labels: {} } },
    { ...labelled(asking), namespace: { name: 'apps', labels: { 'istio.io/rev': 'prod' } } },
    annotated({}),
    annotated({ 'inject.istio.io/templates': 'both' }),
    annotated({ 'inject.istio.io/templates': 'sidecar', 'apm.datadoghq.com/env': '{"DD_ENV":"prod"}' }),
    { namespace: chosen, pod: aPod({ metadata: { labels: asking }, spec: { containers: [probed] } }) },
  ];
  return inputs.map((fields) => {
    try {
      return injectPod(anInput({ mesh, ...fields }));
    } catch (error) {
      return messageOf(error);
    }
  });
}
