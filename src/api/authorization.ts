import { findCondition } from './conditions.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import type { Condition, MeshOperatorStatus } from './mesh-operator-status.ts';

/** The condition that says whether the author of the spec may do what it asks for. */
export const authorizedConditionType = 'Authorized';

/** What was last found of the rights to the spec; undefined while nothing was. */
export function authorizationOf(mesh: KubernetesObject): Condition | undefined {
  const { conditions = [] } = (mesh.status ?? {}) as MeshOperatorStatus;
  return findCondition(conditions, authorizedConditionType);
}

/** True when the rights to the spec as it is have been found to be there: what it asks for may be done. */
export function isAuthorized(mesh: KubernetesObject): boolean {
  const found = authorizationOf(mesh);
  return found?.status === 'True' && found.observedGeneration === mesh.metadata.generation;
}
