import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { objectMetadata } from './object-metadata.ts';
import type { RenderContext } from './render-context.ts';
import { renderObject } from './template-engine.ts';

/** A ServiceAccount and the role it gets. */
export interface RoleBindingOptions {
  readonly roleKind: 'Role' | 'ClusterRole';
  /** The binding has the role's name, too. */
  readonly roleName: string;
  readonly subject: { readonly name: string; readonly namespace: string };
  readonly component: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Where a ClusterRole counts; absent: in the whole cluster. */
  readonly within?: string;
}

/** Binds a Role in the subject's namespace, or a ClusterRole in the whole cluster or in one namespace. */
export function renderRoleBinding(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: RoleBindingOptions,
): KubernetesObject {
  const { roleKind, roleName, subject, component, labels, within } = options;
  const namespace = roleKind === 'Role' ? subject.namespace : within;
  return renderObject('workload/05-role-binding', {
    bindingKind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: objectMetadata(mesh, context, {
      name: roleName,
      component,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
    }),
    roleKind,
    roleName,
    subject,
  });
}

/** What pods of one workload run as. */
export interface ServiceAccountOptions {
  readonly name: string;
  readonly namespace: string;
  readonly component: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A ServiceAccount with the mesh's image pull secrets. */
export function renderServiceAccount(
  mesh: ResolvedMesh,
  context: RenderContext,
  options: ServiceAccountOptions,
): KubernetesObject {
  return renderObject('workload/00-service-account', {
    metadata: objectMetadata(mesh, context, options),
    imagePullSecrets:
      mesh.imagePullSecrets.length === 0 ? undefined : mesh.imagePullSecrets.map((name) => ({ name })),
  });
}
