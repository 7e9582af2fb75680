import type { ConditionUpdate } from '../../api/conditions.ts';
import { rotateAnnotation } from '../../api/labels.ts';
import type {
  CertificateAuthorityStatus,
  TrustFollowerStatus,
  TrustMemberStatus,
} from '../../api/mesh-operator-status.ts';
import type { StatusPart } from '../../kube/status-writer.ts';
import type { AuthorityState, Slots } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import { requestProblem } from '../../pki/decide-rotation.ts';
import type { Blocker } from '../../pki/gates.ts';
import { signingRootOf } from '../../pki/istio-bundle.ts';
import type { MemberView } from '../../pki/member-view.ts';
import { type RotationPolicy, rotationKinds } from '../../pki/rotation-policy.ts';
import { type Due, type NextDate, nextDates } from '../../pki/rotation-schedule.ts';
import type { OrderTrouble } from './certificate-orders.ts';

export const trustConditionType = 'TrustHealthy';

/** How far the gates of a phase have come. */
export interface GateProgress {
  readonly blockers: readonly Blocker[];
  readonly proxies?: { readonly total: number; readonly done: number };
  /** The clusters that roots are exchanged with. */
  readonly members: readonly MemberView[];
  /** Those that follow its istiod. */
  readonly followers: readonly MemberView[];
}

type Statement = Omit<ConditionUpdate, 'observedGeneration'>;

const maxNamed = 10;
/** A phase that waits longer than this waits for somebody. */
const patienceMs = 5 * 60_000;

/** What `status.certificateAuthority` says. */
export function authorityStatus(
  state: AuthorityState,
  { blockers, proxies, members, followers }: GateProgress,
  policy: RotationPolicy,
): CertificateAuthorityStatus {
  const { phase, roots, intermediates, rotation, lastRotation } = state;
  const isStable = phase === 'Stable';
  const { root, intermediate } = nextDates(state, policy);
  return {
    phase,
    root: slotsStatus(roots),
    intermediate: slotsStatus(intermediates),
    ...(rotation === undefined ? {} : { rotation: { ...rotation } }),
    ...(blockers.length === 0 ? {} : { waitingFor: blockers.slice(0, maxNamed).map(blockerText) }),
    ...(members.length === 0 ? {} : { members: members.map((member) => memberStatus(state, member)) }),
    ...(followers.length === 0 ? {} : { followers: followers.map((each) => followerStatus(state, each)) }),
    ...(isStable || proxies === undefined ? {} : { proxies: { ...proxies } }),
    ...(lastRotation === undefined ? {} : { lastRotation: { ...lastRotation } }),
    nextRotation: {
      ...(root === undefined ? {} : { root: dueStatus(root) }),
      intermediate: dueStatus(intermediate),
    },
  };
}

/** What a person should know beside the authority itself. */
export interface TrustCircumstances {
  readonly policy: RotationPolicy;
  readonly now: Date;
  /** Why what was plugged in is not used. */
  readonly refusal?: string | undefined;
  /** What is due and only the user can bring. */
  readonly needed?: NeededMaterial | undefined;
  /** Who signs intermediates in our place. */
  readonly issuer?: string | undefined;
  /** Why what was ordered from the issuer is not there yet. */
  readonly order?: OrderTrouble | undefined;
  /** What annotation `meshoperator.dev/rotate` says. */
  readonly request?: string | undefined;
}

/** What is due, and the Secret that whoever plugs in has to fill for it. */
export interface NeededMaterial extends Due {
  readonly secret: string;
}

