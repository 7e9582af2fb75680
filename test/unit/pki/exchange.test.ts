import { describe, expect, test } from 'vitest';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { decideExchange, isExchanging } from '../../../src/pki/decide-exchange.ts';
import {
  decideRotation,
  isCompromised,
  isSoakDecisive,
  type RotationInput,
  type RotationStep,
} from '../../../src/pki/decide-rotation.ts';
import { isSettled, settled, trustStatementOf, wantedRoots } from '../../../src/pki/exchange.ts';
import { memberBlockers } from '../../../src/pki/gates.ts';
import { rootOrderOf } from '../../../src/pki/istio-bundle.ts';
import { type MemberView, memberView } from '../../../src/pki/member-view.ts';
import { PhaseMemory } from '../../../src/pki/phase-memory.ts';
import { advanceRotation } from '../../../src/pki/rotation-steps.ts';
import { type TrustStatement, trustStatementText } from '../../../src/pki/trust-statement.ts';
import {
  anAuthority,
  aPolicy,
  aRotation,
  dayMs,
  everybodyDone,
  fingerprintOf,
  hourMs,
  later,
} from '../../support/authority-states.ts';

const now = later(dayMs);
const west = anAuthority({ rootLifetimeMs: 2900 * dayMs });
const westRoot = west.roots.current.certPem;

/** What cluster west says, and how it was heard. */
function aView(changes: Partial<TrustStatement> = {}, absentSince?: Date): MemberView {
  const about = { clusterName: 'west', meshID: 'mesh', members: ['east'], version: 'v1' };
  const text = trustStatementText({ ...trustStatementOf(west, about), ...changes });
  const heard = { clusterName: 'west', text, ...(absentSince === undefined ? {} : { absentSince }) };
  return memberView(heard, { clusterName: 'east', meshID: 'mesh' }, now);
}

/** No cluster follows this one. */
const alone = { policy: aPolicy(), followers: [] };

/** Takes every step between the clusters while everybody here does at once what is asked of them. */
function exchanged(state: AuthorityState, members: readonly MemberView[]): AuthorityState {
  let at = state;
  for (let count = 0; count < 8; count += 1) {
    const observed = everybodyDone(at);
    const next = decideExchange({ ...alone, state: at, members, observed, isSoaked: true, now });
    if (next === undefined) return at;
    at = next.state;
  }
  throw new Error('it does not come to rest');
}

const fingerprints = (state: AuthorityState) => [...new Set(rootOrderOf(state).map(fingerprintOf))].sort();

describe('an authority that has heard of another cluster', () => {
  test('trusts its roots, and writes down that everybody does', () => {
    const state = exchanged(anAuthority(), [aView()]);

    const both = wantedRoots(state).map(fingerprintOf).sort();
    expect(both).toContain(fingerprintOf(westRoot));
    expect(fingerprints(state)).toEqual(both);
    expect(isSettled(state)).toBe(true);
    expect(isExchanging(state, [aView()])).toBe(false);
    expect(
      trustStatementOf(state, { clusterName: 'east', meshID: 'mesh', members: ['west'], version: '' }),
    ).toMatchObject({ trusted: state.exchange?.accepted, held: state.exchange?.held });
  });

  test('changes nothing before every replica has loaded what there is', () => {
    const state = anAuthority();
    const observed = {
      ...everybodyDone(state),
      replicas: [{ pod: 'istio-system/istiod-0', rootNotAfter: 1 }],
    };

    const next = decideExchange({ ...alone, state, members: [aView()], observed, isSoaked: true, now });

    expect(next).toBeUndefined();
  });

  test('does not say that a root is held before the soak is over', () => {
    const state = anAuthority();
    const taken = decideExchange({
      ...{ ...alone, state },
      members: [aView()],
      observed: everybodyDone(state),
      isSoaked: true,
      now,
    });

    const next = decideExchange({
      ...{ ...alone, state: taken?.state as AuthorityState, members: [aView()], now },
      ...{ observed: everybodyDone(taken?.state as AuthorityState), isSoaked: false },
    });

    expect(next).toBeUndefined();
    expect(taken?.state.exchange?.accepted).not.toContain(fingerprintOf(westRoot));
  });

  test('adds none that is its own, and still says what everybody holds', () => {
    const own = anAuthority();
    const shared = { roots: [own.roots.current.certPem] };

    const state = exchanged(own, [aView(shared)]);

    expect(fingerprints(state)).toEqual([fingerprintOf(own.roots.current.certPem)]);
    expect(state.exchange?.accepted).toEqual(fingerprints(state));
  });

  test('keeps what it has taken while that cluster cannot be reached or says what cannot be read', () => {
    const state = exchanged(anAuthority(), [aView()]);
    const silent = { clusterName: 'west', trouble: 'cannot be reached' };

    expect(exchanged(state, [silent])).toBe(state);
    expect(
      exchanged(state, [
        memberView({ clusterName: 'west', text: '{' }, { clusterName: 'east', meshID: 'mesh' }, now),
      ]),
    ).toBe(state);
  });

  test('drops them when it is named no more, and says until then who may hold them', () => {
    const state = exchanged(anAuthority(), [aView()]);

    const dropped = exchanged(state, []);

    expect(fingerprints(dropped)).toEqual([fingerprintOf(state.roots.current.certPem)]);
    expect(dropped.exchange?.held).toEqual(fingerprints(dropped));
  });

  test('takes a root in the middle of a rotation, whose phase does not begin anew', () => {
    const trusting = aRotation('root', { state: exchanged(anAuthority(), [aView()]), now });
    const next = anAuthority({ rootLifetimeMs: 2800 * dayMs }).roots.current.certPem;

    const state = exchanged(trusting, [aView({ roots: [westRoot, next] })]);

    expect(fingerprints(state)).toContain(fingerprintOf(next));
    expect(state.exchange?.accepted).toContain(fingerprintOf(next));
    expect(state.rotation).toEqual(trusting.rotation);
  });

  test('cannot take one that ends with its own, which replicas could not show', () => {
    const own = anAuthority();
    const twin = anAuthority();
    const view = aView({ roots: [twin.roots.current.certPem] });

    const step = decideRotation({
      ...{ ...alone, state: own, request: undefined, members: [view], now },
      ...{ observed: everybodyDone(own), openForMs: undefined },
    });

    expect(step).toMatchObject({ step: 'wait', blockers: [{ what: 'the bundle' }] });
  });
});

