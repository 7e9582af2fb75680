import { isRecord } from '../base/stable-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

/** The text of an entry of a ConfigMap; undefined where there is no such entry, or no ConfigMap. */
export function configMapEntry(configMap: KubernetesObject | undefined, key: string): string | undefined {
  const data = configMap?.data;
  const text = isRecord(data) && Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}
