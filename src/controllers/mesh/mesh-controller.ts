import { authorAnnotation } from '../../api/author.ts';
import { claimedTenant, claimsOf } from '../../api/claims.ts';
import { type KindInfo, kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { managedBySelector, ownerGroup, primaryLabel } from '../../api/labels.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import type { Clock } from '../../base/clock.ts';
import { stableJson } from '../../base/stable-json.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ClusterVersion } from '../../kube/cluster-version.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics } from '../../observability/metrics.ts';
import { renderIstioCrds } from '../../render/istio-crds.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer, type InformerEvent } from '../../runtime/informer.ts';
import { changesMoreThanStatus, objectKeyOf, ownersOfEvent } from '../../runtime/informer-events.ts';
import { crdNameOf, ServedKind } from '../../runtime/served-kind.ts';
import { AuthorCheck } from './author-check.ts';
import { objectManager } from './field-managers.ts';
import { GatewayApiCrds } from './gateway-api-crds.ts';
import { cachedCrd, IstioCrds, isCrdLost } from './istio-crds.ts';
import { MeshReconciler } from './mesh-reconciler.ts';
import { claimGroup, ObservedWorld } from './observed-world.ts';
import { optionalKinds, ownedKinds } from './owned-kinds.ts';
import { trustTrouble } from './trust-trouble.ts';

export interface MeshControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly events: EventRecorder;
  /** Every pod of a namespace, as the cache of somebody else knows it. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
  /** All namespaces with UID and labels; whoever shares it starts it. */
  readonly namespaces: Informer;
}

export interface MeshControllerOptions {
  /** Meshes reconciled at the same time. */
  readonly workers: number;
  /** The operator's own image. */
  readonly operatorImage: string;
  /** Where the operator runs. */
  readonly operatorNamespace: string;
  /** What authors of specs are sealed with; absent: nobody asks what they may do. */
  readonly authorKey?: (() => Uint8Array | undefined) | undefined;
  /** How long nothing may go at a removal before the mesh goes without what holds it. */
  readonly removalDeadlineMs: number;
}

/** The controller and the caches it decides from; the manager starts both. */
export interface MeshController {
  readonly controller: Controller;
  readonly informers: readonly Informer[];
  /** Over MeshOperators. */
  readonly meshes: Informer;
  /** Over what other clusters say of their istiods to meshes that follow them. */
  readonly primaries: Informer;
  /** The meshes that go by a revision or a tag, `default` for the one without a name, without looking at any other. */
  readonly meshesOf: (revision: string) => KubernetesObject[];
  /** The informer over everything of one kind that meshes own, indexed by `ownerGroup`. Throws for other kinds. */
  readonly ownedOf: (kind: KindInfo) => Informer;
}

