import type { Condition } from './mesh-operator-status.ts';

export interface ConditionReason {
  readonly reason: string;
  readonly meaning: string;
}

export interface ConditionInfo {
  readonly type: string;
  readonly meaning: string;
  readonly reasons: readonly ConditionReason[];
}

/**
 * Why a mesh that should make progress makes none; shared by `Ready` and `Stalled`. Other refusals of the API server
 * come with its own reason.
 */
const terminalReasons: readonly ConditionReason[] = [
  {
    reason: 'InvalidSpec',
    meaning: 'The spec has an error; the message names each field and what was meant.',
  },
  {
    reason: 'AuthorNotAllowed',
    meaning: 'Whoever wrote the spec may not do what it asks for: see `Authorized`. Nothing of it is done.',
  },
  {
    reason: 'AuthorUnknown',
    meaning: 'Nothing tells who wrote the spec: see `Authorized`. Nothing of it is done.',
  },
  {
    reason: 'RevisionConflict',
    meaning:
      'Another MeshOperator of the cluster has this revision, tag, tenant or trust bundle, or one of the namespace this remote; the older one keeps it.',
  },
  {
    reason: 'TenantNotAdmitted',
    meaning:
      'The namespace of the MeshOperator does not carry the label `meshoperator.dev/tenant` of its tenant. Nothing of the spec is done.',
  },
  {
    reason: 'TenancyOverlap',
    meaning:
      'A tenant and an older mesh could select one namespace; the older one keeps it, and the message says how to part them.',
  },
  {
    reason: 'OwnedByOther',
    meaning: 'Another MeshOperator has an object of this name, such as a gateway; the older one keeps it.',
  },
  {
    reason: 'ObjectExists',
    meaning: 'An object of this name exists that another tool manages; the message names it.',
  },
  {
    reason: 'VersionSkew',
    meaning: 'The version is more than a minor away from the one that is installed; the message has the way.',
  },
  {
    reason: 'FieldConflict',
    meaning:
      'Somebody else changes a field of an object back again and again; the message names the field and the manager. It is left alone for ten minutes at a time.',
  },
  {
    reason: 'ImmutableField',
    meaning: 'A change needs an object to be made anew; the message names it and the field.',
  },
  { reason: 'UpgradePaused', meaning: 'An upgrade was not done in time and is held: see `UpgradeComplete`.' },
  {
    reason: 'UpgradeRolledBack',
    meaning: 'An upgrade was not done in time and has been undone: see `UpgradeComplete`.',
  },
  { reason: 'Forbidden', meaning: "The operator's role does not allow what the mesh needs." },
  {
    reason: 'Invalid',
    meaning: 'The API server refuses an object of the mesh; the message names it and why.',
  },
];

const progressReasons: readonly ConditionReason[] = [
  { reason: 'Progressing', meaning: 'Objects are being applied, or are applied and not yet healthy.' },
  {
    reason: 'ProgressDeadlineExceeded',
    meaning: 'A workload made no progress within its deadline; the message names it.',
  },
  {
    reason: 'InjectorNotReached',
    meaning: 'The API server has not been seen to reach the sidecar injector: see `InjectorReady`.',
  },
  {
    reason: 'PrimaryPending',
    meaning:
      'The mesh follows the istiod of another cluster, which has not said where it is; the message says what to do. What there is stays.',
  },
  { reason: 'NamespaceMissing', meaning: 'An object is to be made in a namespace that does not exist.' },
  {
    reason: 'KindMissing',
    meaning: 'An object is of a kind that the cluster does not have, such as those of Multus.',
  },
  {
    reason: 'BeingDeleted',
    meaning: 'An object is still being deleted by somebody; it is made anew afterwards.',
  },
  { reason: 'Deleting', meaning: 'The MeshOperator is being deleted; its objects are being removed.' },
  {
    reason: 'RemovalBlocked',
    meaning:
      'The MeshOperator is being deleted, and nothing has gone for a minute. The message names what holds it up: an object with the finalizers of others, a refused deletion, a pod that still runs; and when the mesh goes without it.',
  },
  { reason: 'Upgrading', meaning: 'Another version gets into the mesh: see `UpgradeComplete`.' },
  { reason: 'ApplyFailed', meaning: 'The API server did not answer as it should; it is tried again.' },
];

