import { mergeJson } from '../api/merge-json.ts';
import type { Json, JsonObject, ResolvedPods } from '../api/resolved-mesh.ts';
import { probeHandlers } from '../api/spec/container-probe.ts';
import { isRecord } from '../base/stable-json.ts';

/** Volumes of a pod, and what a container of it sees of them and is asked. */
export interface ContainerView {
  readonly readinessProbe: JsonObject;
  readonly volumes: readonly JsonObject[];
  readonly volumeMounts: readonly JsonObject[];
}

/** What a component has, with the user's settings over it. */
export function containerView(pods: ResolvedPods, own: ContainerView): ContainerView {
  return {
    readinessProbe: mergeProbe(own.readinessProbe, pods.readinessProbe),
    volumes: mergeBy('name', own.volumes, pods.volumes),
    volumeMounts: mergeBy('mountPath', own.volumeMounts, pods.volumeMounts),
  };
}

/** Kubernetes takes one kind of check: another one replaces ours. */
function mergeProbe(own: JsonObject, users: JsonObject | undefined): JsonObject {
  if (users === undefined) return own;
  const hasHandler = probeHandlers.some((handler) => Object.hasOwn(users, handler));
  const kept = Object.entries(own).filter(
    ([field]) => !hasHandler || !isHandler(field) || Object.hasOwn(users, field),
  );
  return mergeJson(Object.fromEntries(kept) as JsonObject, users);
}

function isHandler(field: string): boolean {
  return (probeHandlers as readonly string[]).includes(field);
}

/** An item of the user takes the place of ours with the same key. */
function mergeBy(
  key: string,
  own: readonly JsonObject[],
  users: readonly JsonObject[] | undefined,
): readonly JsonObject[] {
  if (users === undefined) return own;
  const merged = new Map<Json | undefined, JsonObject>();
  for (const item of [...own, ...users]) merged.set(item[key], item);
  return [...merged.values()];
}

/** A container that the injection core made, with the user's settings over it. */
export function withContainerSettings(container: JsonObject, pods: ResolvedPods): JsonObject {
  const own = isRecord(container.readinessProbe) ? (container.readinessProbe as JsonObject) : {};
  const readinessProbe = mergeProbe(own, pods.readinessProbe);
  const mounts = Array.isArray(container.volumeMounts) ? (container.volumeMounts as JsonObject[]) : [];
  return {
    ...container,
    ...(Object.keys(readinessProbe).length === 0 ? {} : { readinessProbe }),
    volumeMounts: [...mergeBy('mountPath', mounts, pods.volumeMounts)],
  };
}

/** Volumes of a pod that the injection core made, with the user's over them. */
export function withUserVolumes(volumes: readonly JsonObject[], pods: ResolvedPods): readonly JsonObject[] {
  return mergeBy('name', volumes, pods.volumes);
}
