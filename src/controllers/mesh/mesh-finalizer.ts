import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import type { JsonPatchOperation, KubeClient } from '../../kube/client.ts';
import { objectManager } from './field-managers.ts';

/** Keeps a MeshOperator until everything that was made for it is gone. */
export const meshFinalizer = 'meshoperator.dev/mesh';

export function hasMeshFinalizer(mesh: KubernetesObject): boolean {
  return mesh.metadata.finalizers?.includes(meshFinalizer) ?? false;
}

/** Adds the finalizer unless it is there; ConflictError when the object has changed since it was read. */
export async function ensureMeshFinalizer(
  kube: KubeClient,
  mesh: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  if (hasMeshFinalizer(mesh)) return mesh;
  return writeFinalizers(kube, mesh, [...(mesh.metadata.finalizers ?? []), meshFinalizer], signal);
}

/** Lets the API server remove the object; nothing may be done for it afterwards. */
export async function releaseMeshFinalizer(
  kube: KubeClient,
  mesh: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  const others = (mesh.metadata.finalizers ?? []).filter((finalizer) => finalizer !== meshFinalizer);
  await writeFinalizers(kube, mesh, others, signal);
}

/** The patch carries the resource version, so that nobody else's finalizer is lost. */
function writeFinalizers(
  kube: KubeClient,
  mesh: KubernetesObject,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const operations: JsonPatchOperation[] = [
    { op: 'replace', path: '/metadata/resourceVersion', value: mesh.metadata.resourceVersion },
    { op: 'add', path: '/metadata/finalizers', value: finalizers },
  ];
  return kube.patch(idOf(mesh), { type: 'json', operations }, { fieldManager: objectManager }, signal);
}
