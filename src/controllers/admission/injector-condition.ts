import type { ConditionUpdate } from '../../api/conditions.ts';
import type { Reachability } from './reachability.ts';

/** What the status says of the injector, but for the generation. */
export type InjectorStatement = Omit<ConditionUpdate, 'observedGeneration'>;

/** The condition that the admission controller owns. */
export const injectorConditionType = 'InjectorReady';
const type = injectorConditionType;

/** What the condition says: whether API servers reach the injector, and what becomes of pods meanwhile. */
export function injectorStatement(
  reachability: Exclude<Reachability, { kind: 'unproven' }>,
  wantedPolicy: 'Fail' | 'Ignore',
): InjectorStatement {
  if (reachability.kind === 'unreached') {
    const { reason, message } = reachability;
    return {
      type,
      status: 'False',
      reason,
      message: `${message}; until the API server reaches it, pods start without a sidecar (failurePolicy Ignore)`,
    };
  }
  const otherwise =
    wantedPolicy === 'Fail'
      ? 'pods that it cannot be asked about are refused (failurePolicy Fail)'
      : 'pods that it cannot be asked about start without a sidecar (failurePolicy Ignore)';
  return {
    type,
    status: 'True',
    reason: 'Reached',
    message: `The API server reaches the injector; ${otherwise}`,
  };
}
