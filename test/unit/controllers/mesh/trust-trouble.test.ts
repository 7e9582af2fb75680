import { expect, test } from 'vitest';
import type { Condition } from '../../../../src/api/mesh-operator-status.ts';
import { trustTrouble } from '../../../../src/controllers/mesh/trust-trouble.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

function troubleOf(condition: Partial<Condition>): string | undefined {
  const conditions = [{ type: 'TrustHealthy', status: 'False', message: 'why', ...condition }];
  return trustTrouble({ ...aMeshOperator({}), status: { conditions } } as never);
}

test('an authority that istiod has no certificates of is why it does not start', () => {
  expect(troubleOf({ reason: 'MaterialRefused' })).toBe('TrustHealthy says why (MaterialRefused): why');
  expect(troubleOf({ reason: 'OrderWaiting', status: 'Unknown' })).toContain('(OrderWaiting)');
});

test('an authority in order, one whose rotation is held, and none at all are not', () => {
  expect(troubleOf({ reason: 'Healthy', status: 'True' })).toBeUndefined();
  expect(troubleOf({ reason: 'Blocked' })).toBeUndefined();
  expect(trustTrouble(aMeshOperator({}) as never)).toBeUndefined();
  expect(trustTrouble(undefined)).toBeUndefined();
});
