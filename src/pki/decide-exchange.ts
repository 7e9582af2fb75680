import { lapseOf } from './authority-life.ts';
import type { AuthorityState } from './authority-state.ts';
import { isSettled, settled, wantedRoots, withMembers, withOrder } from './exchange.ts';
import { type Blocker, followerBlockers, phaseBlockers, replicaBlockers } from './gates.ts';
import { rootOrderOf } from './istio-bundle.ts';
import { heardMembers, type MemberView } from './member-view.ts';
import type { ObservedTrust } from './observed-trust.ts';
import { type Holders, holdersOf } from './patience.ts';
import { isShown, nextOrder } from './root-order.ts';
import type { RotationPolicy } from './rotation-policy.ts';

export interface ExchangeInput {
  readonly state: AuthorityState;
  readonly policy: Pick<RotationPolicy, 'proceedAfterMs'>;
  readonly members: readonly MemberView[];
  /** The clusters that follow the istiod of this one: what is said of everybody here is said of their proxies as well. */
  readonly followers: readonly MemberView[];
  readonly observed: ObservedTrust | undefined;
  /** Whether every gate of this cluster has been open for the soak. */
  readonly isSoaked: boolean;
  readonly now: Date;
}

/** The next thing between this cluster and others. */
export interface ExchangeStep {
  readonly state: AuthorityState;
  /** Followers of which it is said that they hold what they were not seen to hold. */
  readonly leftBehind: readonly Blocker[];
}

/**
 * The state in which the next thing has happened between this cluster and others, whatever phase it is in; undefined
 * when there is nothing, or not yet. Roots of others come as soon as they are heard of and go as soon as they are not
 * asked for any more, but no text follows one that a replica has not loaded. What is seen to be held everywhere is
 * written down, since the others wait for it.
 */
export function decideExchange(input: ExchangeInput): ExchangeStep | undefined {
  const { state, members, observed, isSoaked, now } = input;
  if (lapseOf(state, now) !== undefined) return undefined;
  const heard = withHeard(state, members, now);
  const order = pendingOrder(heard);
  if (order === undefined) {
    if (heard !== state) return { state: heard, leftBehind: [] };
    const isAccepted = isSoaked && observed !== undefined && phaseBlockers(state, observed).length === 0;
    const { waitedFor, leftBehind } = exchangeHolders(input);
    const isSaid = isAccepted && waitedFor.length === 0 && !isSettled(state);
    return isSaid ? { state: settled(state), leftBehind } : undefined;
  }
  const isLoaded = observed !== undefined && replicaBlockers(state, observed.replicas).length === 0;
  if (!isLoaded || !isShown(rootOrderOf(state), order)) return undefined;
  return { state: withOrder(heard, order, now), leftBehind: [] };
}

/** The followers for which this cluster does not say yet that everybody holds what istiod is given. */
export function exchangeHolders({
  state,
  policy,
  followers,
  now,
}: Pick<ExchangeInput, 'state' | 'policy' | 'followers' | 'now'>): Holders {
  const shut = isSettled(state) ? [] : followerBlockers(state, followers);
  return holdersOf(shut, state.exchange?.since, policy.proceedAfterMs, now);
}

/** Whether something happens between this cluster and others, so that the mesh must be looked at. */
export function isExchanging(state: AuthorityState, members: readonly MemberView[]): boolean {
  const heard = withHeard(state, members, new Date(0));
  return heard !== state || !isSettled(state) || pendingOrder(heard) !== undefined;
}

/** Why a root of another cluster does not come or go although every replica has loaded what there is. */
export function pendingBlockers(state: AuthorityState, members: readonly MemberView[]): Blocker[] {
  if (pendingOrder(withHeard(state, members, new Date(0))) === undefined) return [];
  const why =
    'cannot change: all roots of the clusters end in the same second, by which replicas show what they have loaded. Replace one with: mesh-operator ca rotate';
  return [{ gate: 'Bundles', what: 'the bundle', why }];
}

/** The same state where nothing else was heard. */
function withHeard(state: AuthorityState, members: readonly MemberView[], now: Date): AuthorityState {
  const heard = heardMembers(state, members);
  const isKnown = JSON.stringify(heard) === JSON.stringify(state.exchange?.members ?? []);
  return isKnown ? state : withMembers(state, heard, now);
}

function pendingOrder(state: AuthorityState) {
  return nextOrder(rootOrderOf(state), wantedRoots(state));
}
