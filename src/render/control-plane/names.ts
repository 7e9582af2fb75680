import { type ResolvedMesh, revisionSuffix } from '../../api/resolved-mesh.ts';

/** Name of istiod's ServiceAccount, Role, Service, Deployment, HPA and PDB. */
export function istiodName(mesh: ResolvedMesh): string {
  return `istiod${revisionSuffix(mesh.revision)}`;
}

/** Name of the Service by which another cluster reaches an istiod that has that for its own. */
export function istiodExternalName(mesh: Pick<ResolvedMesh, 'revision'>): string {
  return `istiod${revisionSuffix(mesh.revision)}-external`;
}

/** Name of the Secret by which istiod is in the cluster that it has for its own, where that is another one. */
export function istiodKubeconfigName({ revision }: Pick<ResolvedMesh, 'revision'>): string {
  return `istio-kubeconfig${revisionSuffix(revision)}`;
}

/** Name of the ConfigMap that holds the mesh configuration; istiod looks it up by this name. */
export function meshConfigMapName(mesh: ResolvedMesh): string {
  return `istio${revisionSuffix(mesh.revision)}`;
}

/** Host and port where proxies get their certificates and their configuration. */
export function discoveryAddress(mesh: ResolvedMesh): string {
  return `${istiodName(mesh)}.${mesh.namespace}.svc:15012`;
}

/** A cluster-scoped name that no other mesh has: revision and namespace are part of it. */
export function clusterScopedName(mesh: ResolvedMesh, base: string): string {
  return `${base}${revisionSuffix(mesh.revision)}-${mesh.namespace}`;
}

/** Of the validation webhook of one revision, before what makes it its own. */
export const revisionValidator = 'istio-validator';
