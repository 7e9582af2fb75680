import { createPrivateKey } from 'node:crypto';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { isRecord } from '../base/stable-json.ts';

const removed = (what: string) => `[removed: ${what}]`;

/** Holds a copy of the whole object, the data of a Secret included. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Names of fields and variables whose text is nobody's business. */
const secretName = /passw(or)?d|secret|token|credential|private|api[-_]?key|authorization/i;

/** Names that say where a secret is, not what it is. */
const referenceName = /(name|ref|refs|path|file|policy|mount|type|audience|seconds|enabled|format)$/i;

/**
 * An object that may be given away: of a Secret the names of its entries alone, of containers no value of a variable that
 * sounds like a secret, of fields and arguments neither; no managed fields. Texts are redacted, too.
 */
export function redactObject(object: KubernetesObject): KubernetesObject {
  const { managedFields: _claims, annotations = {}, ...metadata } = object.metadata;
  const { [lastApplied]: _copy, ...kept } = annotations;
  const { data, stringData, ...rest } = object;
  const isSecret = object.kind === 'Secret';
  const whole = {
    ...rest,
    metadata: { ...metadata, ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }) },
    ...(isSecret || data === undefined ? {} : { data }),
    ...(isSecret ? { data: namesOnly(data, stringData) } : {}),
  };
  return redactValue(whole, '') as KubernetesObject;
}

/**
 * A text without private keys (PEM, as it is in the data of a Secret, or DER in base64), tokens, and passwords in URLs.
 * What only looks like one is removed as well.
 */
export function redactText(text: string): string {
  return text
    .replace(
      /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
      removed('key'),
    )
    .replace(/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, removed('token'))
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, (_all, scheme) => `${scheme} ${removed('credential')}`)
    .replace(/\/\/[^/\s:@"']+:[^/\s@"']+@/g, `//${removed('credential')}@`)
    .replace(/[\w+/-]{40,}={0,2}/g, (run) => (holdsKey(run) ? removed('key') : run));
}

function redactValue(value: unknown, name: string): unknown {
  if (typeof value === 'string') return isSecretText(value, name) ? removed('value') : redactText(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, name));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([field, inner]) => {
    const isVariable = field === 'value' && typeof value.name === 'string';
    return [field, redactValue(inner, isVariable ? String(value.name) : field)] as const;
  });
  return Object.fromEntries(entries);
}

function isSecretText(value: string, name: string): boolean {
  if (value === '') return false;
  const flag = /^--?([\w-]+)=/.exec(value)?.[1];
  return [name, flag].some(
    (word) => word !== undefined && secretName.test(word) && !referenceName.test(word),
  );
}

function namesOnly(...parts: readonly unknown[]): Record<string, string> {
  const names = parts.filter(isRecord).flatMap((part) => Object.keys(part));
  return Object.fromEntries(names.sort().map((name) => [name, removed('data of a Secret')]));
}

/** True for base64 of a key, or of a text that holds one; each half-read encoding of it counts. */
function holdsKey(run: string): boolean {
  const bytes = Buffer.from(run, 'base64');
  if (/PRIVATE KEY/.test(bytes.toString('latin1'))) return true;
  return (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) => isKey(bytes, type));
}

function isKey(key: Buffer, type: 'pkcs8' | 'pkcs1' | 'sec1'): boolean {
  try {
    createPrivateKey({ key, format: 'der', type });
    return true;
  } catch {
    return false; // It is something else.
  }
}
