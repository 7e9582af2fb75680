import type { ConditionUpdate } from '../../api/conditions.ts';
import type { DataPlaneStatus } from '../../api/mesh-operator-status.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { StatusPart } from '../../kube/status-writer.ts';
import { type Findings, podText } from './findings.ts';

/** The condition that the data-plane controller owns. */
export const proxiesConditionType = 'ProxiesUpToDate';

const maxExamples = 10;

/** How often counts that go up and down with each pod are written. */
const countIntervalMs = 10_000;
/** How often those of pods that are well are. */
const useIntervalMs = 60_000;

/** `status.dataPlane`: what a person must know of, and who uses which revision. */
export function dataPlaneStatus({ bare, outdated, revisions }: Findings): DataPlaneStatus {
  return {
    barePods: bare.length,
    outdatedPods: outdated,
    ...(revisions.length === 0 ? {} : { revisions: [...revisions] }),
    ...(bare.length === 0 ? {} : { examples: bare.slice(0, maxExamples).map(podText) }),
  };
}

/** What the condition says; `refused` names bare pods that a disruption budget keeps from being evicted now. */
export function proxiesStatement(
  { bare, outdated }: Findings,
  refused: readonly string[],
): Omit<ConditionUpdate, 'observedGeneration'> {
  const type = proxiesConditionType;
  if (bare.length > 0) {
    const budget =
      refused.length === 0
        ? ''
        : `; a disruption budget keeps ${refused.slice(0, 3).join(', ')} from being evicted now`;
    const message = `${podsText(bare.length)} should have a sidecar and ${bare.length === 1 ? 'has' : 'have'} none, such as ${bare.slice(0, 3).map(podText).join(', ')}${budget}`;
    return { type, status: 'False', reason: 'BarePods', message };
  }
  if (outdated > 0) {
    const message = `The ${outdated === 1 ? 'sidecar' : 'sidecars'} of ${podsText(outdated)} ${outdated === 1 ? 'is' : 'are'} older than the control plane; a restart of the pods renews them`;
    return { type, status: 'False', reason: 'OutdatedProxies', message };
  }
  return {
    type,
    status: 'True',
    reason: 'UpToDate',
    message: 'Every pod that should have a sidecar has one of the current version',
  };
}

/**
 * Changes between none and some are written at once, and so is a revision or namespace that comes or goes; counts of pods
 * that a person must know of every ten seconds, others every minute.
 */
export function leastStatusIntervalMs(before: StatusPart, after: StatusPart): number {
  const differs = (textOf: (part: StatusPart) => unknown) =>
    stableJson(textOf(before)) !== stableJson(textOf(after));
  if (differs(({ conditions = [] }) => conditions.map(({ reason }) => reason))) return 0;
  if (
    differs(({ dataPlane }) => dataPlane?.revisions?.map(({ name, namespaces }) => [name, namespaces]) ?? [])
  )
    return 0;
  return differs(({ dataPlane }) => [dataPlane?.barePods, dataPlane?.outdatedPods])
    ? countIntervalMs
    : useIntervalMs;
}

function podsText(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}
