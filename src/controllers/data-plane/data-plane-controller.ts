import { findCondition } from '../../api/conditions.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import type { MayAct } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics, DataPlaneMetrics } from '../../observability/metrics.ts';
import { isSettled } from '../../render/revisions/read-revision.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import type { Informer, InformerEvent } from '../../runtime/informer.ts';
import { changesMoreThanStatus, objectKeyOf, ownersOfEvent } from '../../runtime/informer-events.ts';
import { DataPlaneReconciler } from './data-plane-reconciler.ts';
import { leastStatusIntervalMs, proxiesConditionType } from './data-plane-status.ts';
import { statusManager } from './field-managers.ts';
import {
  createPodInformer,
  namespaceRevisions,
  podsFollowing,
  podsIn,
  revisionsAround,
} from './observed-pods.ts';
import { createUpgradeController } from './upgrade/upgrade-controller.ts';

export interface DataPlaneControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly upgradeMetrics: ControllerMetrics;
  readonly podMetrics: DataPlaneMetrics;
  readonly events: EventRecorder;
  /** Over MeshOperators; whoever shares it starts it. */
  readonly meshes: Informer;
  /** The meshes that go by a revision or tag, `default` for the one without a name, without looking at any other. */
  readonly meshesOf: (revision: string) => KubernetesObject[];
  /** All namespaces, as `createNamespaceInformer` keeps them; whoever shares it starts it. */
  readonly namespaces: Informer;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** The controllers and the caches of their own; the manager starts both. */
export interface DataPlaneController {
  /** One looks after pods without a sidecar, one takes meshes to other versions. */
  readonly controllers: readonly Controller[];
  readonly informers: readonly Informer[];
  /** All pods, as `podRecord` keeps them, indexed by `ownerGroup` and more. */
  readonly pods: Informer;
  /** The pods whose proxies follow a revision, or that ask for it or for a tag. */
  readonly podsFollowing: (revision: string) => readonly KubernetesObject[];
  /** Every pod of a namespace. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
}

/** Pods come and go in bursts; what they change is looked at this much later, once. */
const gatherMs = 2_000;

/**
 * Wires the data-plane controller. What wakes a mesh: a change of its spec, and of whether its injector is reached; a
 * pod or a namespace whose labels concern its revision, gathered for two seconds. An upgrade is woken by these, by the
 * mesh or one of its control planes becoming Ready, and by the pods of its gateways.
 */
export function createDataPlaneController(deps: DataPlaneControllerDeps): DataPlaneController {
  const { client, clock, meshes, meshesOf, namespaces } = deps;
  const pods = createPodInformer(deps);
  const status = new StatusWriter(
    {
      ...{ fieldManager: statusManager, fields: ['dataPlane'], conditions: [proxiesConditionType] },
      leastIntervalMs: leastStatusIntervalMs,
    },
    { client, clock },
  );
  const reconciler = new DataPlaneReconciler({
    ...{ client, clock, status, events: deps.events, metrics: deps.podMetrics, mayAct: deps.mayAct },
    informers: { meshes, pods, namespaces },
  });
  const controller = new Controller({ name: 'data-plane' }, { ...deps, reconciler });
  const upgrades = createUpgradeController(deps, { meshes, pods, namespaces });

  const wake = (revisions: readonly string[]) => {
    const byDefault = meshesOf('default').filter(injectsByDefault);
    for (const mesh of new Set([...revisions.flatMap(meshesOf), ...byDefault])) {
      controller.enqueueAfter(objectKeyOf(mesh), gatherMs);
      upgrades.enqueueAfter(objectKeyOf(mesh), gatherMs);
    }
  };
  meshes.addHandler((event) => {
    const mesh = event.current ?? event.old;
    if (mesh !== undefined && (changesMoreThanStatus(event) || changesInjector(event))) {
      controller.enqueue(objectKeyOf(mesh));
    }
    if (mesh !== undefined && (changesMoreThanStatus(event) || changesReadiness(event))) {
      upgrades.enqueue(objectKeyOf(mesh));
      const owner = ownerByLabels(mesh.metadata.labels);
      if (owner !== undefined) upgrades.enqueue(owner);
    }
  });
  pods.addHandler((event) => {
    if (isUnchanged(event)) return;
    for (const pod of [event.old, event.current]) {
      if (pod === undefined) continue;
      const namespace = namespaces.get(undefined, pod.metadata.namespace ?? '');
      wake(revisionsAround(pod, namespace?.metadata.labels ?? {}));
    }
    for (const owner of ownersOfEvent(event)) {
      controller.enqueueAfter(owner, gatherMs);
      upgrades.enqueueAfter(owner, gatherMs);
    }
  });
  namespaces.addHandler((event) => {
    if (isUnchanged(event)) return;
    const labels = [event.old, event.current].map((namespace) => namespace?.metadata.labels ?? {});
    wake(labels.flatMap(namespaceRevisions));
  });
  return {
    controllers: [controller, upgrades],
    informers: [pods],
    pods,
    podsFollowing: (revision) => podsFollowing(pods, revision),
    podsIn: (namespace) => podsIn(pods, namespace),
  };
}

/** True when whether the injector is reached has changed: bare pods may be evicted only then. */
function changesInjector({ old, current }: InformerEvent): boolean {
  const isReady = (mesh: KubernetesObject | undefined) => {
    const { conditions = [] } = (mesh?.status ?? {}) as MeshOperatorStatus;
    return findCondition(conditions, 'InjectorReady')?.status;
  };
  return isReady(old) !== isReady(current);
}

/** True when a mesh has become Ready in its present spec, or is so no longer. */
function changesReadiness({ old, current }: InformerEvent): boolean {
  const isReady = (mesh: KubernetesObject | undefined) => mesh !== undefined && isSettled(mesh);
  return isReady(old) !== isReady(current);
}

/** True when nothing has changed that is kept of the object, but for its version. */
function isUnchanged({ old, current }: InformerEvent): boolean {
  return old !== undefined && current !== undefined && textOf(old) === textOf(current);
}

function textOf({ metadata: { resourceVersion: _version, ...metadata }, ...rest }: KubernetesObject): string {
  return stableJson({ ...rest, metadata });
}

/** True for a mesh that may inject into namespaces without labels, read leniently: the spec may be invalid. */
function injectsByDefault({ spec }: KubernetesObject): boolean {
  const { sidecarInjector, values } = (spec ?? {}) as Record<string, unknown>;
  return [sidecarInjector, isRecord(values) ? values.sidecarInjectorWebhook : undefined].some(
    (settings) => isRecord(settings) && settings.enableNamespacesByDefault === true,
  );
}
