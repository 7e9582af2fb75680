import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { ResolvedMesh, ResolvedWorkload } from '../api/resolved-mesh.ts';
import { type MetadataOptions, objectMetadata } from './object-metadata.ts';
import type { RenderContext } from './render-context.ts';
import { renderObject } from './template-engine.ts';

/** A Deployment, named as its HPA and PDB are. */
export interface AvailabilityOptions extends MetadataOptions {
  readonly workload: ResolvedWorkload;
}

/** The HPA that owns the number of replicas, or nothing. */
export function renderAutoscaler(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: AvailabilityOptions,
): KubernetesObject[] {
  const { hpaSpec } = options.workload;
  if (hpaSpec === undefined) return [];
  return [
    renderObject('workload/10-horizontal-pod-autoscaler', {
      metadata: objectMetadata(mesh, context, options),
      spec: { ...hpaSpec, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: options.name } },
    }),
  ];
}

/** The PDB that keeps node drains from taking all replicas at once, or nothing. */
export function renderDisruptionBudget(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: AvailabilityOptions & { readonly selector: Readonly<Record<string, string>> },
): KubernetesObject[] {
  const { podDisruptionBudget } = options.workload;
  if (podDisruptionBudget === undefined) return [];
  return [
    renderObject('workload/20-pod-disruption-budget', {
      metadata: objectMetadata(mesh, context, options),
      spec: { ...podDisruptionBudget, selector: { matchLabels: options.selector } },
    }),
  ];
}
