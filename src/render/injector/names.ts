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

/**
 * Name of the MutatingWebhookConfiguration of a tag, as `istioctl tag` names it. Without the namespace, so that two
 * meshes of a cluster cannot have one tag: pods would get two sidecars.
 */
export function tagConfigurationName(tag: string): string {
  return `istio-revision-tag-${tag}`;
}
