import type { ObjectMeta, OwnerReference } from '../api/kubernetes-object.ts';
import { ownershipLabels } from '../api/labels.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import type { RenderContext } from './render-context.ts';

/** What one object's metadata is made of. */
export interface MetadataOptions {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  /** `app.kubernetes.io/name`: the component that the object is a part of. */
  readonly component: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Metadata of one object of the mesh: the labels that lead back to its MeshOperator, and an owner reference
 * where Kubernetes allows one, which is only in the MeshOperator's own namespace.
 * Neither Helm's nor Argo CD's labels are set: `app.kubernetes.io/instance` would make Argo CD take the object
 * for one of an application's own, and prune it.
 */
export function objectMetadata(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: MetadataOptions,
): ObjectMeta {
  const metadata: ObjectMeta = {
    name: options.name,
    labels: { ...options.labels, ...componentLabels(mesh, options.component) },
  };
  if (options.namespace !== undefined) metadata.namespace = options.namespace;
  if (options.annotations !== undefined && Object.keys(options.annotations).length > 0) {
    metadata.annotations = { ...options.annotations };
  }
  if (options.namespace === mesh.namespace && context.ownerUid !== undefined) {
    metadata.ownerReferences = [ownerReference(mesh, context.ownerUid)];
  }
  return metadata;
}

/** The labels that every object and every pod of a component has, whatever else it carries. */
export function componentLabels(mesh: ResolvedMesh, component: string): Record<string, string> {
  return { 'app.kubernetes.io/name': component, ...ownershipLabels(mesh) };
}

/**
 * No `blockOwnerDeletion`: setting it needs rights on the MeshOperator's finalizers, and the MeshOperator is kept
 * by its own finalizer until everything is gone.
 */
function ownerReference(mesh: ResolvedMesh, uid: string): OwnerReference {
  return {
    apiVersion: 'meshoperator.dev/v1alpha1',
    kind: 'MeshOperator',
    name: mesh.name,
    uid,
    controller: true,
  };
}
