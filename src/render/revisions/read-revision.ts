import { findCondition } from '../../api/conditions.ts';
import { type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { tagConfigurationPrefix } from '../injector/names.ts';
import type { ObservedRevision } from './plan-revisions.ts';

/**
 * The control planes of a mesh among all MeshOperators, by revision; those that are being deleted are none, and those in
 * another namespace neither: labels say what whoever writes them wants.
 */
export function readRevisions(
  owner: ObjectKey,
  all: Iterable<KubernetesObject>,
): ReadonlyMap<string, ObservedRevision> {
  const found = new Map<string, ObservedRevision>();
  for (const object of all) {
    const { labels, deletionTimestamp } = object.metadata;
    const belongsTo = ownerByLabels(labels);
    if (belongsTo === undefined || keyText(belongsTo) !== keyText(owner)) continue;
    if (object.metadata.namespace !== owner.namespace) continue;
    const { spec = {}, status } = object as unknown as MeshOperator;
    if (deletionTimestamp !== undefined || spec.revision === undefined) continue;
    found.set(spec.revision, {
      spec,
      scope: spec.revisionTagScope ?? {},
      isSettled: isSettled(object),
      hasTagWebhooks: (status?.inventory ?? []).some(
        ({ kind, name }) =>
          kind === 'MutatingWebhookConfiguration' && name.startsWith(tagConfigurationPrefix),
      ),
    });
  }
  return found;
}

/** True when a MeshOperator is Ready, and its status speaks of its present spec. */
export function isSettled(object: KubernetesObject): boolean {
  const { status } = object as unknown as MeshOperator;
  const ready = findCondition(status?.conditions ?? [], 'Ready');
  return status?.observedGeneration === object.metadata.generation && ready?.status === 'True';
}
