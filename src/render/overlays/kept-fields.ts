import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { managedByLabel, meshLabel, meshNamespaceLabel } from '../../api/labels.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';

/** Something about an object that no overlay may change, and what to say of it. */
interface Rule {
  readonly holds: (before: KubernetesObject, after: KubernetesObject) => boolean;
  readonly message: string;
}

const ownerLabels: readonly string[] = [managedByLabel, meshLabel, meshNamespaceLabel];
const writableMetadata: readonly string[] = ['annotations', 'finalizers', 'labels'];

const rules: readonly Rule[] = [
  {
    holds: (_before, { metadata }) => isRecord(metadata),
    message: 'must not take metadata away',
  },
  {
    holds: same(({ apiVersion, kind, metadata }) => [apiVersion, kind, metadata.name]),
    message: 'must not change which object this is: apiVersion, kind and metadata.name stay',
  },
  {
    holds: same(({ metadata }) => metadata.namespace),
    message: 'must not move the object: a namespace is set where the component has a field for it',
  },
  {
    holds: same(({ metadata }) => [
      metadata.ownerReferences,
      ownerLabels.map((name) => metadata.labels?.[name]),
    ]),
    message: `must not change whose object this is: ownerReferences and the labels ${ownerLabels.join(', ')} stay`,
  },
  {
    holds: same(({ metadata }) =>
      Object.entries(metadata).filter(([field]) => !writableMetadata.includes(field)),
    ),
    message: `must not set what the API server sets: of metadata only ${writableMetadata.join(', ')} can be changed`,
  },
  {
    holds: (_before, after) => after.status === undefined,
    message: 'must not set a status, which tells what is the case',
  },
  {
    holds: keepsReplicas,
    message:
      'must not set the number of replicas, which a HorizontalPodAutoscaler does: set hpaSpec, or replicaCount instead of an autoscaler',
  },
  {
    holds: keepsWebhookState,
    message:
      'must not set what is kept while the mesh runs, caBundle and failurePolicy: see spec.sidecarInjector.failurePolicy',
  },
];

/** Why a change of an object is refused, as a sentence; undefined for one that is not. */
export function refusalOf(before: KubernetesObject, after: KubernetesObject): string | undefined {
  return rules.find(({ holds }) => !holds(before, after))?.message;
}

function same(part: (object: KubernetesObject) => unknown): Rule['holds'] {
  return (before, after) => stableJson(part(before) ?? null) === stableJson(part(after) ?? null);
}

/** A Deployment without replicas has an autoscaler, and both would set them in turn. */
function keepsReplicas(before: KubernetesObject, after: KubernetesObject): boolean {
  if (before.kind !== 'Deployment') return true;
  return !isRecord(after.spec) || after.spec.replicas === undefined || hasReplicas(before.spec);
}

function hasReplicas(spec: unknown): boolean {
  return isRecord(spec) && spec.replicas !== undefined;
}

/** Controllers and istiod write these parts of the webhooks that were rendered; others can come and go. */
function keepsWebhookState(before: KubernetesObject, after: KubernetesObject): boolean {
  const states = webhookStates(before);
  return [...webhookStates(after)].every(([name, state]) => (states.get(name) ?? state) === state);
}

function webhookStates({ kind, webhooks }: KubernetesObject): Map<unknown, string> {
  const list = kind.endsWith('WebhookConfiguration') && Array.isArray(webhooks) ? webhooks : [];
  return new Map(
    list
      .filter(isRecord)
      .map(({ name, failurePolicy, clientConfig }) => [
        name,
        stableJson([failurePolicy, isRecord(clientConfig) ? clientConfig.caBundle : undefined]),
      ]),
  );
}
