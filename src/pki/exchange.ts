import type { AuthorityState, Exchange, TrustMember } from './authority-state.ts';
import { factsOf } from './certificate-facts.ts';
import { ownRootOrder, rootOrderOf } from './istio-bundle.ts';
import { nextOrder, type RootOrder, turnedOrder, without } from './root-order.ts';
import type { TrustStatement } from './trust-statement.ts';

/** The roots that a cluster must trust in its phase: its own, and those of other clusters; each once. */
export function wantedRoots(state: AuthorityState): string[] {
  const foreign = state.exchange?.members.flatMap(({ roots }) => roots) ?? [];
  return without([...ownRootOrder(state), ...foreign], []);
}

/** Whether everybody here was seen to hold what istiod is given, and nothing else; true while nothing is exchanged. */
export function isSettled({ exchange }: AuthorityState): boolean {
  if (exchange === undefined) return true;
  const present = fingerprintsOf(exchange.order);
  return isSameSet(present, exchange.accepted) && isSameSet(present, exchange.held);
}

/** The state in which everybody here was seen so. */
export function settled(state: AuthorityState): AuthorityState {
  const { exchange } = state;
  if (exchange === undefined) return state;
  const present = fingerprintsOf(exchange.order);
  return { ...state, exchange: { ...exchange, accepted: present, held: present } };
}

/** The state that knows these members, whose roots are not given to istiod yet. */
export function withMembers(
  state: AuthorityState,
  members: readonly TrustMember[],
  now: Date,
): AuthorityState {
  const exchange = state.exchange ?? firstExchange(state, now);
  return { ...state, exchange: { ...exchange, members } };
}

/** The state in which istiod is given this text. */
export function withOrder(state: AuthorityState, order: RootOrder, now: Date): AuthorityState {
  const exchange = state.exchange ?? firstExchange(state, now);
  const present = fingerprintsOf(order);
  return {
    ...state,
    exchange: {
      ...exchange,
      order,
      since: now.toISOString(),
      accepted: exchange.accepted.filter((root) => present.includes(root)),
      held: [...new Set([...exchange.held, ...present])],
    },
  };
}

/**
 * The state of another phase, with the text by which istiod gets there; entering Signing changes it in any case, so that
 * proxies ask for certificates of the next intermediate.
 */
export function withPhaseOrder(before: AuthorityState, after: AuthorityState, now: Date): AuthorityState {
  if (after.exchange === undefined) return after;
  const { order } = after.exchange;
  const isToTurn = after.phase === 'Signing' && before.phase !== 'Signing';
  const next = nextOrder(order, wantedRoots(after)) ?? (isToTurn ? turnedOrder(order) : undefined);
  return next === undefined ? after : withOrder(after, next, now);
}

/** What a cluster says of itself beside its roots; `version` names what istiod is given. */
export type TrustSpeaker = Pick<
  TrustStatement,
  'clusterName' | 'meshID' | 'members' | 'version' | 'isCompromised'
>;

/** What this cluster says of its trust to the others. */
export function trustStatementOf(state: AuthorityState, about: TrustSpeaker): TrustStatement {
  const { phase, roots, intermediates, exchange } = state;
  const own = phase === 'Distrusting' ? [roots.current] : [roots.current, roots.next];
  const signers = [intermediates.current, intermediates.next, intermediates.previous];
  const pemsOf = (list: readonly ({ readonly certPem: string } | undefined)[]) =>
    list.filter((material) => material !== undefined).map(({ certPem }) => certPem);
  return {
    ...about,
    roots: pemsOf(own),
    trusted: exchange?.accepted ?? [],
    held: exchange?.held ?? fingerprintsOf(rootOrderOf(state)),
    signers: fingerprintsOf(pemsOf(signers)),
  };
}

function firstExchange(state: AuthorityState, now: Date): Exchange {
  const order = ownRootOrder(state);
  return { members: [], order, since: now.toISOString(), accepted: [], held: fingerprintsOf(order) };
}

function fingerprintsOf(certPems: RootOrder): string[] {
  return [...new Set(certPems.map((certPem) => factsOf(certPem).fingerprint))];
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return new Set(one).size === new Set(other).size && one.every((each) => other.includes(each));
}
