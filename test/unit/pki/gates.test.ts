import { describe, expect, test } from 'vitest';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { answer, type FollowedBundle } from '../../../src/pki/follower.ts';
import { followerBlockers, phaseBlockers, replicaBlockers } from '../../../src/pki/gates.ts';
import { istioBundleOf, versionOfBundle } from '../../../src/pki/istio-bundle.ts';
import type { MemberView } from '../../../src/pki/member-view.ts';
import type { ObservedTrust } from '../../../src/pki/observed-trust.ts';
import { renewSigner } from '../../../src/pki/rotation-steps.ts';
import {
  aRotation,
  dayMs,
  everybodyDone,
  fingerprintOf,
  later,
  newMaterialFor,
  rootRotation,
} from '../../support/authority-states.ts';

const { before, trusting, signing, distrusting } = rootRotation();
const intermediateOnly = aRotation('intermediate');
const phases: [string, AuthorityState][] = [
  ['Trusting', trusting],
  ['Signing', signing],
  ['Distrusting', distrusting],
  ['Signing of an intermediate alone', intermediateOnly],
];
const rootNames = (...states: AuthorityState[]) =>
  new Set(states.map(({ roots }) => fingerprintOf(roots.current.certPem)));
const old = rootNames(before);
const both = rootNames(before, distrusting);
const oldSigner = fingerprintOf(before.intermediates.current.certPem);

describe('the gates of a phase', () => {
  test.each(phases)('are open in %s when everybody is where it wants them', (_name, state) => {
    expect(phaseBlockers(state, everybodyDone(state))).toEqual([]);
  });

  test.each([
    ['Trusting', before, trusting],
    ['Signing', trusting, signing],
    ['Distrusting', signing, distrusting],
    ['Signing of an intermediate alone', before, signing],
  ])('are shut in %s for a replica that has what the phase before had', (_name, was, state) => {
    const { replicas } = everybodyDone(was);

    expect(phaseBlockers(state, { ...everybodyDone(state), replicas })).toEqual([
      {
        gate: 'Replicas',
        what: 'pod istio-system/istiod-0',
        why: 'has not loaded the bundle of this phase yet',
      },
    ]);
  });

  test('name a replica that could not be asked, and why', () => {
    const replicas = [{ pod: 'istio-system/istiod-1', problem: 'cannot be reached' }];

    expect(replicaBlockers(trusting, replicas)).toEqual([
      { gate: 'Replicas', what: 'pod istio-system/istiod-1', why: 'cannot be reached' },
    ]);
  });

  test.each([
    ['lacks the next root', trusting, old, 'lacks a root that is to be trusted'],
    [
      'lacks the root that signed before',
      signing,
      rootNames(distrusting),
      'lacks a root that is to be trusted',
    ],
    ['keeps the previous root', distrusting, both, 'still holds the previous root'],
  ])('are shut for a copy of the bundle that %s', (_what, state, roots, why) => {
    const bundles = [{ where: 'ConfigMap shop/istio-ca-root-cert', roots }];

    expect(phaseBlockers(state, { ...everybodyDone(state), bundles })).toEqual([
      { gate: 'Bundles', what: 'ConfigMap shop/istio-ca-root-cert', why },
    ]);
  });

  test.each([
    ['does not know the next root', trusting, { roots: old }, 'does not trust a root that is to be trusted'],
    [
      'has a leaf of before',
      signing,
      { roots: both, signer: oldSigner },
      'still has a certificate of another intermediate',
    ],
    [
      'has a leaf of nobody we know',
      signing,
      { roots: both },
      'still has a certificate of another intermediate',
    ],
    ['trusts the previous root', distrusting, { roots: both }, 'still trusts the previous root'],
    [
      'cannot be asked',
      distrusting,
      { roots: new Set<string>(), problem: 'cannot be asked: gone' },
      'cannot be asked: gone',
    ],
  ])('are shut for a proxy that %s', (_what, state, proxy, why) => {
    const proxies = [{ pod: 'shop/cart-0', ...proxy }];

    expect(phaseBlockers(state, { ...everybodyDone(state), proxies })).toEqual([
      { gate: 'Proxies', what: 'pod shop/cart-0', why },
    ]);
  });

  test('do not ask for a new leaf before anything new signs', () => {
    const proxies = [{ pod: 'shop/cart-0', roots: both, signer: oldSigner }];

    expect(phaseBlockers(trusting, { ...everybodyDone(trusting), proxies })).toEqual([]);
  });

  test('are shut while proxies have not been asked', () => {
    const { proxies: _proxies, ...unasked } = everybodyDone(trusting);

    expect(phaseBlockers(trusting, unasked)).toEqual([
      { gate: 'Proxies', what: 'the proxies', why: 'have not been asked yet' },
    ]);
  });

  test('do not count what proxies say while a replica could still take it back', () => {
    const observed: ObservedTrust = {
      ...everybodyDone(trusting),
      replicas: everybodyDone(before).replicas,
      proxies: [{ pod: 'shop/cart-0', roots: old }],
    };

    expect(phaseBlockers(trusting, observed).map(({ gate }) => gate)).toEqual(['Replicas']);
  });

  test('ask anew of everybody when the signer of the phase is renewed', () => {
    const { intermediate } = newMaterialFor(distrusting, 'intermediate', later(3 * dayMs));
    const renewed = renewSigner(distrusting, intermediate, later(3 * dayMs));

    const { replicas, proxies } = everybodyDone(distrusting);
    expect(phaseBlockers(renewed, { ...everybodyDone(renewed), replicas })).toHaveLength(1);
    expect(
      phaseBlockers(renewed, { ...everybodyDone(renewed), ...(proxies ? { proxies } : {}) }),
    ).toHaveLength(1);
  });
});

