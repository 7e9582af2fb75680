import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorGroup, meshOperatorKind } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { configClusterOf } from '../../api/resolved-multi-cluster.ts';
import type { Right } from '../../api/right.ts';
import { stableJson } from '../../base/stable-json.ts';
import { nothingObserved } from '../observed-mesh.ts';
import type { RenderContext } from '../render-context.ts';
import { renderMeshOperator } from '../render-mesh-operator.ts';
import type { Wave } from '../wave.ts';

/** What a person needs to have objects of a kind, and to have them no longer. */
const ownVerbs = ['create', 'patch', 'delete'];

/** Subresource of `meshoperators` whose verb `use` grants the parts of meshes that belong to the whole cluster. */
export const clusterScopeSubresource = 'clusterscope';

/**
 * What the author of a mesh must be allowed to do, each once, in a fixed order (ADR 16): to create, patch and delete
 * every kind of object in every namespace where the mesh has some; for what reaches beyond namespaces, to `use`
 * `meshoperators/clusterscope` in the mesh's own; and where overlays change roles, bindings or other objects of the
 * cluster, what these changes would need by hand. `waves` is what the mesh is rendered to. Pure.
 * Throws TerminalError when one of its control planes has a spec with problems.
 */
export function requiredRights(
  { metadata }: MeshOperator,
  mesh: ResolvedMesh,
  waves: readonly Wave[],
  context: RenderContext,
): readonly Right[] {
  const objects = objectsOf(waves);
  const rights = [
    ...(reachesCluster(mesh, objects) ? [clusterScope(metadata.namespace ?? '')] : []),
    ...objects.flatMap((object) => inNamespace(object)),
    ...hiddenRights(mesh),
    ...overlayRights(mesh, objects),
    ...objects
      .filter(({ kind }) => kind === meshOperatorKind)
      .flatMap((part) => rightsOfPart(part as unknown as MeshOperator, context)),
  ];
  const byText = new Map(rights.map((right) => [stableJson(right), right]));
  return [...byText.values()];
}

/** A mesh whose upgrades are `RevisionBased` asks for what its control planes ask for. */
function rightsOfPart(part: MeshOperator, context: RenderContext): readonly Right[] {
  const resolved = resolveMesh(part);
  const waves = renderMeshOperator(part, resolved, nothingObserved, context);
  return requiredRights(part, resolved, waves, context);
}

function clusterScope(namespace: string): Right {
  return {
    ...{ verb: 'use', group: meshOperatorGroup, namespace },
    ...{ resource: 'meshoperators', subresource: clusterScopeSubresource },
  };
}

/**
 * True when it makes something that has no namespace, does something to namespaces that it does not name, or takes a
 * name that is the whole cluster's.
 */
function reachesCluster(mesh: ResolvedMesh, objects: readonly KubernetesObject[]): boolean {
  return (
    mesh.base.enabled || // Istio's CRDs
    // Where istiod is for another cluster, it is a name over there.
    (mesh.revision === '' && configClusterOf(mesh) === undefined) ||
    mesh.revisionTags.length > 0 ||
    mesh.upgrade.restarts ||
    mesh.authority.external?.distributes === true ||
    mesh.authority.followed !== undefined || // Its roots
    objects.some((object) => object.metadata.namespace === undefined)
  );
}

function inNamespace({ apiVersion, kind, metadata }: KubernetesObject): Right[] {
  const { namespace } = metadata;
  if (namespace === undefined) return [];
  return ownVerbs.map((verb) => ({ verb, ...resourceOf(apiVersion, kind), namespace }));
}

/**
 * What controllers keep beside the rendered objects: keys, orders for certificates, and credentials for other clusters;
 * and what is rendered once another cluster has said where istiod is.
 */
function hiddenRights({ namespace, injector, authority, multiCluster, remote }: ResolvedMesh): Right[] {
  const secrets = { ...resourceOf('v1', 'Secret'), namespace };
  const hasRemotes = (multiCluster?.remotes ?? []).length > 0;
  const requests = { ...resourceOf('cert-manager.io/v1', 'CertificateRequest'), namespace };
  return [
    ...(injector.enabled || authority.enabled || hasRemotes
      ? ownVerbs.map((verb) => ({ verb, ...secrets }))
      : []),
    ...(authority.secretName !== undefined || hasRemotes ? [{ verb: 'get', ...secrets }] : []),
    ...(authority.issuer === undefined ? [] : ['create', 'delete'].map((verb) => ({ verb, ...requests }))),
    ...(remote?.isTold === true
      ? [resourceOf('v1', 'Service'), resourceOf('discovery.k8s.io/v1', 'EndpointSlice')].flatMap(
          (resource) => ownVerbs.map((verb) => ({ verb, ...resource, namespace })),
        )
      : []),
  ];
}

/** The operator holds more rights than authors do: it must not lend them to whoever writes overlays. */
function overlayRights({ overlays }: ResolvedMesh, objects: readonly KubernetesObject[]): Right[] {
  const changed = new Set(overlays.flatMap((of) => of.overlays.map(({ kind, name }) => `${kind}/${name}`)));
  return objects.filter(({ kind, metadata }) => changed.has(`${kind}/${metadata.name}`)).flatMap(byHand);
}

/** What it takes to write an object that is not as the operator would have made it. */
function byHand({ apiVersion, kind, metadata, roleRef }: KubernetesObject): Right[] {
  const place = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
  const whole = ownVerbs.map((verb) => ({ verb, ...resourceOf(apiVersion, kind) }));
  const rights: Right[] = metadata.namespace === undefined ? whole : [];
  if (kind === 'Role' || kind === 'ClusterRole') {
    rights.push({ verb: 'escalate', ...resourceOf(apiVersion, kind), ...place });
  }
  if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') {
    const bound = (roleRef as { readonly kind?: string } | undefined)?.kind ?? 'ClusterRole';
    rights.push({ verb: 'bind', ...resourceOf(apiVersion, bound), ...place });
  }
  return rights;
}

function resourceOf(apiVersion: string, kind: string): Pick<Right, 'group' | 'resource'> {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    resource: kindInfo(apiVersion, kind).plural,
  };
}

/** But for what members of a tenant get: to that whoever labels a namespace has consented, and nobody writes it in a spec. */
function objectsOf(waves: readonly Wave[]): KubernetesObject[] {
  return waves.flatMap(({ name, objects }) => (name === 'members' ? [] : objects));
}