/** Whether API servers reach the sidecar injector. */
const injectorReasons: readonly ConditionReason[] = [
  {
    reason: 'Reached',
    meaning: 'The API server has been seen to reach it; the failure policy of the spec is in effect.',
  },
  { reason: 'NotDeployed', meaning: 'Its Deployment is not there yet.' },
  { reason: 'NoReplica', meaning: 'None of its replicas is ready; pods start without a sidecar.' },
  { reason: 'NotConfigured', meaning: 'Its webhooks are not there yet.' },
  {
    reason: 'Unreachable',
    meaning: 'The API server could not ask it about a pod; the message holds what the API server said.',
  },
];

/** Whether the author of a spec may do what it asks for. */
const authorReasons: readonly ConditionReason[] = [
  { reason: 'AuthorAllowed', meaning: 'They may.' },
  {
    reason: 'AuthorNotAllowed',
    meaning: 'They may not; the message names the user and the rights that are missing.',
  },
  {
    reason: 'AuthorUnknown',
    meaning: 'The webhook was not asked when the spec was written; it has to be applied once more.',
  },
  {
    reason: 'AuthorNotRecorded',
    meaning: 'The spec was in force before authors were recorded; it stays in force until it changes.',
  },
  {
    reason: 'MadeByOperator',
    meaning: 'It is a control plane of another MeshOperator, whose author was asked about.',
  },
];

/** How far another version has come into a mesh. */
const upgradeReasons: readonly ConditionReason[] = [
  { reason: 'Complete', meaning: 'It is.' },
  { reason: 'Installing', meaning: 'The control plane of the new version is installed, beside the old one.' },
  {
    reason: 'Moving',
    meaning: 'A wave of namespaces changes to the new version; `status.upgrade` says what it waits for.',
  },
  { reason: 'MovingGateways', meaning: 'The gateways change to the new control plane.' },
  { reason: 'Finishing', meaning: 'The tags are handed over to the new control plane.' },
  {
    reason: 'Paused',
    meaning:
      'A step was not done in time, and the upgrade is held until the spec changes; the message says why.',
  },
  {
    reason: 'RollingBack',
    meaning: 'A step was not done in time, or the spec has changed: everything goes back to the old version.',
  },
  { reason: 'RolledBack', meaning: 'The old version serves again; the message says what failed.' },
];

/** Whether the certificates of a mesh are in order. */
const trustReasons: readonly ConditionReason[] = [
  { reason: 'Healthy', meaning: 'Root and intermediate are valid, and no rotation is under way.' },
  { reason: 'Rotating', meaning: 'A rotation is under way; `status.certificateAuthority` says where it is.' },
  {
    reason: 'Blocked',
    meaning:
      'A phase of a rotation has waited for five minutes; the message names what holds it. Nothing is dropped meanwhile.',
  },
  { reason: 'Paused', meaning: 'A rotation is due or under way, and `rotation.paused` holds it.' },
  {
    reason: 'Expired',
    meaning: 'The root or the intermediate has ended; the message says how to recover.',
  },
  {
    reason: 'AuthorityUnusable',
    meaning:
      'The Secret with the authority was changed by hand and does not fit together; what istiod has stays.',
  },
  {
    reason: 'MaterialRefused',
    meaning:
      'The Secret that `pluggedIn` names is not there, or what it holds or the issuer has signed fails `ca lint`; the last good material stays.',
  },
  {
    reason: 'MaterialNeeded',
    meaning:
      'A replacement is due, or asked for, that only whoever filled the Secret that `pluggedIn` names can bring; what is in use stays.',
  },
  {
    reason: 'Ordering',
    meaning:
      'An intermediate is ordered from the issuer; the message has what it says. What is in use stays.',
  },
  {
    reason: 'OrderWaiting',
    meaning:
      'The issuer has not signed what was ordered, for five minutes or where there is nothing in use yet; the message names the CertificateRequest and what it says.',
  },
  {
    reason: 'OrderRefused',
    meaning:
      'What was ordered is denied, invalid or failed; the message has what the issuer said. It is ordered again later.',
  },
  {
    reason: 'CertManagerMissing',
    meaning: 'The API server has no `cert-manager.io/v1`; it is looked for again later.',
  },
  {
    reason: 'BundleRefused',
    meaning:
      'The ConfigMap with the roots of an authority that somebody else keeps is not there or fails `ca lint`; the last good roots stay.',
  },
  {
    reason: 'BundleContested',
    meaning:
      'Somebody changes copies of the bundle back; the message names some and their writer, and they are left to it for ten minutes at a time.',
  },
  {
    reason: 'RootEndsSoon',
    meaning:
      'The last root of an authority that somebody else keeps ends soon, and its bundle has no successor yet.',
  },
  {
    reason: 'TrustDomainDiffers',
    meaning: "The mesh's trust domain is not SPIRE's, so that workloads refuse each other.",
  },
  {
    reason: 'UnknownRequest',
    meaning: 'Annotation `meshoperator.dev/rotate` asks for something that there is not.',
  },
  {
    reason: 'SharedAuthority',
    meaning: 'An older MeshOperator of the namespace keeps the authority that both use.',
  },
];

