import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { memberLabel, tenantLabel } from '../../api/labels.ts';
import type { MemberState, MemberStatus } from '../../api/mesh-operator-status.ts';
import type { LabelSelector } from '../../api/resolved-injection.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedTenancy } from '../../api/resolved-tenancy.ts';
import { isSystemNamespace } from '../../api/validation/tenancy-checks.ts';
import { matchesSelector } from '../../injection/label-selector.ts';

/** What a namespace is to a tenant. */
export interface Candidate {
  readonly namespace: string;
  readonly state: MemberState;
  /** Undefined for a namespace that does not exist. */
  readonly object: KubernetesObject | undefined;
}

/** What membership is decided by, beside the spec. */
export interface ObservedNamespaces {
  readonly namespaces: readonly KubernetesObject[];
  readonly purposeOf: PurposeOf;
}

/** What a namespace is for whose pods follow no tenant: it has a MeshOperator, or the operator itself; undefined for all others. */
export type PurposeOf = (namespace: string) => 'ControlPlane' | 'Operator' | undefined;

const revisionKey = 'istio.io/rev';
const injectionKey = 'istio-injection';

/** The labels by which a namespace follows a tenant, which the operator sets. */
export function enrolmentLabels(
  { revision }: ResolvedMesh,
  { tenant }: ResolvedTenancy,
): Record<string, string> {
  return { [memberLabel]: tenant, [revisionKey]: revision };
}

/**
 * What each namespace is to the tenant, by name: members, those that leave, and those that are wanted or say that they
 * belong and are no members. All others are left out. Pure.
 */
export function decideMembers(
  mesh: ResolvedMesh,
  tenancy: ResolvedTenancy,
  { namespaces, purposeOf }: ObservedNamespaces,
): Candidate[] {
  const existing = new Set(namespaces.map(({ metadata }) => metadata.name));
  const missing = tenancy.members.namespaces.filter((name) => !existing.has(name));
  const candidates = namespaces.flatMap((object): Candidate[] => {
    const state = decideMember(mesh, tenancy, object, purposeOf);
    return state === undefined ? [] : [{ namespace: object.metadata.name, state, object }];
  });
  return [
    ...candidates,
    ...missing.map((namespace): Candidate => ({ namespace, state: 'Missing', object: undefined })),
  ].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

/** What one namespace is; undefined for one that has nothing to do with the tenant. */
export function decideMember(
  mesh: ResolvedMesh,
  tenancy: ResolvedTenancy,
  { metadata }: KubernetesObject,
  purposeOf: PurposeOf,
): MemberState | undefined {
  const { name, labels = {}, deletionTimestamp } = metadata;
  // Whatever was put there goes with it.
  if (deletionTimestamp !== undefined || name === mesh.namespace) return undefined;
  const { tenant } = tenancy;
  const owner = labels[memberLabel];
  const refusal = refuseMember(mesh, tenancy, metadata, purposeOf);
  if (refusal !== undefined) return owner === tenant ? 'Leaving' : refusal.state;
  // Another tenant's operator has not cleaned up yet.
  if (owner !== undefined && owner !== tenant) return 'OtherTenant';
  const isEnrolled = Object.entries(enrolmentLabels(mesh, tenancy)).every(
    ([key, value]) => labels[key] === value,
  );
  return isEnrolled ? 'Enrolled' : 'Enrolling';
}

/** Why a namespace may be no member; a state of undefined is not worth telling. Undefined where it may. */
function refuseMember(
  { revision }: ResolvedMesh,
  { tenant, members }: ResolvedTenancy,
  { name, labels = {} }: KubernetesObject['metadata'],
  purposeOf: PurposeOf,
): { readonly state: MemberState | undefined } | undefined {
  const isNamed = members.namespaces.includes(name);
  const isSelected = members.selector !== undefined && matchesSelector(members.selector, labels);
  const consent = labels[tenantLabel];
  if (consent !== tenant) {
    // A selector that asks for no label is for whoever consents.
    const isMeant = isNamed || (isSelected && asksForLabel(members.selector));
    if (!isMeant) return { state: undefined };
    return { state: consent === undefined ? 'NoConsent' : 'OtherTenant' };
  }
  if (!isNamed && !isSelected) return { state: 'NotSelected' };
  if (isSystemNamespace(name)) return { state: 'SystemNamespace' };
  const purpose = purposeOf(name);
  if (purpose !== undefined) return { state: purpose };
  if (labels[injectionKey] !== undefined) return { state: 'InjectionLabel' };
  const chosen = labels[revisionKey];
  return chosen === undefined || chosen === revision ? undefined : { state: 'OtherRevision' };
}

function asksForLabel({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): boolean {
  return (
    Object.keys(matchLabels).length > 0 ||
    matchExpressions.some(({ operator }) => operator === 'In' || operator === 'Exists')
  );
}

/** True for a namespace whose objects are rendered. */
export function isMember({ state }: Pick<Candidate, 'state'>): boolean {
  return state === 'Enrolled' || state === 'Enrolling';
}

/** The members that a status names. */
export function enrolledMembers(members: readonly MemberStatus[] = []): string[] {
  return members.filter(isMember).map(({ namespace }) => namespace);
}

/** What is told of namespaces that are no members, at most. */
const maxOthers = 50;

/** The status of candidates; `since` stays while the state does. */
export function memberStatuses(
  before: readonly MemberStatus[],
  candidates: readonly Candidate[],
  now: Date,
): MemberStatus[] {
  const known = new Map(before.map((member) => [member.namespace, member]));
  const since = `${now.toISOString().slice(0, 19)}Z`;
  const others = candidates.filter((candidate) => !isMember(candidate)).slice(0, maxOthers);
  const told = new Set([...candidates.filter(isMember), ...others]);
  return candidates
    .filter((candidate) => told.has(candidate))
    .map(({ namespace, state }) => {
      const held = known.get(namespace);
      return held?.state === state ? held : { namespace, state, since };
    });
}