/**
 * Wires the mesh controller. What wakes a mesh: a change of its own spec, of who stands for it, or its deletion; any change of an
 * object that carries its labels; what another cluster says of the istiod that it follows; a mesh that ends, or lets go of what this one claims; the loss of one of Istio's CRDs; a CRD of a
 * kind that meshes may have, which comes or goes. A change of a tenant wakes all, and any change of a spec the tenants. For a mesh with tenancy also a namespace that becomes something else to it.
 * For a mesh whose upgrades are `RevisionBased` also each step of one, and any change of its control planes. Its own
 * status writes wake nobody.
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
  const crdKind = kindInfo('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
  const servedCrds = new Informer({ kind: crdKind, metadataOnly: true, transform: nameOfCrd }, deps);
  const served = optionalKinds.map(({ kind }) => new ServedKind(kind, { crds: servedCrds, users: meshes }));
  const optional = served.map(
    (kind) =>
      new Informer(
        { kind: kind.kind, labelSelector: managedBySelector, index: ownerGroup, served: kind },
        deps,
      ),
  );
  const desiredCrds = renderIstioCrds();
  const crdInformer = new Informer(
    {
      kind: crdKind,
      labelSelector: managedBySelector,
      transform: cachedCrd(desiredCrds),
    },
    deps,
  );
  const { namespaces } = deps;
  const primaries = new Informer({ kind: kindInfo('v1', 'ConfigMap'), labelSelector: primaryLabel }, deps);
  const world = new ObservedWorld({
    ...{ meshes, owned: [...owned, ...optional], served, namespaces, primaries },
    operatorNamespace: options.operatorNamespace,
  });
  const applier = new Applier({
    client: deps.client,
    fieldManager: objectManager,
    onWrite: (object) => world.observeWrite(object),
  });
  const crds = new IstioCrds({ client: deps.client, informer: crdInformer, desired: desiredCrds });
  const gatewayApiCrds = new GatewayApiCrds({ client: deps.client, informer: crdInformer });
  const clusterVersion = new ClusterVersion(deps);
  const { operatorImage, authorKey, removalDeadlineMs } = options;
  const authors = authorKey === undefined ? undefined : new AuthorCheck({ client: deps.client, authorKey });
  const reconciler = new MeshReconciler({
    ...{ ...deps, applier, world, crds, gatewayApiCrds, clusterVersion, operatorImage, authors },
    removalDeadlineMs,
  });
  const controller = new Controller({ name: 'mesh', workers: options.workers }, { ...deps, reconciler });

  const wakeAll = () => {
    for (const mesh of meshes.values()) controller.enqueue(objectKeyOf(mesh));
  };
  meshes.addHandler((event) => {
    world.wantKindsOf(event.current);
    const isOfPass = changesUpgrade(event) || changesAuthor(event) || changesTrust(event);
    if (changesMoreThanStatus(event) || isOfPass)
      controller.enqueue(objectKeyOf((event.current ?? event.old) as KubernetesObject));
    for (const owner of ownersOfEvent(event)) controller.enqueue(owner);
    if (changesMoreThanStatus(event)) {
      // What one discovers, and where it is, another may have waited for.
      const isOfTenant = [event.old, event.current].some(
        (mesh) => mesh !== undefined && claimedTenant(mesh) !== undefined,
      );
      for (const other of isOfTenant ? meshes.values() : world.tenants())
        controller.enqueue(objectKeyOf(other));
    }
    const kept = new Set(event.current === undefined ? [] : claimsOf(event.current).map(({ key }) => key));
    for (const { key } of event.old === undefined ? [] : claimsOf(event.old)) {
      if (kept.has(key)) continue;
      for (const mesh of world.meshesClaiming(key)) controller.enqueue(objectKeyOf(mesh));
    }
  });
  for (const informer of [...owned, ...optional]) {
    informer.addHandler((event) => {
      for (const owner of ownersOfEvent(event)) controller.enqueue(owner);
    });
  }
  namespaces.addHandler((event) => {
    for (const mesh of world.tenantsAround(event)) controller.enqueue(objectKeyOf(mesh));
  });
  primaries.addHandler(({ old, current }) => {
    const { namespace = '' } = ((current ?? old) as KubernetesObject).metadata;
    for (const mesh of world.meshesIn(namespace)) controller.enqueue(objectKeyOf(mesh));
  });
  crdInformer.addHandler((event) => {
    if (isCrdLost(event.old, event.current)) wakeAll();
  });
  const optionalCrds = new Set(optionalKinds.map(({ kind }) => crdNameOf(kind)));
  servedCrds.addHandler(({ key, old, current }) => {
    if (optionalCrds.has(key) && (old === undefined || current === undefined)) wakeAll();
  });
  const ownedOf = (kind: KindInfo) => {
    const informer = owned.find((candidate) => candidate.kind === kind);
    if (informer === undefined) throw new Error(`No mesh owns anything of kind ${kind.kind}`);
    return informer;
  };
  const meshesOf = (name: string) => world.meshesClaiming(name);
  const informers = [meshes, ...owned, servedCrds, ...optional, crdInformer, primaries];
  return { controller, informers, meshes, meshesOf, ownedOf, primaries };
}

/** Of a CRD that somebody else may have brought, only that it is there. */
function nameOfCrd({ metadata: { name, resourceVersion } }: KubernetesObject): KubernetesObject {
  const metadata = { name, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata };
}

/** True when somebody else stands for the spec: a mesh that was refused may be done now. */
function changesAuthor({ old, current }: InformerEvent): boolean {
  const authorOf = (mesh: KubernetesObject | undefined) => mesh?.metadata.annotations?.[authorAnnotation];
  return authorOf(old) !== authorOf(current);
}

/** True when something else keeps istiod from what it signs with, or nothing any more. */
function changesTrust({ old, current }: InformerEvent): boolean {
  return trustTrouble(old) !== trustTrouble(current);
}

/** True when an upgrade has taken a step: what is rendered depends on it. */
function changesUpgrade({ old, current }: InformerEvent): boolean {
  const stepOf = (mesh: KubernetesObject | undefined) => {
    const { phase, active, target, gateways, moved, retired } =
      (mesh as unknown as MeshOperator | undefined)?.status?.upgrade ?? {};
    return stableJson([phase, active, target, gateways, moved, retired?.map(({ revision }) => revision)]);
  };
  return stepOf(old) !== stepOf(current);
}
