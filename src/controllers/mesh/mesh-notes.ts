import { findCondition } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { Condition, MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import type { EventNote } from '../../kube/event-recorder.ts';
import { mtlsConditionType } from './decide-mtls.ts';

/** What to tell a person when mutual TLS begins to wait, or does so no more. */
export function mtlsNote(before: readonly Condition[], after: MeshOperatorStatus): EventNote | undefined {
  const was = findCondition(before, mtlsConditionType);
  const is = findCondition(after.conditions ?? [], mtlsConditionType);
  if (is === undefined || is.reason === was?.reason) return undefined;
  const { reason, message } = is;
  if (after.mtls?.waiting !== undefined) return { type: 'Warning', reason, message };
  return was === undefined || reason !== 'InForce'
    ? undefined
    : { type: 'Normal', reason: mtlsConditionType, message };
}

/** What to tell a person of a mesh that has come to another state. */
export function stateNote(mesh: KubernetesObject): EventNote | undefined {
  const { state, conditions } = (mesh.status ?? {}) as MeshOperatorStatus;
  const ready = conditions?.find((condition) => condition.type === 'Ready');
  if (ready === undefined) return undefined;
  if (state === 'Ready') return { type: 'Normal', reason: 'Ready', message: ready.message };
  if (state === 'Stalled') return { type: 'Warning', reason: ready.reason, message: ready.message };
  if (state === 'Paused') return { type: 'Normal', reason: 'Paused', message: ready.message };
  return undefined;
}
