import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { managedBySelector, ownerByLabels, rotateRemotesAnnotation } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import type { ResolvedGateway } from '../../api/resolved-mesh.ts';
import type { MayAct } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics } from '../../observability/metrics.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer } from '../../runtime/informer.ts';
import { changesMoreThanStatus, objectKeyOf, ownersOfEvent } from '../../runtime/informer-events.ts';
import { WatchedObjects } from '../../runtime/watched-objects.ts';
import { AccessKeeper } from './access-keeper.ts';
import { CredentialKeeper } from './credential-keeper.ts';
import { credentialKeyOf } from './credential-secret.ts';
import { CredentialStore } from './credential-store.ts';
import { statusManager } from './field-managers.ts';
import { IstiodTrusts } from './istiod-trust.ts';
import { PrimaryTeller } from './primary-teller.ts';
import { RemoteConnections } from './remote-connections.ts';
import { RemoteKeeper } from './remote-keeper.ts';
import { type AccessWatcher, RemoteProber } from './remote-prober.ts';
import { remoteSecretLabel } from './remote-secret.ts';
import { RemotesReconciler } from './remotes-reconciler.ts';
import { leastStatusIntervalMs, remotesConditionType } from './remotes-status.ts';

export interface RemotesControllerDeps {
  readonly client: KubeClient;
  readonly exec: PodExec;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly events: EventRecorder;
  /** The operator's own namespace: there credentials are kept. */
  readonly namespace: string;
  /** Over MeshOperators; whoever shares it starts it. */
  readonly meshes: Informer;
  /** The caches it shares with other controllers, which start them: of Services of meshes, and of Secrets `cacerts`. */
  readonly shared: { readonly services: Informer; readonly cacerts: Informer };
  /** Every pod of a namespace. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** The controller and the caches of its own; the manager starts both. */
export interface RemotesController {
  readonly controller: Controller;
  readonly informers: readonly Informer[];
}

/**
 * Wires the controller of other clusters. What wakes a mesh: its spec, its end, or its annotation; a Secret that its spec
 * names; a change of its credentials, or of the Secrets that its istiod reads. Beyond that it asks each other cluster once
 * a minute.
 */
export function createRemotesController(deps: RemotesControllerDeps): RemotesController {
  const { client, clock, meshes } = deps;
  const store = new CredentialStore(deps.namespace, deps);
  const remoteSecrets = new Informer(
    {
      kind: kindInfo('v1', 'Secret'),
      labelSelector: `${managedBySelector},${remoteSecretLabel}=true`,
    },
    deps,
  );
  const accessSecrets = new WatchedObjects<AccessWatcher>(
    kindInfo('v1', 'Secret'),
    deps,
    ({ namespace, name }) => controller.enqueue({ namespace, name }),
    (watcher) => `${keyText(watcher)}/${watcher.clusterName}`,
  );
  const status = new StatusWriter(
    {
      ...{ fieldManager: statusManager, fields: ['remotes'], conditions: [remotesConditionType] },
      leastIntervalMs: leastStatusIntervalMs,
    },
    { client, clock },
  );
  const connections = new RemoteConnections(clock);
  const access = new AccessKeeper({ client, clock, store });
  const prober = new RemoteProber({ client, clock, connections, accessSecrets, access });
  const credentials = new CredentialKeeper({ ...deps, store, connections, remoteSecrets });
  const { cacerts, services } = deps.shared;
  const trusts = new IstiodTrusts({ ...deps, cacerts, onChange: (mesh) => controller.enqueue(mesh) });
  const serviceOf = ({ namespace, name }: ResolvedGateway) => services.get(namespace, name);
  const primary = new PrimaryTeller({ store, connections, trusts, serviceOf });
  const keeper = new RemoteKeeper({ clock, store, prober, primary, credentials });
  const reconciler = new RemotesReconciler({ clock, meshes, store, keeper, status, mayAct: deps.mayAct });
  const controller: Controller = new Controller({ name: 'remotes' }, { ...deps, reconciler });

  meshes.addHandler((event) => {
    const mesh = (event.current ?? event.old) as KubernetesObject;
    const asked = (object: KubernetesObject | undefined) =>
      object?.metadata.annotations?.[rotateRemotesAnnotation];
    if (changesMoreThanStatus(event) || asked(event.old) !== asked(event.current)) {
      controller.enqueue(objectKeyOf(mesh));
    }
  });
  store.secrets.addHandler(({ old, current }) => {
    const key = credentialKeyOf((current ?? old) as KubernetesObject);
    if (key !== undefined) controller.enqueue(key.mesh);
  });
  remoteSecrets.addHandler(({ old, current }) => {
    const owner: ObjectKey | undefined = ownerByLabels((current ?? old)?.metadata.labels);
    if (owner !== undefined) controller.enqueue(owner);
  });
  services.addHandler((event) => {
    for (const owner of ownersOfEvent(event))
      if (hasFollowers(meshes.get(owner.namespace, owner.name))) controller.enqueue(owner);
  });
  cacerts.addHandler(({ old, current }) => {
    const namespace = (current ?? old)?.metadata.namespace;
    for (const mesh of meshes.values()) {
      if (mesh.metadata.namespace === namespace && hasFollowers(mesh)) controller.enqueue(objectKeyOf(mesh));
    }
  });
  return { controller, informers: [store.secrets, remoteSecrets] };
}

/** True for a MeshOperator, read leniently, whose istiod other clusters follow. */
function hasFollowers(mesh: KubernetesObject | undefined): boolean {
  const { multiCluster } = (mesh?.spec ?? {}) as NonNullable<MeshOperator['spec']>;
  return multiCluster?.remotes?.some(({ role }) => role === 'Remote') === true;
}
