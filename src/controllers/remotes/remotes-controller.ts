import { claimsOf } from '../../api/claims.ts';
import { replicaPods, someIsReady } from '../../api/istiod-replicas.ts';
import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import {
  managedBySelector,
  ownerByLabels,
  remoteSecretsLabel,
  rotateRemotesAnnotation,
} from '../../api/labels.ts';
import { type MayAct, ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics } from '../../observability/metrics.ts';
import type { HeardMember } from '../../pki/member-view.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer } from '../../runtime/informer.ts';
import { changesMoreThanStatus, objectKeyOf, ownersOfEvent } from '../../runtime/informer-events.ts';
import { WatchedObjects } from '../../runtime/watched-objects.ts';
import { AccessKeeper } from './access-keeper.ts';
import { CredentialKeeper } from './credential-keeper.ts';
import { type CredentialKey, credentialKeyOf } from './credential-secret.ts';
import { CredentialStore } from './credential-store.ts';
import { statusManager } from './field-managers.ts';
import { IstiodReplicas } from './istiod-replicas.ts';
import { IstiodSecrets } from './istiod-secrets.ts';
import { IstiodTrusts } from './istiod-trust.ts';
import { PrimaryTeller } from './primary-teller.ts';
import { RemoteConnections } from './remote-connections.ts';
import { RemoteKeeper } from './remote-keeper.ts';
import { type AccessWatcher, RemoteProber } from './remote-prober.ts';
import { namedRemotes, queueKeyOf, RemoteReconciler } from './remote-reconciler.ts';
import { clusterOfSecret } from './remote-secret.ts';
import { RemotesReconciler } from './remotes-reconciler.ts';
import { leastStatusIntervalMs, remotesConditionType } from './remotes-status.ts';
import { TrustStatements } from './trust-statements.ts';

export interface RemotesControllerDeps {
  readonly client: KubeClient;
  readonly exec: PodExec;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  /** For a controller of this name. */
  readonly metricsOf: (name: string) => ControllerMetrics;
  readonly events: EventRecorder;
  /** The operator's own namespace: there credentials are kept. */
  readonly namespace: string;
  /** Over MeshOperators; whoever shares it starts it. */
  readonly meshes: Informer;
  /** Those with a claim of a key (`claimsOf`), without looking at any other. */
  readonly meshesClaiming: (claim: string) => readonly KubernetesObject[];
  /** The caches it shares with other controllers, which start them: of Services of meshes, Secrets `cacerts`, and all pods by their records. */
  readonly shared: { readonly services: Informer; readonly cacerts: Informer; readonly pods: Informer };
  /** The version of the bundle that every replica of a namespace has loaded; undefined while that is not known. */
  readonly loadedVersion: (namespace: string) => string | undefined;
  /** Every pod of a namespace. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
  /** Called for a mesh when another of its clusters says something new of its trust, or cannot be asked any more. */
  readonly onHeard: (mesh: ObjectKey) => void;
}

/** The controllers and the caches of their own; the manager starts both. */
export interface RemotesController {
  readonly controllers: readonly Controller[];
  readonly informers: readonly Informer[];
  /** Has the clusters that follow the istiods of a namespace told what has changed. */
  readonly tellFollowersOf: (namespace: string) => void;
  /** What the other clusters of a mesh say of their trust, as far as they were reached. */
  readonly heard: (mesh: ObjectKey) => readonly HeardMember[];
}

/** So many clusters that do not answer may be asked at once, and one more be kept. */
const workers = 32;

/**
 * Wires the controllers of other clusters: one keeps each of them, the other says in the status of meshes how they are.
 * What wakes a cluster: the spec of its mesh, whether that may be acted on, its end, or its annotation; the Secret that the
 * spec names; a change of its credential, or of the Secret that istiod reads; a replica of istiod that becomes Ready, or is
 * so no more; for a cluster that follows the istiod of this
 * one, what that is told. Beyond that it is asked once a minute.
 */