describe('a cluster that follows the istiod of this one', () => {
  const bundleOf = (state: AuthorityState): FollowedBundle => {
    const bundle = istioBundleOf(state);
    return {
      ...{ clusterName: 'east', meshID: 'shop', version: versionOfBundle(bundle) },
      ...{ rootsPem: bundle['root-cert.pem'], signerPem: bundle['ca-cert.pem'] },
    };
  };
  const follower = (view: Partial<MemberView> = {}): MemberView => ({ clusterName: 'west', ...view });
  const held = (state: AuthorityState, view: MemberView) => followerBlockers(state, [view]);

  test.each(phases)('holds %s until it has answered the bundle of that phase', (_name, state) => {
    const statement = answer('west', bundleOf(state));

    expect(held(state, follower({ statement }))).toEqual([]);
    expect(held(state, follower({ statement: { ...statement, answers: 'another' } }))).toEqual([
      { gate: 'Followers', what: 'cluster west', why: 'has not answered for its proxies yet' },
    ]);
    expect(held(state, follower())).toHaveLength(1);
  });

  test('holds a phase as its proxies are, whatever it has answered', () => {
    const trusts = { ...answer('west', bundleOf(trusting)), trusted: [...old] };
    const holds = { ...answer('west', bundleOf(distrusting)), held: [...both] };
    const carries = { ...answer('west', bundleOf(signing)), signers: [oldSigner] };

    expect(held(trusting, follower({ statement: trusts }))).toMatchObject([
      { why: 'does not trust a root that is to be trusted' },
    ]);
    expect(held(distrusting, follower({ statement: holds }))).toMatchObject([
      { why: 'still holds the previous root' },
    ]);
    expect(held(signing, follower({ statement: carries }))).toMatchObject([
      { why: 'still has certificates of another intermediate' },
    ]);
  });

  test('holds nothing that it has answered while it is away, and says so of what it has not', () => {
    const away = { absentSince: later(0), trouble: 'cannot be reached' };
    const statement = answer('west', bundleOf(trusting));

    expect(held(trusting, follower({ ...away, statement }))).toEqual([]);
    expect(held(signing, follower({ ...away, statement }))).toMatchObject([{ why: 'cannot be reached' }]);
  });
});
