import { isRecord } from '../base/stable-json.ts';
import { assertPodBounded } from './bounded-document.ts';
import { type Pod, podNameText } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';

/**
 * What comes from outside must at least look like a pod before anything reads it. Throws PodRejectedError otherwise,
 * also for a pod too deep or too big to work on.
 */
export function assertPod(pod: unknown): asserts pod is Pod {
  assertPodBounded(pod);
  if (!isRecord(pod) || !isRecord(pod.metadata) || !isRecord(pod.spec)) {
    throw new PodRejectedError('The object is not a pod: it has no metadata or no spec');
  }
  const { metadata, spec } = pod;
  for (const [field, value] of [
    ['labels', metadata.labels],
    ['annotations', metadata.annotations],
  ] as const) {
    const isText = isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
    if (value !== undefined && value !== null && !isText) {
      throw new PodRejectedError(`Pod ${podNameText(pod as Pod)}: metadata.${field} must map names to text`);
    }
  }
  for (const list of ['containers', 'initContainers'] as const) {
    const value = spec[list] ?? (list === 'containers' ? undefined : []);
    const isNamed = (item: unknown) => isRecord(item) && typeof item.name === 'string';
    if (!Array.isArray(value) || !value.every(isNamed)) {
      throw new PodRejectedError(
        `Pod ${podNameText(pod as Pod)}: spec.${list} must be a list of containers with names`,
      );
    }
  }
}
