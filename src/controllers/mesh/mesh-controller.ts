import { kindInfo } from '../../api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { managedBySelector, ownerByLabels } from '../../api/labels.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import type { Clock } from '../../base/clock.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics } from '../../observability/metrics.ts';
import { renderIstioCrds } from '../../render/istio-crds.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer, type InformerEvent } from '../../runtime/informer.ts';
import { objectManager } from './field-managers.ts';
import { cachedCrd, IstioCrds, isCrdLost } from './istio-crds.ts';
import { MeshReconciler } from './mesh-reconciler.ts';
import { claimGroup, ObservedWorld, ownerGroup } from './observed-world.ts';
import { ownedKinds } from './owned-kinds.ts';
import { claimedRevision } from './revision-claims.ts';

export interface MeshControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly events: EventRecorder;
}

export interface MeshControllerOptions {
  /** Meshes reconciled at the same time. */
  readonly workers: number;
}

/** The controller and the caches it decides from; the manager starts both. */
export interface MeshController {
  readonly controller: Controller;
  readonly informers: readonly Informer[];
}

/**
 * Wires the mesh controller. What wakes a mesh: a change of its own spec, metadata or deletion; any change of an
 * object that carries its labels; the end of a mesh that held its revision; the loss of one of Istio's CRDs.
 * Its own status writes wake nobody.
 */
export function createMeshController(
  options: MeshControllerOptions,
  deps: MeshControllerDeps,
): MeshController {
  const meshes = new Informer(
    { kind: kindInfo(meshOperatorApiVersion, meshOperatorKind), index: claimGroup },
    deps,
  );
  const owned = ownedKinds.map(
    (kind) => new Informer({ kind, labelSelector: managedBySelector, index: ownerGroup }, deps),
  );
  const desiredCrds = renderIstioCrds();
  const crdInformer = new Informer(
    {
      kind: kindInfo('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      labelSelector: managedBySelector,
      transform: cachedCrd(desiredCrds),
    },
    deps,
  );
  const world = new ObservedWorld(meshes, owned);
  const applier = new Applier({
    client: deps.client,
    fieldManager: objectManager,
    onWrite: (object) => world.observeWrite(object),
  });
  const crds = new IstioCrds({ client: deps.client, informer: crdInformer, desired: desiredCrds });
  const reconciler = new MeshReconciler({ ...deps, applier, world, crds });
  const controller = new Controller({ name: 'mesh', workers: options.workers }, { ...deps, reconciler });

  const wakeAll = () => {
    for (const mesh of meshes.values()) controller.enqueue(keyOf(mesh));
  };
  meshes.addHandler((event) => {
    if (isWorthAPass(event)) controller.enqueue(keyOf((event.current ?? event.old) as KubernetesObject));
    if (event.current === undefined && event.old !== undefined) {
      for (const mesh of world.meshesClaiming(claimedRevision(event.old))) controller.enqueue(keyOf(mesh));
    }
  });
  for (const informer of owned) {
    informer.addHandler((event) => {
      for (const owner of ownersOf(event)) controller.enqueue(owner);
    });
  }
  crdInformer.addHandler((event) => {
    if (isCrdLost(event.old, event.current)) wakeAll();
  });
  return { controller, informers: [meshes, ...owned, crdInformer] };
}

/** False for an event that only a status write of ours can have caused. */
function isWorthAPass({ old, current }: InformerEvent): boolean {
  if (old === undefined || current === undefined) return true;
  return (
    old.metadata.generation !== current.metadata.generation ||
    old.metadata.deletionTimestamp !== current.metadata.deletionTimestamp ||
    old.metadata.finalizers?.join() !== current.metadata.finalizers?.join()
  );
}

/** The mesh before and the mesh after a change of labels. */
function ownersOf({ old, current }: InformerEvent): ObjectKey[] {
  const owners = [old, current].map((object) => ownerByLabels(object?.metadata.labels));
  return [...new Map(owners.flatMap((owner) => (owner ? [[keyText(owner), owner] as const] : []))).values()];
}

function keyOf(mesh: KubernetesObject): ObjectKey {
  return { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
}
