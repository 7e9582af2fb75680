import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleTrusts, determineCaBundle } from '../../../../src/controllers/admission/ca-bundle.ts';
import type { SlotCertificate } from '../../../../src/controllers/admission/serving-slots.ts';
import { generateKeyPair } from '../../../../src/pki/key-pair.ts';
import { issueServingCertificate } from '../../../../src/pki/serving-certificate.ts';
import { aServingCertificate, day, servingHost } from '../../../support/serving-certificates.ts';
import { TestAuthority } from '../../../support/serving-files.ts';

const now = new Date('2026-06-01T00:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * day);

let current: SlotCertificate;
let next: SlotCertificate;
let expired: SlotCertificate;

beforeAll(async () => {
  [current, next, expired] = await Promise.all([
    aServingCertificate(inDays(30)),
    aServingCertificate(inDays(90)),
    aServingCertificate(inDays(-1)),
  ]);
});

describe('determineCaBundle', () => {
  it('trusts a successor beside what is trusted already', () => {
    const bundle = determineCaBundle(current.caPem, [current.caPem, next.caPem], now);

    expect(bundleTrusts(bundle, current.caPem)).toBe(true);
    expect(bundleTrusts(bundle, next.caPem)).toBe(true);
  });

  it('keeps an authority that nothing is known of any more, while its certificate may be shown', () => {
    expect(bundleTrusts(determineCaBundle(current.caPem, [next.caPem], now), current.caPem)).toBe(true);
  });

  it('drops an authority once it has expired, and what it signed with it', () => {
    expect(determineCaBundle(`${expired.caPem}${current.caPem}`, [next.caPem], now)).toBe(
      determineCaBundle(current.caPem, [next.caPem], now),
    );
  });

  it('drops what is not ours and what is no certificate', async () => {
    const foreign = await TestAuthority.create();
    const broken = '-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n';
    const observed = `nonsense ${foreign.caPem}${broken}${current.caPem}`;
    await foreign.remove();

    expect(determineCaBundle(observed, [current.caPem], now)).toBe(
      determineCaBundle('', [current.caPem], now),
    );
  });

  it('keeps no more than an API server can store: the newest and those in use', async () => {
    const keys = { authority: await generateKeyPair('RSA-2048'), server: await generateKeyPair('RSA-2048') };
    const lifetimeMs = 90 * day;
    const rotations = Array.from({ length: 60 }, () =>
      issueServingCertificate({ dnsNames: [servingHost], now, lifetimeMs, keys, random: randomBytes(32) }),
    );

    const bundle = rotations.reduce(
      (before, { caPem }) => determineCaBundle(before, [current.caPem, caPem], now),
      '',
    );

    expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(48);
    expect(bundleTrusts(bundle, current.caPem)).toBe(true);
    expect(rotations.slice(-40).every(({ caPem }) => bundleTrusts(bundle, caPem))).toBe(true);
    expect(determineCaBundle(bundle, [current.caPem], now)).toBe(bundle);
  });

  it('names each authority once and stays as it is when nothing changes', () => {
    const once = determineCaBundle('', [current.caPem, next.caPem], now);

    expect(determineCaBundle(`${once}${once}`, [next.caPem, current.caPem], now)).toBe(once);
  });
});