describe('a rotation', () => {
  const settledEast = exchanged(anAuthority(), [aView()]);
  const trusting = settled(aRotation('root', { state: settledEast, now }));
  const next = fingerprintOf(trusting.roots.next?.certPem ?? '');
  const previous = fingerprintOf(trusting.roots.current.certPem);
  const signing = advanceRotation(trusting, later(dayMs + hourMs));
  const distrusting = exchanged(advanceRotation(signing, later(dayMs + 2 * hourMs)), [aView()]);

  test('waits in Trusting for a cluster that takes its roots to trust the next one', () => {
    expect(memberBlockers(trusting, [aView()])).toEqual([
      { gate: 'Members', what: 'cluster west', why: 'does not trust the next root yet' },
    ]);
    expect(memberBlockers(trusting, [aView({ trusted: [next] })])).toEqual([]);
    expect(memberBlockers(signing, [aView()])).toEqual([]);
  });

  test('waits in Distrusting until it holds the previous one no more', () => {
    expect(memberBlockers(distrusting, [aView({ held: [previous] })])).toEqual([
      { gate: 'Members', what: 'cluster west', why: 'still holds the previous root' },
    ]);
    expect(memberBlockers(distrusting, [aView()])).toEqual([]);
  });

  test('does not wait for a root to go that another cluster has as its own', () => {
    const shared = { roots: [trusting.roots.current.certPem], held: [previous] };
    const state = exchanged(distrusting, [aView(shared)]);

    expect(memberBlockers(state, [aView(shared)])).toEqual([]);
  });

  test('waits for none that does not take its roots, and for one that did and is away', () => {
    const away = { clusterName: 'west', trouble: 'cannot be reached since yesterday' };

    expect(memberBlockers(trusting, [aView({ members: [] })])).toEqual([]);
    expect(memberBlockers(trusting, [away])).toMatchObject([{ why: 'cannot be reached since yesterday' }]);
    expect(memberBlockers(aRotation('root'), [away])).toEqual([]);
  });

  test('goes by what a cluster that is away now has said before', () => {
    expect(memberBlockers(trusting, [aView({ trusted: [next] }, now)])).toEqual([]);
    expect(memberBlockers(trusting, [aView({}, now)])).toMatchObject([
      { why: `cannot be reached since ${now.toISOString()}` },
    ]);
  });

  test('goes on without it when the policy’s time is over, and says so', () => {
    const policy = aPolicy({ proceedAfterMs: hourMs });
    const decide = (at: Date) =>
      decideRotation({
        ...{ ...alone, state: trusting, policy, request: undefined, members: [aView()], now: at },
        ...{ observed: everybodyDone(trusting), openForMs: hourMs },
      });

    expect(decide(later(dayMs + hourMs - 1000))).toMatchObject({ step: 'wait', againInMs: 1000 });
    expect(decide(later(dayMs + hourMs))).toMatchObject({
      ...{ step: 'advance', state: { phase: 'Signing' } },
      leftBehind: [{ what: 'cluster west' }],
    });
  });

  test('soaks by its own policy, whatever another cluster has lost', () => {
    const lost = aView({ trusted: [next], isCompromised: true });

    expect(decideTogether(trusting, { members: [lost] })).toMatchObject({ step: 'soak' });
  });
});

