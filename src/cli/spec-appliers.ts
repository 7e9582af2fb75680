import type { KubernetesObject } from '../api/kubernetes-object.ts';

/** A warning for each of those who keep fields of a spec by server-side apply, as GitOps does. */
export function applierWarnings({ metadata: { managedFields = [] } }: KubernetesObject): string[] {
  const appliers = managedFields.filter(
    ({ operation, fieldsV1 }) => operation === 'Apply' && fieldsV1?.['f:spec'] !== undefined,
  );
  return [...new Set(appliers.map(({ manager = '' }) => manager))].map(
    (manager) => `The spec is applied by ${manager}, which may set it back: change it there as well`,
  );
}
