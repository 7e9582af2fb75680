import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { clusterScopedName, istiodName, revisionValidator } from './names.ts';

/** Sends Istio objects that name this revision to its istiod for validation. */
export function renderRevisionValidator(mesh: ResolvedMesh, context: RenderContext): KubernetesObject {
  return renderValidator(mesh, context, {
    name: clusterScopedName(mesh, revisionValidator),
    webhookName: 'rev.validation.istio.io',
    objectSelector: [{ key: 'istio.io/rev', operator: 'In', values: [revisionLabel(mesh.revision)] }],
  });
}

/** One in a cluster: its name is how istiod and istioctl find out which revision is the default one. */
export const defaultValidatorName = 'istiod-default-validator';

/** Sends Istio objects that name no revision to the default revision's istiod. */
export function renderDefaultValidator(mesh: ResolvedMesh, context: RenderContext): KubernetesObject {
  return renderValidator(mesh, context, {
    name: defaultValidatorName,
    webhookName: 'validation.istio.io',
    objectSelector: [{ key: 'istio.io/rev', operator: 'DoesNotExist' }],
  });
}

interface ValidatorOptions {
  readonly name: string;
  readonly webhookName: string;
  readonly objectSelector: readonly object[];
}

/** istiod patches the configurations that carry its own revision as label `istio.io/rev`. */
function renderValidator(
  mesh: ResolvedMesh,
  context: RenderContext,
  { name, webhookName, objectSelector }: ValidatorOptions,
): KubernetesObject {
  return renderObject('control-plane/40-validating-webhook-configuration', {
    metadata: objectMetadata(mesh, context, {
      name,
      component: 'istiod',
      labels: { app: 'istiod', 'istio.io/rev': revisionLabel(mesh.revision) },
    }),
    webhookName,
    service: { name: istiodName(mesh), namespace: mesh.namespace },
    objectSelector,
  });
}
