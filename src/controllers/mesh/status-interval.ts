import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { stableJson } from '../../base/stable-json.ts';

/**
 * Messages that count replicas change with each pod, and the parts of a mesh that is on its way become ready one after
 * the other: they are not written more often than this.
 */
const progressIntervalMs = 10_000;

/**
 * How soon after the last write of a status this change of it may be written, in milliseconds: 0 for what a person or
 * a machine acts on, and for the inventory, which must be written before anything in it is created.
 */
export function leastStatusIntervalMs(before: MeshOperatorStatus, status: MeshOperatorStatus): number {
  const isProgress =
    areEqual(withoutMessages(before), withoutMessages(status)) ||
    (status.state === 'Reconciling' && areEqual(withoutProgress(before), withoutProgress(status)));
  return isProgress ? progressIntervalMs : 0;
}

function areEqual(a: unknown, b: unknown): boolean {
  return stableJson(a) === stableJson(b);
}

/** Keeps the state, the reason for it and the inventory. */
function withoutProgress({ conditions, gateways: _gateways, ...rest }: MeshOperatorStatus): unknown {
  return { ...rest, reason: conditions?.find(({ type }) => type === 'Ready')?.reason };
}

function withoutMessages(status: MeshOperatorStatus): unknown {
  return { ...status, conditions: status.conditions?.map(({ message: _text, ...rest }) => rest) };
}
