import { randomBytes } from 'node:crypto';
import { parseSlot, type SlotCertificate } from '../../src/controllers/admission/serving-slots.ts';
import { generateKeyPair } from '../../src/pki/key-pair.ts';
import { issueServingCertificate } from '../../src/pki/serving-certificate.ts';

/** The host that the certificates of these tests are for. */
export const servingHost = 'sidecar-injector.istio-system.svc';

export const day = 24 * 3_600_000;

/** A real serving certificate that ends at an instant. */
export async function aServingCertificate(
  notAfter: Date,
  { lifetimeMs = 90 * day, host = servingHost } = {},
): Promise<SlotCertificate> {
  const [authority, server] = await Promise.all([generateKeyPair('RSA-2048'), generateKeyPair('RSA-2048')]);
  const issued = issueServingCertificate({
    ...{ dnsNames: [host], now: new Date(notAfter.getTime() - lifetimeMs), lifetimeMs },
    ...{ keys: { authority, server }, random: randomBytes(32) },
  });
  const certificate = parseSlot(issued, host);
  if (certificate === undefined) throw new Error('the certificate does not fit together');
  return certificate;
}
