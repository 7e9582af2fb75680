import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { IssuedServingCertificate } from '../../pki/serving-certificate.ts';

/** A serving certificate of a Secret that fits together: leaf, its key, its authority and its name. */
export interface SlotCertificate extends IssuedServingCertificate {
  readonly notAfter: Date;
  /** SHA-256 of the leaf, hexadecimal. */
  readonly fingerprint: string;
}

/** The certificates of a serving Secret; a slot whose content is of no use counts as empty. */
export interface ServingSlots {
  /** What the injector's pods mount. */
  readonly current?: SlotCertificate;
  /** What they will mount once every API server may trust it. */
  readonly next?: SlotCertificate;
}

const slotKeys = {
  current: { cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt' },
  next: { cert: 'next.crt', key: 'next.key', ca: 'next-ca.crt' },
} as const;

/** The slots of a Secret; each only when it serves under `host`. An expired certificate is kept: its dates say so. */
export function readServingSlots(secret: KubernetesObject | undefined, host: string): ServingSlots {
  const data = secret !== undefined && isRecord(secret.data) ? secret.data : {};
  const read = (slot: keyof typeof slotKeys) => {
    const { cert, key, ca } = slotKeys[slot];
    return parseSlot(
      { certPem: textOf(data[cert]), keyPem: textOf(data[key]), caPem: textOf(data[ca]) },
      host,
    );
  };
  const [current, next] = [read('current'), read('next')];
  return { ...(current === undefined ? {} : { current }), ...(next === undefined ? {} : { next }) };
}

/** What the slots are in a Secret's `data`: base64. */
export function servingSecretData(slots: {
  readonly current?: IssuedServingCertificate | undefined;
  readonly next?: IssuedServingCertificate | undefined;
}): Record<string, string> {
  const data: Record<string, string> = {};
  for (const slot of ['current', 'next'] as const) {
    const certificate = slots[slot];
    if (certificate === undefined) continue;
    data[slotKeys[slot].cert] = base64(certificate.certPem);
    data[slotKeys[slot].key] = base64(certificate.keyPem);
    data[slotKeys[slot].ca] = base64(certificate.caPem);
  }
  return data;
}

/** The certificate with what its leaf says; undefined when the parts do not fit together. */
export function parseSlot(issued: IssuedServingCertificate, host: string): SlotCertificate | undefined {
  try {
    const leaf = new X509Certificate(issued.certPem);
    const authority = new X509Certificate(issued.caPem);
    const isWhole =
      leaf.checkPrivateKey(createPrivateKey(issued.keyPem)) &&
      leaf.checkIssued(authority) &&
      leaf.verify(authority.publicKey) &&
      leaf.checkHost(host) !== undefined;
    return isWhole
      ? { ...issued, notAfter: leaf.validToDate, fingerprint: leaf.fingerprint256.replaceAll(':', '') }
      : undefined;
  } catch {
    // Nothing of a key may get into a message: whoever finds the slot empty fills it anew.
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '';
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
