import { beforeAll, describe, expect, it } from 'vitest';
import { planCertificate, settleMs } from '../../../../src/controllers/admission/plan-certificate.ts';
import type { SlotCertificate } from '../../../../src/controllers/admission/serving-slots.ts';
import { aServingCertificate, day } from '../../../support/serving-certificates.ts';

const now = new Date('2026-06-01T00:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * day);

let fresh: SlotCertificate;
let due: SlotCertificate;
let expired: SlotCertificate;

beforeAll(async () => {
  [fresh, due, expired] = await Promise.all([
    aServingCertificate(inDays(90)),
    aServingCertificate(inDays(30)),
    aServingCertificate(inDays(-1)),
  ]);
});

const plan = (facts: Partial<Parameters<typeof planCertificate>[0]>) =>
  planCertificate({ slots: {}, now, isServing: true, nextTrustedForMs: undefined, ...facts });

describe('planCertificate', () => {
  it('makes the first certificate at once: nobody serves yet', () => {
    expect(plan({ isServing: false })).toEqual({ kind: 'issue', slot: 'current' });
  });

  it('waits until a third of the lifetime is left', () => {
    expect(plan({ slots: { current: fresh } })).toEqual({ kind: 'wait', forMs: 60 * day });
  });

  it('prepares a successor then, and does not use it before every webhook trusts it', () => {
    expect(plan({ slots: { current: due } })).toEqual({ kind: 'issue', slot: 'next' });
    const prepared = { slots: { current: due, next: fresh } };
    expect(plan(prepared)).toEqual({ kind: 'wait', forMs: settleMs });
    expect(plan({ ...prepared, nextTrustedForMs: settleMs - 1 })).toEqual({ kind: 'wait', forMs: 1 });
    expect(plan({ ...prepared, nextTrustedForMs: settleMs })).toEqual({ kind: 'switch' });
  });

  it('prepares a successor as well when somebody has deleted the Secret of replicas that serve', () => {
    expect(plan({ slots: {} })).toEqual({ kind: 'issue', slot: 'next' });
    expect(plan({ slots: { next: fresh } })).toEqual({ kind: 'wait', forMs: settleMs });
  });

  it('does not wait for anybody when nobody can serve: an expired certificate is replaced at once', () => {
    expect(plan({ slots: { current: expired }, isServing: false })).toEqual({
      kind: 'issue',
      slot: 'current',
    });
    expect(plan({ slots: { current: expired, next: fresh }, isServing: false })).toEqual({ kind: 'switch' });
  });

  it('makes another successor when the prepared one has expired meanwhile', () => {
    expect(plan({ slots: { current: due, next: expired } })).toEqual({ kind: 'issue', slot: 'next' });
  });
});