describe('a cluster that another one tells that its key is known to others', () => {
  const taken = withOrderOf(anAuthority(), [aView()]);

  test('says without a soak what everybody here holds', () => {
    expect(decideTogether(taken, { members: [aView()] })).toMatchObject({ step: 'soak' });
    expect(decideTogether(taken, { members: [aView({ isCompromised: true })] })).toMatchObject({
      ...{ step: 'exchange', state: settled(taken), leftBehind: [] },
    });
  });

  test('hears it of a rotation for that reason, and of a request that waits for another one', () => {
    const rotating = aRotation('root');
    const lost = { ...rotating, rotation: { ...rotating.rotation, reason: 'KeyCompromise' } };

    expect(isCompromised(lost as AuthorityState, undefined)).toBe(true);
    expect(isCompromised(rotating, 'KeyCompromise/2')).toBe(true);
    expect(isCompromised(rotating, 'root/2')).toBe(false);
    expect(isCompromised({ ...rotating, answeredRequest: 'KeyCompromise/2' }, 'KeyCompromise/2')).toBe(false);
  });
});

describe('a cluster that follows the istiod of this one', () => {
  const trouble = 'cannot be reached since yesterday';
  const silent: MemberView = { clusterName: 'north', absentSince: now, trouble };
  const patient = aPolicy({ proceedAfterMs: hourMs });
  const trusting = aRotation('root', { now });
  const taken = withOrderOf(anAuthority(), [aView()]);

  test('is waited for until the policy’s time is over, and is told so', () => {
    const wait = { step: 'wait', blockers: [{ what: 'cluster north', why: trouble }] };
    expect(decideTogether(trusting, { followers: [silent], at: later(30 * dayMs) })).toMatchObject(wait);

    const told = `${trouble} (waited for until ${later(dayMs + hourMs).toISOString()})`;
    const asked = { followers: [silent], policy: patient };
    expect(decideTogether(trusting, { ...asked, at: later(dayMs + hourMs - 1000) })).toMatchObject({
      ...{ step: 'wait', againInMs: 1000, blockers: [{ why: told }] },
    });
    expect(
      decideTogether(trusting, { ...asked, at: later(dayMs + hourMs), openForMs: hourMs }),
    ).toMatchObject({
      ...{ step: 'advance', state: { phase: 'Signing' } },
      leftBehind: [{ gate: 'Followers', what: 'cluster north' }],
    });
  });

  test('keeps other clusters from being told that everybody here holds their roots, as long as the policy says', () => {
    const asked = { members: [aView()], followers: [silent], policy: patient, openForMs: hourMs };

    expect(decideTogether(taken, { ...asked, policy: aPolicy(), at: later(9 * dayMs) })).toMatchObject({
      ...{ step: 'wait', blockers: [{ what: 'cluster north' }] },
    });
    expect(decideTogether(taken, { ...asked, at: later(dayMs + hourMs - 1) }).step).toBe('wait');
    expect(decideTogether(taken, { ...asked, at: later(dayMs + hourMs) })).toMatchObject({
      ...{ step: 'exchange', state: settled(taken), leftBehind: [{ what: 'cluster north' }] },
    });
  });

  test('has the soak begin when it has answered, as other members do not', () => {
    const joined = settled(aRotation('root', { state: exchanged(anAuthority(), [aView()]), now }));
    const done = aView({ trusted: [fingerprintOf(joined.roots.next?.certPem ?? '')] });
    const openedBy = (member: MemberView, ...followers: readonly MemberView[]) => {
      const memory = new PhaseMemory(joined);
      memory.noteStep(decideTogether(joined, { members: [member], followers }), 0);
      return memory.openForMs(hourMs);
    };

    expect(openedBy(done)).toBe(hourMs);
    expect(openedBy(done, silent)).toBeUndefined();
    expect(openedBy(aView())).toBe(hourMs);
    expect(openedBy(aView(), silent)).toBeUndefined();
  });

  test('has no proxies asked again while nothing follows of it', () => {
    const input = { policy: aPolicy(), members: [], followers: [silent], now };

    expect(isSoakDecisive({ ...input, state: trusting })).toBe(false);
    expect(isSoakDecisive({ ...input, state: trusting, followers: [] })).toBe(true);
    expect(isSoakDecisive({ ...input, state: taken })).toBe(false);
    expect(isSoakDecisive({ ...input, state: taken, followers: [] })).toBe(true);
  });
});

/** The state in which istiod has just been given the roots of others. */
function withOrderOf(state: AuthorityState, members: readonly MemberView[]): AuthorityState {
  const observed = everybodyDone(state);
  const step = decideExchange({ ...alone, state, members, observed, isSoaked: true, now });
  if (step === undefined) throw new Error('it takes no roots');
  return step.state;
}

/** What an authority decides where everybody in this cluster is done. */
function decideTogether(
  state: AuthorityState,
  {
    at = now,
    ...changes
  }: Partial<Pick<RotationInput, 'policy' | 'members' | 'followers' | 'openForMs'>> & {
    readonly at?: Date;
  },
): RotationStep {
  return decideRotation({
    ...{ ...alone, state, request: undefined, members: [], now: at },
    ...{ observed: everybodyDone(state), openForMs: undefined },
    ...changes,
  });
}
