import { injectorReachedAt } from '../../api/injector-reached.ts';
import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { externalAddresses, loadBalancerAddresses, textsOf } from '../../api/service-addresses.ts';
import { isRecord } from '../../base/stable-json.ts';
import { isSettled } from '../../render/revisions/read-revision.ts';

/** Why an object is not healthy yet. */
export interface Unhealthy {
  /** One PascalCase word, used as a condition reason. */
  readonly reason: string;
  /** A sentence that names the object and what it waits for. */
  readonly message: string;
  /** True when waiting will not help by itself, such as a Deployment past its progress deadline. */
  readonly isFailed: boolean;
}

/** Why objects that were applied together do not do their work yet, in their order. */
export function unhealthyOf(objects: readonly KubernetesObject[]): Unhealthy[] {
  return objects.flatMap((object) => unhealthiness(object, autoscalerOf(object, objects)) ?? []);
}

/**
 * Undefined for an object that does its work, as kstatus reads it; kinds without a state are healthy once they exist.
 * A Service of type LoadBalancer is healthy when it has an address, an injector's webhook when the API server has been
 * seen to reach the injector, a MeshOperator when it is Ready. A Deployment with an autoscaler needs the autoscaler's
 * least number of replicas: those that come and go with the load do not concern the mesh.
 */
export function unhealthiness(
  object: KubernetesObject,
  autoscaler?: KubernetesObject,
): Unhealthy | undefined {
  switch (object.kind) {
    case 'Deployment':
      return deploymentUnhealthiness(object, autoscaler);
    case 'DaemonSet':
      return daemonSetUnhealthiness(object);
    case 'Service':
      return serviceUnhealthiness(object);
    case 'MutatingWebhookConfiguration':
      return webhookUnhealthiness(object);
    case 'MeshOperator':
      return meshUnhealthiness(object);
    default:
      return undefined;
  }
}

function autoscalerOf(
  { kind, metadata }: KubernetesObject,
  objects: readonly KubernetesObject[],
): KubernetesObject | undefined {
  if (kind !== 'Deployment') return undefined;
  return objects.find(
    (other) =>
      other.kind === 'HorizontalPodAutoscaler' &&
      other.metadata.namespace === metadata.namespace &&
      recordOf(recordOf(other.spec).scaleTargetRef).name === metadata.name,
  );
}

function deploymentUnhealthiness(
  deployment: KubernetesObject,
  autoscaler: KubernetesObject | undefined,
): Unhealthy | undefined {
  const name = idText(idOf(deployment));
  const status = recordOf(deployment.status);
  const replicas = numberOf(recordOf(deployment.spec).replicas, 1);
  const wanted = autoscaler === undefined ? replicas : numberOf(recordOf(autoscaler.spec).minReplicas, 1);
  const isScaled = autoscaler !== undefined && isRolledOut(status) && numberOf(status.replicas) !== replicas;

  if (numberOf(status.observedGeneration) < (deployment.metadata.generation ?? 0) && !isScaled) {
    return waiting('Progressing', `${name} waits for the deployment controller to see its latest change`);
  }
  const deadline = conditionOf(status, 'Progressing');
  if (deadline?.reason === 'ProgressDeadlineExceeded') {
    const stuck = `${name} made no progress within its deadline: ${textOf(deadline.message)}; look at its pods`;
    return { reason: 'ProgressDeadlineExceeded', message: stuck, isFailed: true };
  }
  const updated = numberOf(status.updatedReplicas);
  if (updated < wanted) return waiting('Progressing', `${name} has ${updated} of ${wanted} replicas updated`);
  if (numberOf(status.replicas) > updated) {
    return waiting('Progressing', `${name} still has ${numberOf(status.replicas) - updated} old replicas`);
  }
  const available = numberOf(status.availableReplicas);
  if (available < wanted)
    return waiting('Progressing', `${name} has ${available} of ${wanted} replicas available`);
  return undefined;
}

