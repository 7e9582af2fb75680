import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import { isRecord } from '../base/stable-json.ts';
import type { Workload } from './injection-input.ts';
import { labelOf, type Pod } from './pod.ts';

/**
 * The workload that a pod belongs to, as far as its own metadata tells: the Deployment behind a ReplicaSet, the
 * CronJob behind a Job, otherwise its controller; the pod itself when it has none. The name is empty for a pod whose
 * name the API server will make up.
 */
export function inferWorkload(pod: Pod): Workload {
  const controller = ownersOf(pod).find((owner) => owner.controller === true);
  if (!pod.metadata.generateName || controller === undefined) {
    return { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name ?? '' };
  }
  const owner = {
    apiVersion: text(controller.apiVersion),
    kind: text(controller.kind),
    name: text(controller.name),
  };
  for (const rule of rules) {
    const workload = rule(owner, pod);
    if (workload !== undefined) return workload;
  }
  return owner;
}

function ownersOf({ metadata }: Pod): readonly JsonObject[] {
  return Array.isArray(metadata.ownerReferences) ? metadata.ownerReferences.filter(isRecord) : [];
}

type Rule = (owner: Workload, pod: Pod) => Workload | undefined;

const rules: readonly Rule[] = [deploymentRule, rolloutRule, deploymentConfigRule, cronJobRule];

function deploymentRule({ apiVersion, kind, name }: Workload, pod: Pod): Workload | undefined {
  const base = kind === 'ReplicaSet' ? withoutHash(name, labelOf(pod, 'pod-template-hash')) : undefined;
  return base === undefined ? undefined : { apiVersion, kind: 'Deployment', name: base };
}

/** Argo Rollouts names its version without a group, and so does Istio. */
function rolloutRule({ kind, name }: Workload, pod: Pod): Workload | undefined {
  const hash = labelOf(pod, 'rollouts-pod-template-hash');
  const base = kind === 'ReplicaSet' ? withoutHash(name, hash) : undefined;
  return base === undefined ? undefined : { apiVersion: 'v1alpha1', kind: 'Rollout', name: base };
}

function deploymentConfigRule({ apiVersion, kind }: Workload, pod: Pod): Workload | undefined {
  const name = labelOf(pod, 'deploymentconfig');
  if (kind !== 'ReplicationController' || name === undefined) return undefined;
  return { apiVersion, kind: 'DeploymentConfig', name };
}

/** The controller of CronJobs names its Jobs by the minute of their time. */
function cronJobRule({ kind, name }: Workload): Workload | undefined {
  const base = kind === 'Job' ? /^(.+)-[0-9]{8,10}$/.exec(name)?.[1] : undefined;
  return base === undefined ? undefined : { apiVersion: 'batch/v1', kind: 'CronJob', name: base };
}

function withoutHash(name: string, hash: string | undefined): string | undefined {
  return hash !== undefined && hash !== '' && name.endsWith(`-${hash}`)
    ? name.slice(0, -hash.length - 1)
    : undefined;
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
