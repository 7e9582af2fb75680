import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TerminalError } from '../../../src/base/errors.ts';
import { expiryProblem, parseServingCertificate } from '../../../src/servers/serving-certificate.ts';

describe('a serving certificate', () => {
  test('is of no use from the instant at which it ends', () => {
    const notAfter = new Date('2026-03-01T00:00:00Z');

    expect(expiryProblem({ notAfter }, new Date('2026-02-28T23:59:59Z'))).toBeUndefined();
    expect(expiryProblem({ notAfter }, notAfter)).toBe('expired at 2026-03-01T00:00:00.000Z');
  });

  test.each([
    ['nothing', ''],
    ['text', 'certificate'],
    ['PEM of something else', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('is refused when it is %s, without a word of the key', (_name, cert) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const read = () => parseServingCertificate(cert, key);

    expect(read).toThrow(TerminalError);
    expect(read).toThrow('tls.crt is not PEM that can be used');
  });
});
