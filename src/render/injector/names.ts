import { type ResolvedMesh, revisionSuffix } from '../../api/resolved-mesh.ts';
import { clusterScopedName } from '../control-plane/names.ts';

/**
 * Name of the injector's Deployment, Service, ServiceAccount, ConfigMap and PDB. Not `istio-sidecar-injector`: istiod
 * takes a ConfigMap of that name for the configuration of an injector of its own.
 */
export function injectorName(mesh: ResolvedMesh): string {
  return `sidecar-injector${revisionSuffix(mesh.revision)}`;
}

/** Name of the Secret with the serving certificate, in the namespace of the mesh. */
export function servingSecretName(mesh: ResolvedMesh): string {
  return `${injectorName(mesh)}-tls`;
}

/** The name under which the API server calls the injector; its certificate must have it. */
export function injectorHost(mesh: ResolvedMesh): string {
  return `${injectorName(mesh)}.${mesh.namespace}.svc`;
}

/** Name of the MutatingWebhookConfiguration of the revision itself. */
export function webhookConfigurationName(mesh: ResolvedMesh): string {
  return clusterScopedName(mesh, 'istio-sidecar-injector');
}

/** What the names of all of a tag begin with. */
export const tagConfigurationPrefix = 'istio-revision-tag-';

/**
 * Name of the MutatingWebhookConfiguration of a tag, as `istioctl tag` names it; with the revision, where that shares the
 * tag with another.
 */
export function tagConfigurationName({ revision, tagScope }: ResolvedMesh, tag: string): string {
  return `${tagConfigurationPrefix}${tag}${tagScope === undefined ? '' : revisionSuffix(revision)}`;
}
