import { randomBytes } from 'node:crypto';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { managedByLabel, managedBySelector, managedByValue } from '../../api/labels.ts';
import { isRecord } from '../../base/stable-json.ts';
import { type ServingSlots, servingSecretData } from './serving-slots.ts';

const nameLabel = 'app.kubernetes.io/name';
const secretsLabel = 'mesh-operator-admission';

/** Selects the Secrets of the operator's own webhooks. */
export const ownSecretsSelector = `${managedBySelector},${nameLabel}=${secretsLabel}`;
/** Names of these Secrets, in the operator's namespace. */
export const ownCertificateName = 'mesh-operator-admission-tls';
export const authorKeyName = 'mesh-operator-author-key';

const keyBytes = 32;

/** The Secret with the serving certificate of the operator's own webhooks, for server-side apply. */
export function ownCertificateSecret(namespace: string, slots: ServingSlots): KubernetesObject {
  return secretOf(namespace, ownCertificateName, servingSecretData(slots));
}

/** A Secret with a new key that authors are sealed with. */
export function newAuthorKeySecret(namespace: string): KubernetesObject {
  return secretOf(namespace, authorKeyName, { key: randomBytes(keyBytes).toString('base64') });
}

/** The key in such a Secret; undefined when there is none, or what is there is of no use. */
export function authorKeyIn(secret: KubernetesObject | undefined): Uint8Array | undefined {
  const { key } = secret !== undefined && isRecord(secret.data) ? secret.data : {};
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : undefined;
  return bytes !== undefined && bytes.length >= keyBytes ? bytes : undefined;
}

function secretOf(namespace: string, name: string, data: Record<string, string>): KubernetesObject {
  const labels = { [nameLabel]: secretsLabel, [managedByLabel]: managedByValue };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, type: 'Opaque', data };
}
