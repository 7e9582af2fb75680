import { isRecord } from '../base/stable-json.ts';
import { type KubernetesObject, keyText, type ObjectKey } from './kubernetes-object.ts';
import { ownerByLabels } from './labels.ts';
import { type Problem, problemText } from './problem.ts';
import { tenantBundleName } from './resolve-tenancy.ts';
import { revisionLabel, revisionSuffix } from './resolved-mesh.ts';

/** The revision a MeshOperator asks for, read leniently: the spec may be invalid. Empty for the default one. */
export function claimedRevision(mesh: KubernetesObject): string {
  const revision = isRecord(mesh.spec) ? mesh.spec.revision : undefined;
  return typeof revision !== 'string' || revision === 'default' ? '' : revision;
}

/** The further names of its revision, read as leniently. */
export function claimedTags(mesh: KubernetesObject): string[] {
  const tags = isRecord(mesh.spec) ? mesh.spec.revisionTags : undefined;
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

/** Whether its istiod is for another cluster alone; read as leniently. */
function isForAnotherCluster({ spec }: KubernetesObject): boolean {
  const multiCluster = isRecord(spec) ? spec.multiCluster : undefined;
  return isRecord(multiCluster) && typeof multiCluster.configCluster === 'string';
}

/**
 * The names under which namespaces may choose a MeshOperator: its revision (`default` for the one without), then its tags.
 * None where its istiod is for another cluster.
 */
export function claimedNames(mesh: KubernetesObject): string[] {
  if (isForAnotherCluster(mesh)) return [];
  return [revisionLabel(claimedRevision(mesh)), ...claimedTags(mesh)];
}

/** The tenant that a MeshOperator is the control plane of; read as leniently. */
export function claimedTenant(mesh: KubernetesObject): string | undefined {
  const tenancy = isRecord(mesh.spec) ? mesh.spec.tenancy : undefined;
  const tenant = isRecord(tenancy) ? tenancy.tenant : undefined;
  return typeof tenant === 'string' ? tenant : undefined;
}

/** The ConfigMap that its istiod keeps its roots in, where that has not the usual name; read as leniently. */
export function claimedBundle(mesh: KubernetesObject): string | undefined {
  const spec = isRecord(mesh.spec) ? mesh.spec : {};
  const { global } = isRecord(spec.values) ? spec.values : {};
  const named = isRecord(global) ? global.trustBundleName : undefined;
  if (typeof named === 'string' && named !== '') return named;
  const tenant = claimedTenant(mesh);
  const { provider } = isRecord(spec.certificateAuthority) ? spec.certificateAuthority : {};
  return tenant === undefined || provider === 'External' ? undefined : tenantBundleName(tenant);
}

/** The other clusters that it names; read as leniently. */
function claimedRemotes(mesh: KubernetesObject): string[] {
  const multiCluster = isRecord(mesh.spec) ? mesh.spec.multiCluster : undefined;
  const remotes = isRecord(multiCluster) && Array.isArray(multiCluster.remotes) ? multiCluster.remotes : [];
  const names = remotes.map((remote) => (isRecord(remote) ? remote.clusterName : undefined));
  return names.map((name) => (typeof name === 'string' ? name : ''));
}

/** Something that one mesh of a cluster has alone. */
export interface Claim {
  /** Revisions and tags share one set of names, all else has others; with a prefix, they share none. */
  readonly key: string;
  readonly name: string;
  readonly what: 'revision' | 'tag' | 'tenant' | 'trust bundle' | 'name of ClusterRoles' | 'remote';
  /** Where in the spec it is. */
  readonly path: string;
}

/** All that a MeshOperator claims. */
export function claimsOf(mesh: KubernetesObject): Claim[] {
  // Its revision is a name in the other cluster; what it has here has a namespace.
  if (isForAnotherCluster(mesh)) return [ofClusterScope(mesh), ...remoteClaims(mesh)];
  const tenant = claimedTenant(mesh);
  const bundle = claimedBundle(mesh);
  const revision = revisionLabel(claimedRevision(mesh));
  return [
    { key: revision, name: revision, what: 'revision', path: 'spec.revision' },
    ...claimedTags(mesh).map(
      (tag, index): Claim => ({ key: tag, name: tag, what: 'tag', path: `spec.revisionTags[${index}]` }),
    ),
    ...(tenant === undefined ? [] : [ofTenant(tenant)]),
    ...(bundle === undefined ? [] : [ofBundle(bundle)]),
    ofClusterScope(mesh),
    ...remoteClaims(mesh),
  ];
}

function remoteClaims(mesh: KubernetesObject): Claim[] {
  return claimedRemotes(mesh).map((remote, index) => ofRemote(mesh, remote, index));
}

/** Every istiod of a namespace reads a cluster by one Secret there, whichever mesh it is of. */
function ofRemote({ metadata: { namespace } }: KubernetesObject, name: string, index: number): Claim {
  return {
    ...({ key: `remote:${namespace}/${name}`, name, what: 'remote' } as const),
    path: `spec.multiCluster.remotes[${index}].clusterName`,
  };
}

function ofTenant(tenant: string): Claim {
  return { key: `tenant:${tenant}`, name: tenant, what: 'tenant', path: 'spec.tenancy.tenant' };
}

function ofBundle(bundle: string): Claim {
  return {
    ...({ key: `bundle:${bundle}`, name: bundle, what: 'trust bundle' } as const),
    path: 'spec.values.global.trustBundleName',
  };
}

/** What the names of its objects end in that have no namespace: `a` in `b-c` and `a-b` in `c` would have the same. */
function ofClusterScope(mesh: KubernetesObject): Claim {
  const name = `${revisionSuffix(claimedRevision(mesh))}-${mesh.metadata.namespace}`.slice(1);
  return { key: `scope:${name}`, name, what: 'name of ClusterRoles', path: 'spec.revision' };
}

/** Something that somebody else holds, and who. */
export interface HeldClaim {
  readonly claim: Claim;
  readonly holder: ObjectKey;
}

/**
 * The first claim of `mesh` that another one already holds; undefined when `mesh` may have all of them. A name, be it a
 * revision or a tag, belongs to one mesh of a cluster, since webhooks and pods go by it without a namespace, and so do a
 * tenant and a trust bundle; a remote belongs to one mesh of a namespace. The oldest claim keeps it, and of two equally old ones the first by namespace and name. The
 * control planes of one mesh share its claims with it. `claiming` gives the meshes with a claim of that key.
 */
export function earlierClaim(
  mesh: KubernetesObject,
  claiming: (key: string) => Iterable<KubernetesObject>,
): HeldClaim | undefined {
  return earlierClaims(mesh, claiming)[0];
}

/** All of them. */
export function earlierClaims(
  mesh: KubernetesObject,
  claiming: (key: string) => Iterable<KubernetesObject>,
): HeldClaim[] {
  return heldClaims(mesh, claiming, (rival) => precedes(rival, mesh));
}

/** The claims of `mesh` that others have as well, whichever is older. */
export function rivalClaims(
  mesh: KubernetesObject,
  claiming: (key: string) => Iterable<KubernetesObject>,
): HeldClaim[] {
  return heldClaims(mesh, claiming, () => true);
}

function heldClaims(
  mesh: KubernetesObject,
  claiming: (key: string) => Iterable<KubernetesObject>,
  counts: (rival: KubernetesObject) => boolean,
): HeldClaim[] {
  return claimsOf(mesh).flatMap((claim) => {
    const rivals = [...claiming(claim.key)].filter(
      (other) => familyOf(other) !== familyOf(mesh) && counts(other),
    );
    const first = rivals.sort((a, b) => (precedes(a, b) ? -1 : 1))[0];
    return first === undefined ? [] : [{ claim, holder: keyOf(first) }];
  });
}

/** What a person reads when another mesh holds it. */
export function claimMessage(held: HeldClaim): string {
  return problemText(claimProblem(held));
}

/** The same as a problem of the spec. */
export function claimProblem({ claim: { name, what, path }, holder }: HeldClaim): Problem {
  if (what === 'remote') {
    const message = `cluster ${name} is a remote of MeshOperator ${keyText(holder)} already, by which every istiod of the namespace reads it: name it in one of the two`;
    return { path, message };
  }
  const other = what === 'name of ClusterRoles' ? 'revision' : what;
  return {
    path,
    message: `${what} ${name} belongs to MeshOperator ${keyText(holder)}; give this mesh another ${other} or delete that one`,
  };
}

/** The mesh that a MeshOperator is a control plane of, which is in the same namespace, or itself. */
function familyOf(mesh: KubernetesObject): string {
  const own = keyOf(mesh);
  const owner = ownerByLabels(mesh.metadata.labels);
  return keyText(owner?.namespace === own.namespace ? owner : own);
}

/** True for the one of two meshes that keeps what both claim. */
export function precedes(left: KubernetesObject, right: KubernetesObject): boolean {
  const [a, b] = [rank(left), rank(right)];
  return a < b;
}

/** Sorts by age, then by name; creation timestamps are RFC 3339 in UTC, so text order is time order. */
function rank(mesh: KubernetesObject): string {
  return `${mesh.metadata.creationTimestamp ?? ''} ${keyText(keyOf(mesh))}`;
}

function keyOf(mesh: KubernetesObject): ObjectKey {
  return { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
}
