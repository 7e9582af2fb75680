import { dump } from 'js-yaml';
import type { KubernetesObject } from '../api/kubernetes-object.ts';

/** The objects as one stream of YAML documents that `kubectl apply -f -` takes; empty text for none. */
export function manifestText(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => dump(object, { noRefs: true, lineWidth: -1 })).join('---\n');
}