/** What condition `TrustHealthy` says of an authority that can be used. */
export function trustStatement(
  state: AuthorityState,
  progress: GateProgress,
  { policy, now, refusal, needed, request, issuer, order }: TrustCircumstances,
): Statement {
  const expired = expiredOf(state, now);
  if (expired !== undefined) {
    const message = order === undefined ? expired : `${expired}. ${order.message}`;
    return { type: trustConditionType, status: 'False', reason: 'Expired', message };
  }
  if (refusal !== undefined) {
    return {
      type: trustConditionType,
      status: 'False',
      reason: 'MaterialRefused',
      message: `${refusal}. The material in use stays`,
    };
  }
  const rotation =
    rotationStatement(state, progress, { policy, now }) ??
    exchangeStatement(state, progress, now) ??
    overdueStatement(state, { policy, now });
  if (rotation !== undefined) return rotation;
  if (order !== undefined) {
    // Whoever has something to sign with can wait for a while.
    const isPatient = order.reason === 'OrderWaiting' && now.getTime() - order.since.getTime() <= patienceMs;
    return isPatient
      ? { type: trustConditionType, status: 'True', reason: 'Ordering', message: order.message }
      : { ...orderStatement(order), message: `${order.message}. The material in use stays` };
  }
  const problem = requestProblem(state, request, now);
  if (problem !== undefined) {
    return {
      type: trustConditionType,
      status: 'False',
      reason: 'UnknownRequest',
      message: `Annotation ${rotateAnnotation}: ${problem}`,
    };
  }
  if (needed !== undefined) return neededStatement(needed);
  const { roots, intermediates } = state;
  const ends = `The root is valid until ${endOf(roots.current)}, the intermediate until ${endOf(intermediates.current)}`;
  const whose = issuer === undefined ? '' : `; the root is that of ${issuer}, which alone can replace it`;
  const message = `${ends}${whose}${behindText(state, progress)}`;
  return { type: trustConditionType, status: 'True', reason: 'Healthy', message };
}

/** Whom a rotation has left behind, or who has not caught up yet since the mesh was joined. */
function behindText(state: AuthorityState, { members, followers }: GateProgress): string {
  const behind = [...members, ...followers].filter((view) => !trustsRoot(state, view));
  if (behind.length === 0) return '';
  const names = behind.slice(0, maxNamed).map(({ clusterName }) => clusterName);
  const more = behind.length > maxNamed ? ` and ${behind.length - maxNamed} more` : '';
  return `. Not seen to trust the root: cluster ${names.join(', ')}${more}`;
}

/** What it says of an authority that there is not before the issuer has signed. */
export function orderStatement({ reason, message }: OrderTrouble): Statement {
  return { type: trustConditionType, status: 'False', reason, message };
}

/** Who asks waits for an answer; what is due by itself has its time still, and alerts of its own. */
function neededStatement({ kind, reason, secret }: NeededMaterial): Statement {
  const isAsked = reason === 'Requested' || reason === 'KeyCompromise';
  return {
    type: trustConditionType,
    status: isAsked ? 'False' : 'True',
    reason: 'MaterialNeeded',
    message: `The ${kind} should be replaced (${reason}), and what is plugged in only its owner can replace: put the new material into Secret ${secret}, and the rotation begins`,
  };
}

function rotationStatement(
  { phase, rotation }: AuthorityState,
  { blockers }: GateProgress,
  { policy, now }: TrustCircumstances,
): Statement | undefined {
  if (rotation === undefined) return undefined;
  const what = `A rotation of the ${rotation.kind} (${rotation.reason}) is in phase ${phase}`;
  if (policy.isPaused)
    return {
      type: trustConditionType,
      status: 'True',
      reason: 'Paused',
      message: `${what} and held there by rotation.paused`,
    };
  if (now.getTime() - Date.parse(rotation.phaseSince) <= patienceMs || blockers.length === 0) {
    return { type: trustConditionType, status: 'True', reason: 'Rotating', message: what };
  }
  return blockedStatement(what, blockers);
}

/** What is said while nothing rotates and roots of other clusters come or go for long. */
function exchangeStatement(
  { exchange }: AuthorityState,
  { blockers }: GateProgress,
  now: Date,
): Statement | undefined {
  const ageMs = exchange === undefined ? 0 : now.getTime() - Date.parse(exchange.since);
  if (blockers.length === 0 || ageMs <= patienceMs) return undefined;
  return blockedStatement('Roots are exchanged with other clusters', blockers);
}

function blockedStatement(what: string, blockers: readonly Blocker[]): Statement {
  const others = blockers.length > maxNamed ? ` and ${blockers.length - maxNamed} more` : '';
  const named = blockers.slice(0, maxNamed).map(blockerText).join('; ');
  return {
    type: trustConditionType,
    status: 'False',
    reason: 'Blocked',
    message: `${what}, which waits: ${named}${others}`,
  };
}

