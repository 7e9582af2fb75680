import { describe, expect, test } from 'vitest';
import { authorityStatus, trustStatement } from '../../../../src/controllers/trust/trust-status.ts';
import { answer } from '../../../../src/pki/follower.ts';
import { istioBundleOf } from '../../../../src/pki/istio-bundle.ts';
import type { MemberView } from '../../../../src/pki/member-view.ts';
import { anAuthority, aPolicy, dayMs, later } from '../../../support/authority-states.ts';

const state = anAuthority();
const now = later(dayMs);
const policy = aPolicy();
const absentSince = later(0);
const trouble = `cannot be reached since ${absentSince.toISOString()}`;

const bundle = istioBundleOf(state);
const west: MemberView = {
  clusterName: 'west',
  statement: answer('west', {
    ...{ clusterName: 'east', meshID: 'shop', version: 'v1' },
    ...{ rootsPem: bundle['root-cert.pem'], signerPem: bundle['ca-cert.pem'] },
  }),
};
const gone: MemberView = { clusterName: 'gone', absentSince, trouble };

describe('what is said of clusters that follow the istiod of this one', () => {
  test('names each, and whether its proxies trust the root that signs', () => {
    const progress = { blockers: [], members: [], followers: [west, gone] };

    expect(authorityStatus(state, progress, policy).followers).toEqual([
      { clusterName: 'west', trustsRoot: true },
      { clusterName: 'gone', trustsRoot: false, absentSince: absentSince.toISOString(), message: trouble },
    ]);
    expect(authorityStatus(state, { ...progress, followers: [] }, policy)).not.toHaveProperty('followers');
  });

  test('has the condition name those that a rotation has left behind', () => {
    const healthy = (followers: readonly MemberView[]) =>
      trustStatement(state, { blockers: [], members: [], followers }, { policy, now });

    expect(healthy([west]).message).not.toContain('Not seen to trust');
    expect(healthy([west, gone])).toMatchObject({
      ...{ status: 'True', reason: 'Healthy' },
      message: expect.stringContaining('. Not seen to trust the root: cluster gone'),
    });
  });
});
