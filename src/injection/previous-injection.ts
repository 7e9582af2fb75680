import { isRecord } from '../base/stable-json.ts';
import { names } from './annotation-names.ts';
import { parseJsonAnnotation } from './bounded-document.ts';
import { annotationOf, type Container, findContainer, type Pod, proxyContainerName } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';

/** What an earlier injection wrote into the pod about itself. */
export interface PreviousInjection {
  /** Names of the containers it put in. */
  readonly containers: readonly string[];
  readonly initContainers: readonly string[];
  readonly volumes: readonly string[];
  readonly imagePullSecrets: readonly string[];
}

/** Fragments of containers that the pod's author wrote for containers of the injector. */
export interface UserFragments {
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
}

/** What an earlier injection wrote; undefined for a pod that was never injected. */
export function readPreviousInjection(pod: Pod): PreviousInjection | undefined {
  const text = annotationOf(pod, names.status);
  if (text === undefined) return undefined;
  const status = parseJsonAnnotation(names.status, text) as Record<string, unknown>;
  const list = (key: string) => {
    const value = Object.hasOwn(status, key) ? status[key] : undefined;
    return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
  };
  return {
    containers: list('containers'),
    initContainers: list('initContainers'),
    volumes: list('volumes'),
    imagePullSecrets: list('imagePullSecrets'),
  };
}

/** The fragments that an earlier injection kept for this one; empty when there are none. */
export function readUserFragments(pod: Pod): UserFragments {
  const text = annotationOf(pod, names.overrides);
  if (text === undefined) return { containers: [], initContainers: [] };
  const overrides = parseJsonAnnotation(names.overrides, text) as Record<string, unknown>;
  return {
    containers: fragments(overrides, 'containers'),
    initContainers: fragments(overrides, 'initContainers'),
  };
}

function fragments(overrides: Record<string, unknown>, key: string): Container[] {
  const list = Object.hasOwn(overrides, key) ? (overrides[key] ?? []) : [];
  if (!Array.isArray(list) || !list.every((item) => isRecord(item) && typeof item.name === 'string')) {
    throw new PodRejectedError(
      `Annotation ${names.overrides} must hold containers with names in ${key}; remove it to let injection write it anew`,
    );
  }
  return list as Container[];
}

/**
 * The pod as its author wrote it, as far as templates look at it: without the containers of an earlier injection,
 * with the author's fragments of them. A copy.
 */
export function withoutPreviousInjection(
  pod: Pod,
  previous: PreviousInjection | undefined,
  users: UserFragments,
): Pod {
  const containers = pod.spec.containers.filter(({ name }) => !previous?.containers.includes(name));
  const initContainers = (pod.spec.initContainers ?? []).filter(
    ({ name }) => !previous?.initContainers.includes(name),
  );
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: withMissing(containers, users.containers),
      initContainers: withMissing(initContainers, users.initContainers),
    },
  };
}

function withMissing(containers: Container[], fragments: readonly Container[]): Container[] {
  const missing = fragments.filter(({ name }) => findContainer(containers, name) === undefined);
  return [...containers, ...missing];
}

/** The containers of the application, in the order of the pod. */
export function appContainersOf(pod: Pod): readonly Container[] {
  return pod.spec.containers.filter(({ name }) => name !== proxyContainerName);
}
