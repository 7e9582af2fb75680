import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { factsOf, splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { FastAuthority } from '../../support/fast-authority.ts';

const now = new Date('2026-01-10T12:00:00Z');

describe('the facts of a certificate', () => {
  test('are its fingerprint and serial in lower case, and when it is valid', () => {
    const { certPem } = new FastAuthority().root({ now, lifetimeMs: 3_600_000 });

    const facts = factsOf(certPem);

    const { fingerprint256, serialNumber } = new X509Certificate(certPem);
    expect(facts).toEqual({
      fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
      serial: serialNumber.toLowerCase(),
      notBefore: new Date('2026-01-10T11:55:00Z'),
      notAfter: new Date('2026-01-10T13:00:00Z'),
    });
  });

  test('are read once for a text', () => {
    const { certPem } = new FastAuthority().root({ now, lifetimeMs: 3_600_000 });

    expect(factsOf(certPem)).toBe(factsOf(`${certPem}`));
  });

  test('are refused for what is no certificate', () => {
    expect(() => factsOf('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toThrow();
  });
});

describe('a bundle', () => {
  test('is split into its certificates, whatever is between them', () => {
    const issuer = new FastAuthority();
    const [first, second] = [1, 2].map(() => issuer.root({ now, lifetimeMs: 1000 }).certPem) as [
      string,
      string,
    ];

    expect(splitCertificates(`# the old one\n${first}\n\n# the new one\n${second}`)).toEqual([first, second]);
  });

  test('may lack the last line break', () => {
    const { certPem } = new FastAuthority().root({ now, lifetimeMs: 1000 });

    expect(splitCertificates(certPem.trimEnd())).toEqual([certPem]);
  });
});