export function createRemotesController(deps: RemotesControllerDeps): RemotesController {
  const { client, clock, meshes } = deps;
  const store = new CredentialStore(deps.namespace, deps);
  const remoteSecrets = new Informer(
    {
      kind: kindInfo('v1', 'Secret'),
      labelSelector: `${managedBySelector},${remoteSecretsLabel}`,
    },
    deps,
  );
  const accessSecrets = new WatchedObjects<AccessWatcher>(
    kindInfo('v1', 'Secret'),
    deps,
    ({ clusterName, ...mesh }) => wake({ mesh, clusterName }),
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
  const statements = new TrustStatements(deps, deps.onHeard);
  const prober = new RemoteProber({
    ...{ client, clock, connections, accessSecrets, access, events: deps.events, statements },
  });
  const replicas = new IstiodReplicas(deps);
  const secrets = new IstiodSecrets({ client, clock, informer: remoteSecrets, podsIn: deps.podsIn });
  const credentials = new CredentialKeeper({
    ...{ ...deps, replicas, store, connections, secrets },
    wake: (key) => wake(key),
  });
  const { cacerts, services, pods } = deps.shared;
  const trusts = new IstiodTrusts({ ...deps, cacerts, onChange: (mesh) => wakeFollowers(mesh) });
  const serviceOf = ({ namespace, name }: ObjectKey) => services.get(namespace, name);
  const primary = new PrimaryTeller({ store, connections, trusts, serviceOf });
  const keeper = new RemoteKeeper({
    ...{ clock, store, prober, primary, credentials, connections, statements },
  });
  const resolved = new ResolvedMeshCache(deps.mayAct);
  const ofClusters = new RemoteReconciler({
    ...{ clock, meshes, resolved, keeper, store, claiming: deps.meshesClaiming },
    onStatement: (mesh) => ofMeshes.enqueue(mesh),
  });
  const ofStatus = new RemotesReconciler({
    ...{ clock, meshes, resolved, status, keeper },
    statementOf: (key) => ofClusters.statementOf(key),
  });
  const clusters = new Controller(
    { name: 'remote-clusters', workers },
    { ...deps, metrics: deps.metricsOf('remote-clusters'), reconciler: ofClusters },
  );
  const ofMeshes: Controller = new Controller(
    { name: 'remotes' },
    { ...deps, metrics: deps.metricsOf('remotes'), reconciler: ofStatus },
  );
  const wake = (key: CredentialKey) => clusters.enqueue(queueKeyOf(key));
  const wakeFollowers = (mesh: ObjectKey) => {
    const object = meshes.get(mesh.namespace, mesh.name);
    for (const { clusterName, role } of object === undefined ? [] : namedRemotes(object))
      if (role === 'Remote') wake({ mesh, clusterName });
  };

  meshes.addHandler((event) => {
    const { old, current } = event;
    const asked = (object: KubernetesObject | undefined) =>
      object?.metadata.annotations?.[rotateRemotesAnnotation];
    const mayAct = (object: KubernetesObject | undefined) => object !== undefined && deps.mayAct(object);
    const isSame = asked(old) === asked(current) && mayAct(old) === mayAct(current);
    if (isSame && !changesMoreThanStatus(event)) return;
    const mesh = objectKeyOf((current ?? old) as KubernetesObject);
    ofMeshes.enqueue(mesh);
    const named = [old, current].flatMap((object) => (object === undefined ? [] : namedRemotes(object)));
    const names = new Set([...named.map(({ clusterName }) => clusterName), ...store.clustersOf(mesh)]);
    for (const clusterName of names) wake({ mesh, clusterName });
    // Of two that name the same cluster, one has waited.
    for (const claim of [old, current].flatMap((object) => (object === undefined ? [] : claimsOf(object)))) {
      if (claim.what !== 'remote') continue;
      for (const other of deps.meshesClaiming(claim.key)) {
        wake({ mesh: objectKeyOf(other), clusterName: claim.name });
      }
    }
  });
  store.secrets.addHandler(({ old, current }) => {
    const key = credentialKeyOf((current ?? old) as KubernetesObject);
    if (key !== undefined) wake(key);
  });
  remoteSecrets.addHandler(({ old, current }) => {
    const { metadata } = (current ?? old) as KubernetesObject;
    const mesh: ObjectKey | undefined = ownerByLabels(metadata.labels);
    if (mesh === undefined) return;
    const clusterName = clusterOfSecret(metadata.name);
    // The other Secret of that label has the tokens for all.
    const names = clusterName === undefined ? store.clustersOf(mesh) : [clusterName];
    for (const name of names) wake({ mesh, clusterName: name });
  });
  services.addHandler((event) => {
    for (const owner of ownersOfEvent(event)) wakeFollowers(owner);
  });
  pods.addHandler(({ old, current }) => {
    const pod = current ?? old;
    const isReady = (one: KubernetesObject | undefined) =>
      one !== undefined && someIsReady(replicaPods([one]));
    if (pod?.metadata.labels?.app !== 'istiod' || isReady(old) === isReady(current)) return;
    for (const mesh of meshes.values()) {
      if (mesh.metadata.namespace !== pod.metadata.namespace) continue;
      for (const { clusterName } of namedRemotes(mesh)) wake({ mesh: objectKeyOf(mesh), clusterName });
    }
  });
  const tellFollowersOf = (namespace: string) => {
    for (const mesh of meshes.values()) {
      if (mesh.metadata.namespace === namespace) wakeFollowers(objectKeyOf(mesh));
    }
  };
  cacerts.addHandler(({ old, current }) => tellFollowersOf((current ?? old)?.metadata.namespace ?? ''));
  return {
    controllers: [clusters, ofMeshes],
    informers: [store.secrets, remoteSecrets],
    heard: (mesh) => statements.of(mesh),
    tellFollowersOf,
  };
}