/** What is said of an authority that would be replaced by now, were it not for a pause. */
function overdueStatement(state: AuthorityState, { policy, now }: TrustCircumstances): Statement | undefined {
  if (!policy.isPaused) return undefined;
  const dates = nextDates(state, policy);
  const overdue = rotationKinds.find((kind) => dates[kind] !== undefined && dates[kind].at <= now);
  const at = overdue === undefined ? undefined : dates[overdue]?.at;
  if (at === undefined) return undefined;
  return {
    type: trustConditionType,
    status: 'True',
    reason: 'Paused',
    message: `The ${overdue} should have been replaced on ${at.toISOString()}, which rotation.paused holds back`,
  };
}

/** `pod shop/cart-0 still trusts the previous root`. */
export function blockerText({ what, why }: Blocker): string {
  return `${what} ${why}`;
}

function expiredOf({ roots, intermediates }: AuthorityState, now: Date): string | undefined {
  if (factsOf(roots.current.certPem).notAfter <= now) {
    return `The root has ended on ${endOf(roots.current)}: nothing verifies any more. Replace it at once with: mesh-operator ca rotate --recover`;
  }
  if (factsOf(intermediates.current.certPem).notAfter <= now) {
    return `The intermediate has ended on ${endOf(intermediates.current)}: no certificate is renewed until it is replaced`;
  }
  return undefined;
}

function endOf({ certPem }: { readonly certPem: string }): string {
  return factsOf(certPem).notAfter.toISOString();
}

function followerStatus(state: AuthorityState, view: MemberView): TrustFollowerStatus {
  const { clusterName, absentSince, trouble } = view;
  return {
    ...{ clusterName, trustsRoot: trustsRoot(state, view) },
    ...(absentSince === undefined ? {} : { absentSince: absentSince.toISOString() }),
    ...(trouble === undefined ? {} : { message: trouble }),
  };
}

/** Whether everybody in a cluster was seen to trust the root that certificates here are issued by. */
function trustsRoot(state: AuthorityState, { statement }: MemberView): boolean {
  return statement?.trusted.includes(factsOf(signingRootOf(state).certPem).fingerprint) === true;
}

function memberStatus(state: AuthorityState, view: MemberView): TrustMemberStatus {
  const { clusterName, absentSince, trouble } = view;
  const known = state.exchange?.members.find((member) => member.clusterName === clusterName);
  const roots = known?.roots.map((certPem) => factsOf(certPem).fingerprint) ?? [];
  const accepted = state.exchange?.accepted ?? [];
  return {
    clusterName,
    trustsRoot: trustsRoot(state, view),
    isTrusted: roots.length > 0 && roots.every((each) => accepted.includes(each)),
    ...(absentSince === undefined ? {} : { absentSince: absentSince.toISOString() }),
    ...(trouble === undefined ? {} : { message: trouble }),
  };
}

function dueStatus({ at, reason }: NextDate) {
  return { at: at.toISOString(), reason };
}

function slotsStatus({ current, next, previous }: Slots<{ readonly certPem: string }>) {
  return {
    current: certificateStatus(current),
    ...(next === undefined ? {} : { next: certificateStatus(next) }),
    ...(previous === undefined ? {} : { previous: certificateStatus(previous) }),
  };
}

function certificateStatus({ certPem }: { readonly certPem: string }) {
  const { serial, fingerprint, notAfter } = factsOf(certPem);
  return { serial, fingerprint, notAfter: notAfter.toISOString() };
}

/** What waits for what changes from one look to the next; a phase, and what is wrong, is told at once. */
const countIntervalMs = 2_000;

/** How soon after the last write this change may be written, in milliseconds. */
export function leastStatusIntervalMs(before: StatusPart, after: StatusPart): number {
  const told = ({ certificateAuthority, conditions }: StatusPart) =>
    JSON.stringify([
      certificateAuthority?.phase,
      certificateAuthority?.lastRotation,
      conditions?.map(({ status, reason }) => [status, reason]),
    ]);
  return told(before) === told(after) ? countIntervalMs : 0;
}