const componentReasons: readonly ConditionReason[] = [
  { reason: 'Healthy', meaning: 'All of its workloads are rolled out and available.' },
  { reason: 'Waiting', meaning: 'It is not its turn yet: an earlier wave is not healthy.' },
  {
    reason: 'Progressing',
    meaning: 'A workload is not rolled out or not available yet; the message names it.',
  },
  {
    reason: 'AddressPending',
    meaning: 'No load balancer has given the Service of a gateway an address yet.',
  },
  {
    reason: 'ProgressDeadlineExceeded',
    meaning: 'A workload made no progress within its deadline; the message names it.',
  },
  { reason: 'Disabled', meaning: 'The spec turns it off.' },
];

/** Every condition of a MeshOperator with every reason it can have: the reference page prints this table. */
export const conditionTable: readonly ConditionInfo[] = [
  {
    type: 'Ready',
    meaning: 'The mesh is what the spec asks for. The one to wait for.',
    reasons: [
      { reason: 'Ready', meaning: 'All objects are applied and healthy.' },
      {
        reason: 'Paused',
        meaning: 'The spec says `paused`: nothing is changed, and nothing is said of drift.',
      },
      ...progressReasons,
      ...terminalReasons,
    ],
  },
  {
    type: 'Reconciling',
    meaning: 'Present and true while the operator works towards the spec (kstatus).',
    reasons: progressReasons,
  },
  {
    type: 'Stalled',
    meaning: 'Present and true while a person must act first (kstatus).',
    reasons: terminalReasons,
  },
  {
    type: 'Authorized',
    meaning:
      'Whoever wrote the spec may do what it asks for. Absent where the operator is not told to ask (`--admission`).',
    reasons: authorReasons,
  },
  { type: 'ControlPlaneReady', meaning: 'istiod is rolled out and available.', reasons: componentReasons },
  { type: 'GatewaysReady', meaning: 'All gateways are rolled out and available.', reasons: componentReasons },
  {
    type: 'PoliciesReady',
    meaning: 'Every policy, monitor and default of the mesh is there. Absent when the spec asks for none.',
    reasons: componentReasons,
  },
  {
    type: 'MutualTlsInForce',
    meaning:
      'Mutual TLS alone is taken wherever the spec asks for that. Absent without `spec.security.mtls.migration`; a mesh is `Ready` while it waits.',
    reasons: [
      { reason: 'InForce', meaning: 'It is.' },
      { reason: 'Waiting', meaning: 'It is not the turn of policies yet: an earlier wave is not healthy.' },
      {
        reason: 'PlaintextCallers',
        meaning: 'Somebody would be cut off; the message names some, and `status.mtls` more.',
      },
      {
        reason: 'CallersUnknown',
        meaning: 'The Prometheus cannot be asked who would be cut off, or knows of no call at all.',
      },
    ],
  },
  {
    type: 'InjectorReady',
    meaning: 'The API server reaches the sidecar injector. Absent when the spec turns it off.',
    reasons: [...injectorReasons, ...terminalReasons],
  },
  {
    type: 'TrustHealthy',
    meaning: 'The certificate authority is in order. Absent when istiod signs by itself.',
    reasons: trustReasons,
  },
  {
    type: 'ProxiesUpToDate',
    meaning:
      'Every pod that should have a sidecar has one of the current version. Absent when the mesh has no injector.',
    reasons: [
      { reason: 'UpToDate', meaning: 'They all have.' },
      {
        reason: 'BarePods',
        meaning: 'Pods run without the sidecar that they should have; `status.dataPlane` names some.',
      },
      {
        reason: 'OutdatedProxies',
        meaning: 'Sidecars are older than the control plane; they are renewed when their pods are.',
      },
    ],
  },
  {
    type: 'RemotesReady',
    meaning:
      'istiod reads every other cluster of the mesh; `status.remotes` has each. Absent where the spec names none.',
    reasons: [
      { reason: 'Connected', meaning: 'It does.' },
      {
        reason: 'IstiodNotReady',
        meaning: 'It can, but no replica of it is Ready that could have done so: see `ControlPlaneReady`.',
      },
      { reason: 'Progressing', meaning: 'A credential is on its way to istiod.' },
      {
        reason: 'RemoteUnreachable',
        meaning:
          'The API server of a cluster does not answer. What istiod has of it stays, and nobody waits for it; it comes back by itself.',
      },
      {
        reason: 'RemoteRefused',
        meaning:
          'A cluster cannot be part of the mesh as it is: the way into it, its rights, or what it says of itself; the message says what to do.',
      },
      { reason: 'RemoteDegraded', meaning: 'istiod reads it, and something is wrong between the clusters.' },
    ],
  },
  {
    type: 'TenancyReady',
    meaning:
      'Every namespace that a tenant wants is a member of it; `status.members` has each. Absent without `spec.tenancy`.',
    reasons: [
      { reason: 'MembersEnrolled', meaning: 'They are.' },
      { reason: 'Progressing', meaning: 'Some become members, or are cleaned up after they were.' },
      {
        reason: 'MembersRefused',
        meaning:
          'Some are missing, do not carry the label of the tenant, or follow somebody else; the message says which and why.',
      },
    ],
  },
  {
    type: 'UpgradeComplete',
    meaning:
      'Everything is of the version that the spec asks for. Absent where `spec.upgrade` neither restarts workloads nor is `RevisionBased`.',
    reasons: upgradeReasons,
  },
];

/** What a reconciler says of one subject; the time is added when it is set. */
export type ConditionUpdate = Omit<Condition, 'lastTransitionTime'>;

/** The condition of a type, or undefined. */
export function findCondition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

/**
 * A new list with this condition in the place of the one of its type, or at the end.
 * `lastTransitionTime` moves only when `status` changes, and is cut to whole seconds as the API stores it.
 */
export function setCondition(
  conditions: readonly Condition[],
  update: ConditionUpdate,
  now: Date,
): readonly Condition[] {
  const before = findCondition(conditions, update.type);
  const lastTransitionTime =
    before !== undefined && before.status === update.status ? before.lastTransitionTime : wholeSeconds(now);
  const after: Condition = { ...update, lastTransitionTime };
  return before === undefined
    ? [...conditions, after]
    : conditions.map((condition) => (condition.type === update.type ? after : condition));
}

/** A new list without the condition of this type; the same list when it has none. */
export function removeCondition(conditions: readonly Condition[], type: string): readonly Condition[] {
  return findCondition(conditions, type) === undefined
    ? conditions
    : conditions.filter((condition) => condition.type !== type);
}

/** RFC 3339 in UTC without fractions: what `metav1.Time` keeps. */
export function wholeSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}
