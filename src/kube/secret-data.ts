import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { isRecord } from '../base/stable-json.ts';

/** Texts as the `data` of a Secret has them: base64. */
export function secretData(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
}

/** The text of one entry of a Secret; undefined when it is not there or empty. */
export function readSecretText({ data }: KubernetesObject, key: string): string | undefined {
  const value = isRecord(data) && Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64').toString() : undefined;
}

/** All texts of a Secret, without entries that are empty. */
export function secretTexts(secret: KubernetesObject): Record<string, string> {
  const names = isRecord(secret.data) ? Object.keys(secret.data) : [];
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = readSecretText(secret, name);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}
