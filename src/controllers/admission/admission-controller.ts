import { kindInfo } from '../../api/kinds.ts';
import { ownerGroup } from '../../api/labels.ts';
import type { MayAct } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ControllerMetrics, InjectorMetrics } from '../../observability/metrics.ts';
import { injectorComponent } from '../../render/injector/injector.ts';
import type { RandomSource } from '../../runtime/back-off.ts';
import { Controller } from '../../runtime/controller.ts';
import { Informer, type InformerEvent } from '../../runtime/informer.ts';
import { changesMoreThanStatus, objectKeyOf, ownersOfEvent } from '../../runtime/informer-events.ts';
import { AdmissionReconciler } from './admission-reconciler.ts';
import { statusManager, webhookManager } from './field-managers.ts';
import { injectorConditionType } from './injector-condition.ts';
import type { InjectorInformers } from './observed-injector.ts';
import { createRefusalInformer, hostOf } from './refusals.ts';
import { servingSecretSelector } from './serving-secret.ts';

/** The caches it shares with other controllers, which start them. */
export type SharedInformers = Pick<
  InjectorInformers,
  'meshes' | 'deployments' | 'configMaps' | 'webhooks' | 'pods'
>;

export interface AdmissionControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly injectorMetrics: InjectorMetrics;
  readonly events: EventRecorder;
  readonly shared: SharedInformers;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** The controller and the caches of its own; the manager starts both. */
export interface AdmissionController {
  readonly controller: Controller;
  readonly informers: readonly Informer[];
}

/**
 * Wires the admission controller. What wakes a mesh: a change of its spec or deletion; any change of its injector's
 * Deployment, configuration, webhooks or serving Secret; a pod that was refused since its injector could not be asked.
 */
export function createAdmissionController(deps: AdmissionControllerDeps): AdmissionController {
  const { client, clock, shared } = deps;
  const secrets = new Informer(
    { kind: kindInfo('v1', 'Secret'), labelSelector: servingSecretSelector, index: ownerGroup },
    deps,
  );
  const refusals = createRefusalInformer(deps);
  const informers: InjectorInformers = { ...shared, secrets, refusals };
  const applier = new Applier({
    client,
    fieldManager: webhookManager,
    onWrite: (object) => secrets.observeWrite(object),
  });
  const status = new StatusWriter(
    { fieldManager: statusManager, fields: [], conditions: [injectorConditionType] },
    { client, clock },
  );
  const reconciler = new AdmissionReconciler({
    ...deps,
    ...{ applier, status, informers, metrics: deps.injectorMetrics },
  });
  const controller = new Controller({ name: 'admission' }, { ...deps, reconciler });

  shared.meshes.addHandler((event) => {
    const mesh = event.current ?? event.old;
    if (mesh !== undefined && changesMoreThanStatus(event)) controller.enqueue(objectKeyOf(mesh));
  });
  const ofInjectors = (event: InformerEvent) => {
    for (const owner of ownersOfEvent(event)) controller.enqueue(owner);
  };
  for (const informer of [shared.deployments, shared.configMaps, shared.webhooks]) {
    informer.addHandler((event) => {
      if (isOfInjector(event)) ofInjectors(event);
    });
  }
  secrets.addHandler(ofInjectors);
  refusals.addHandler(({ current }) => {
    if (current === undefined || hostOf(current).length === 0) return;
    for (const mesh of shared.meshes.values()) {
      if (hostOf(current).some((host) => host.endsWith(`.${mesh.metadata.namespace}.svc`))) {
        controller.enqueue(objectKeyOf(mesh));
      }
    }
  });
  return { controller, informers: [secrets, refusals] };
}

function isOfInjector({ old, current }: InformerEvent): boolean {
  return [old, current].some((object) => object?.metadata.labels?.app === injectorComponent);
}
