import { beforeAll, describe, expect, it } from 'vitest';
import {
  readServingSlots,
  type SlotCertificate,
  servingSecretData,
} from '../../../../src/controllers/admission/serving-slots.ts';
import { aServingCertificate, day, servingHost } from '../../../support/serving-certificates.ts';

const secretOf = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'sidecar-injector-tls' },
  data,
});

let one: SlotCertificate;
let other: SlotCertificate;

beforeAll(async () => {
  const notAfter = new Date(Date.now() + day);
  [one, other] = await Promise.all([aServingCertificate(notAfter), aServingCertificate(notAfter)]);
});

describe('the slots of a serving Secret', () => {
  it('are read as they were written', () => {
    const secret = secretOf(servingSecretData({ current: one, next: other }));

    expect(readServingSlots(secret, servingHost)).toEqual({ current: one, next: other });
  });

  it('are empty without a Secret, and where nothing is in them', () => {
    expect(readServingSlots(undefined, servingHost)).toEqual({});
    expect(readServingSlots(secretOf(servingSecretData({ next: other })), servingHost)).toEqual({
      next: other,
    });
  });

  it.each([
    ['the key of another certificate', () => ({ ...one, keyPem: other.keyPem })],
    ['an authority that did not sign it', () => ({ ...one, caPem: other.caPem })],
    ['text that is no PEM', () => ({ ...one, certPem: 'x' })],
    ['a key that is no PEM', () => ({ ...one, keyPem: 'x' })],
  ])('count as empty with %s', (_what, broken) => {
    expect(readServingSlots(secretOf(servingSecretData({ current: broken() })), servingHost)).toEqual({});
  });

  it('count as empty when the certificate is for another name', () => {
    const secret = secretOf(servingSecretData({ current: one }));

    expect(readServingSlots(secret, 'sidecar-injector-canary.istio-system.svc')).toEqual({});
  });
});
