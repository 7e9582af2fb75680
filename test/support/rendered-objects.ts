import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { JsonObject, ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import type { RenderContext } from '../../src/render/render-context.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';
import { aRenderContext } from './render-context.ts';

/** Every object of a mesh, wave after wave. */
export function renderAll(mesh: ResolvedMesh, context: RenderContext = aRenderContext()): KubernetesObject[] {
  return renderMesh(mesh, context).flatMap((wave) => wave.objects);
}

/** The one object of a kind and name; throws when it was not rendered. */
export function findObject(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found[0] === undefined || found.length > 1) {
    throw new Error(`${found.length} objects are ${kind} ${name}, of ${objects.length}`);
  }
  return found[0];
}

/** The pod template of a Deployment, as far as tests look into it. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: JsonObject & {
    readonly containers: readonly (JsonObject & { readonly env: readonly JsonObject[] })[];
  };
}

/** The pod template of the Deployment with that name. */
export function podTemplateOf(objects: readonly KubernetesObject[], name: string): PodTemplate {
  const { spec } = findObject(objects, 'Deployment', name) as unknown as { spec: { template: PodTemplate } };
  return spec.template;
}

/** The first container of a pod. */
export function containerOf(template: PodTemplate): JsonObject & { readonly env: readonly JsonObject[] } {
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error('the pod has no container');
  return container;
}

/** The variable of that name in a container's environment; undefined when it is not set. */
export function envOf(template: PodTemplate, name: string): JsonObject | undefined {
  return containerOf(template).env.find((variable) => variable.name === name);
}
