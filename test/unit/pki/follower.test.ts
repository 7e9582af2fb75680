import { describe, expect, test } from 'vitest';
import { factsOf } from '../../../src/pki/certificate-facts.ts';
import { answer, type FollowedBundle, followerBlockers, openStatement } from '../../../src/pki/follower.ts';
import type { ObservedProxy } from '../../../src/pki/observed-trust.ts';
import { anAuthority } from '../../support/authority-states.ts';

const [old, next] = [anAuthority(), anAuthority()];
const rootOf = ({ roots }: typeof old) => roots.current.certPem;
const signerOf = ({ intermediates }: typeof old) => intermediates.current.certPem;
const print = (certPem: string) => factsOf(certPem).fingerprint;

function bundle(version: string, roots: readonly (typeof old)[], signer = old): FollowedBundle {
  return {
    ...{ clusterName: 'east', meshID: 'shop', version },
    ...{ rootsPem: roots.map(rootOf).join(''), signerPem: signerOf(signer) },
  };
}

function proxy(roots: readonly (typeof old)[], signer = old, problem?: string): ObservedProxy {
  return {
    ...{ pod: 'app/client', roots: new Set(roots.map((one) => print(rootOf(one)))) },
    ...{ signer: print(signerOf(signer)), ...(problem === undefined ? {} : { problem }) },
  };
}

const stable = answer('west', bundle('v1', [old]));

describe('a cluster that follows the istiod of another one', () => {
  test('answers a version with what all its proxies trust and carry', () => {
    expect(answer('west', bundle('v2', [next, old, old]))).toEqual({
      ...{ clusterName: 'west', meshID: 'shop', members: ['east'], roots: [] },
      ...{ version: 'v2', answers: 'v2' },
      trusted: [print(rootOf(next)), print(rootOf(old))],
      held: [print(rootOf(next)), print(rootOf(old))],
      signers: [print(signerOf(old))],
    });
  });

  test('does not answer while it is told something else, and says that both may be held', () => {
    const said = openStatement('west', stable, bundle('v2', [next], next));

    expect(said).toMatchObject({ version: 'v1', answers: 'v1', trusted: [] });
    expect(said.held).toEqual([print(rootOf(old)), print(rootOf(next))]);
    expect(said.signers).toEqual([print(signerOf(old)), print(signerOf(next))]);
  });

  test('has answered nothing before it was asked anything', () => {
    expect(openStatement('west', undefined, bundle('v1', [old]))).not.toHaveProperty('answers');
  });

  test.each<{ readonly what: string; readonly observed: ObservedProxy; readonly why: string | undefined }>([
    { what: 'follows', observed: proxy([next], next), why: undefined },
    {
      what: 'does not trust the new root',
      observed: proxy([old], next),
      why: 'does not trust a root that is to be trusted',
    },
    {
      what: 'still trusts the old root',
      observed: proxy([old, next], next),
      why: 'still trusts the previous root',
    },
    {
      what: 'has a certificate of the old intermediate',
      observed: proxy([next], old),
      why: 'still has a certificate of another intermediate',
    },
    { what: 'cannot be asked', observed: proxy([next], next, 'cannot be asked'), why: 'cannot be asked' },
  ])('waits for a proxy unless it follows: one that $what', ({ observed, why }) => {
    const wanted = bundle('v2', [next], next);
    const blockers = followerBlockers(wanted, openStatement('west', stable, wanted), [observed]);

    expect(blockers).toEqual(why === undefined ? [] : [{ gate: 'Proxies', what: 'pod app/client', why }]);
  });

  test('does not mind a root that nobody has told it of', () => {
    const other = anAuthority();
    const wanted = bundle('v2', [next], next);

    expect(
      followerBlockers(wanted, openStatement('west', stable, wanted), [proxy([next, other], next)]),
    ).toEqual([]);
  });
});