/** A pod of the wanted kind on every node; where people replace the pods themselves, older ones will do. */
function daemonSetUnhealthiness(daemonSet: KubernetesObject): Unhealthy | undefined {
  const name = idText(idOf(daemonSet));
  const status = recordOf(daemonSet.status);
  if (numberOf(status.observedGeneration) < (daemonSet.metadata.generation ?? 0)) {
    return waiting('Progressing', `${name} waits for the DaemonSet controller to see its latest change`);
  }
  const wanted = numberOf(status.desiredNumberScheduled);
  const isOnDelete = recordOf(recordOf(daemonSet.spec).updateStrategy).type === 'OnDelete';
  const counts = [
    { has: numberOf(status.currentNumberScheduled), what: 'scheduled' },
    ...(isOnDelete ? [] : [{ has: numberOf(status.updatedNumberScheduled), what: 'updated' }]),
    { has: numberOf(status.numberReady), what: 'ready' },
    { has: numberOf(status.numberAvailable), what: 'available' },
  ];
  const short = counts.find(({ has }) => has < wanted);
  if (short === undefined) return undefined;
  return waiting('Progressing', `${name} has ${short.has} of ${wanted} pods ${short.what}`);
}

/** True since the last change of the pod template has reached every replica; another number of them leaves that as it is. */
function isRolledOut(status: Record<string, unknown>): boolean {
  return conditionOf(status, 'Progressing')?.reason === 'NewReplicaSetAvailable';
}

function serviceUnhealthiness(service: KubernetesObject): Unhealthy | undefined {
  if (recordOf(service.spec).type !== 'LoadBalancer' || loadBalancerAddresses(service).length > 0)
    return undefined;
  const hint = 'where the cluster has no load balancer, set its k8s.service.type to ClusterIP or NodePort';
  return waiting('AddressPending', `${idText(idOf(service))} has no load balancer address yet; ${hint}`);
}

/** The admission controller says in an annotation whether its self-tests succeed. */
function webhookUnhealthiness(configuration: KubernetesObject): Unhealthy | undefined {
  if (injectorReachedAt(configuration) !== undefined) return undefined;
  const name = idText(idOf(configuration));
  return waiting(
    'InjectorNotReached',
    `${name} waits until the API server reaches the injector: see InjectorReady`,
  );
}

/** A control plane of a mesh whose upgrades are `RevisionBased`. */
function meshUnhealthiness(mesh: KubernetesObject): Unhealthy | undefined {
  if (isSettled(mesh)) return undefined;
  const name = idText(idOf(mesh));
  const ready = conditionOf(recordOf(mesh.status), 'Ready');
  const isStalled = conditionOf(recordOf(mesh.status), 'Stalled')?.status === 'True';
  const says = textOf(ready?.message) || 'the operator has not seen it yet';
  return { reason: textOf(ready?.reason) || 'Progressing', message: `${name}: ${says}`, isFailed: isStalled };
}

/**
 * Where a gateway is reached: what a load balancer gave, and for a Service of another type its external addresses, or
 * those in the cluster.
 */
export function gatewayAddresses(service: KubernetesObject): string[] {
  const { type, clusterIPs } = recordOf(service.spec);
  if (type === 'LoadBalancer') return loadBalancerAddresses(service);
  const external = externalAddresses(service);
  return external.length > 0 ? external : textsOf(clusterIPs).filter((address) => address !== 'None');
}

function waiting(reason: string, message: string): Unhealthy {
  return { reason, message, isFailed: false };
}

function conditionOf(status: Record<string, unknown>, type: string): Record<string, unknown> | undefined {
  const { conditions } = status;
  return Array.isArray(conditions)
    ? conditions.filter(isRecord).find((entry) => entry.type === type)
    : undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function numberOf(value: unknown, fallback = 0): number {
  return typeof value === 'number' ? value : fallback;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
