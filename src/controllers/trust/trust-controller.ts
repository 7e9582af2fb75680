import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { authorityLabel, rotateAnnotation } from '../../api/labels.ts';
import type { MayAct } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics } from '../../observability/metrics.ts';
import type { TrustMetrics } from '../../observability/trust-metrics.ts';
import type { HeardMember } from '../../pki/member-view.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer, type InformerEvent } from '../../runtime/informer.ts';
import { changesMoreThanStatus, objectKeyOf } from '../../runtime/informer-events.ts';
import { AuthorityStore } from './authority-store.ts';
import { BundleConfigMaps } from './bundle-config-maps.ts';
import { BundleCopies } from './bundle-copies.ts';
import { cacertsName } from './cacerts-secret.ts';
import { CertificateOrders } from './certificate-orders.ts';
import { distributesBundle } from './external-statement.ts';
import { objectManager, statusManager } from './field-managers.ts';
import { LoadedBundles } from './loaded-bundles.ts';
import type { PodLookups, TrustInformers } from './observed-meshes.ts';
import { OwnStatements } from './own-statement.ts';
import { PluggedSecrets } from './plugged-material.ts';
import {
  createNamedRootConfigMapInformer,
  createRootConfigMapInformer,
  readRootConfigMap,
} from './root-config-map.ts';
import { TrustReconciler } from './trust-reconciler.ts';
import { leastStatusIntervalMs, trustConditionType } from './trust-status.ts';

export interface TrustControllerDeps extends PodLookups {
  readonly client: KubeClient;
  readonly exec: PodExec;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly trustMetrics: TrustMetrics;
  readonly events: EventRecorder;
  /** The operator's own namespace: there authorities are kept. */
  readonly namespace: string;
  /** The caches it shares with other controllers, which start them. */
  readonly shared: Pick<TrustInformers, 'meshes' | 'pods' | 'namespaces' | 'primaries' | 'webhooks'>;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
  /** Called for a namespace when every replica of its istiod has loaded another bundle. */
  readonly onLoaded: (namespace: string) => void;
  /** What other clusters of a mesh say of their trust; whoever brings it wakes the mesh when it changes. */
  readonly heard: (mesh: ObjectKey) => readonly HeardMember[];
}

/** The controller and the caches of its own; the manager starts both. */
export interface TrustController {
  readonly controller: Controller;
  readonly informers: readonly Informer[];
  /** Over the Secrets `cacerts` of all namespaces, one of the above. */
  readonly cacerts: Informer;
  /** The version of the bundle (`bundleVersion`) that every replica of a namespace was seen to have loaded last. */
  readonly loadedVersion: (namespace: string) => string | undefined;
}

/**
 * Wires the trust controller. What wakes the meshes of a namespace: a change of their specs, of what they ask for by
 * annotation, or their end; any change of their authority, of `cacerts`, of what they say to other clusters and hear of
 * them, and of what they plug in; the end of the namespace; where they bring a bundle to namespaces, any change of its copies and of namespaces. While a rotation is
 * under way, and while something is ordered, it looks again by itself.
 */
export function createTrustController(deps: TrustControllerDeps): TrustController {
  const { client, clock, shared } = deps;
  const store = new AuthorityStore(deps.namespace, deps);
  const informers: TrustInformers = {
    ...shared,
    cacerts: secretsNamed(cacertsName, deps),
    istioCaSecrets: secretsNamed('istio-ca-secret', deps),
    rootConfigMaps: createRootConfigMapInformer(deps),
    namedRootConfigMaps: createNamedRootConfigMapInformer(deps),
  };
  const statements = new OwnStatements(deps);
  const applier = new Applier({
    client,
    fieldManager: objectManager,
    onWrite: (object) => informers.cacerts.observeWrite(object),
  });
  const status = new StatusWriter(
    {
      ...{
        fieldManager: statusManager,
        fields: ['certificateAuthority', 'trustBundle'],
        conditions: [trustConditionType],
      },
      leastIntervalMs: leastStatusIntervalMs,
    },
    { client, clock },
  );
  const plugged = new PluggedSecrets(deps, (mesh) => controller.enqueue(mesh));
  const orders = new CertificateOrders(deps);
  const bundles = new BundleConfigMaps(deps, (mesh) => controller.enqueue(mesh));
  const { namespaces } = shared;
  const copies = new BundleCopies({ ...deps, namespaces, rootConfigMaps: informers.rootConfigMaps });
  const loaded = new LoadedBundles(deps.onLoaded);
  const reconciler = new TrustReconciler({
    ...deps,
    ...{ store, applier, informers, status, plugged, orders, bundles, copies, statements, loaded },
    metrics: deps.trustMetrics,
  });
  const controller: Controller = new Controller({ name: 'trust' }, { ...deps, reconciler });

  const meshesIn = (namespace: string) =>
    [...shared.meshes.values()].filter(({ metadata }) => metadata.namespace === namespace);
  const wake = (namespace: string) => {
    const meshes = meshesIn(namespace);
    for (const mesh of meshes) controller.enqueue(objectKeyOf(mesh));
    // An authority without a mesh, which goes with its namespace.
    if (meshes.length === 0) controller.enqueue({ namespace, name: '' });
  };
  shared.meshes.addHandler((event) => {
    const { metadata } = (event.current ?? event.old) as KubernetesObject;
    if (changesMoreThanStatus(event) || asksAnew(event)) wake(metadata.namespace ?? '');
  });
  store.secrets.addHandler(({ old, current }) => {
    wake((current ?? old)?.metadata.labels?.[authorityLabel] ?? '');
  });
  for (const informer of [informers.cacerts, shared.primaries, statements.informer]) {
    informer.addHandler(({ old, current }) => wake((current ?? old)?.metadata.namespace ?? ''));
  }
  const wakeDistributors = () => {
    for (const mesh of shared.meshes.values()) {
      if (distributesBundle(mesh)) controller.enqueue(objectKeyOf(mesh));
    }
  };
  informers.rootConfigMaps.addHandler(({ old, current }) => {
    wakeDistributors();
    // A copy whose last mesh has gone while nobody looked.
    const owner = readRootConfigMap((current ?? old) as KubernetesObject).owner;
    if (owner !== undefined && meshesIn(owner).length === 0)
      controller.enqueue({ namespace: owner, name: '' });
  });
  namespaces.addHandler(({ old, current }) => {
    wakeDistributors();
    if (current === undefined) wake(old?.metadata.name ?? '');
  });
  return {
    controller,
    cacerts: informers.cacerts,
    loadedVersion: (namespace) => loaded.versionIn(namespace),
    informers: [
      ...[store.secrets, informers.cacerts, informers.istioCaSecrets, statements.informer],
      ...[informers.rootConfigMaps, informers.namedRootConfigMaps],
    ],
  };
}

function secretsNamed(name: string, deps: TrustControllerDeps): Informer {
  return new Informer({ kind: kindInfo('v1', 'Secret'), fieldSelector: `metadata.name=${name}` }, deps);
}

function asksAnew({ old, current }: InformerEvent): boolean {
  const asked = (mesh: KubernetesObject | undefined) => mesh?.metadata.annotations?.[rotateAnnotation];
  return asked(old) !== asked(current);
}
