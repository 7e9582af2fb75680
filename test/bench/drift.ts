import { randomInt } from 'node:crypto';
import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { managedBySelector } from '../../src/api/labels.ts';
import { ownedKinds } from '../../src/controllers/mesh/owned-kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { type BenchRow, benchRow, percentile } from './bench-table.ts';
import { type ClusterView, never, watchKinds } from './cluster-view.ts';

const repairs = 200;
const repairLimitMs = 30_000;
const goalSeconds = 0.3;
const publishedSeconds = '0.3 to 0.5 s';

/**
 * Deletes or edits objects of random meshes, one after the other, and takes the time from the answer to that until
 * a watch brings the repaired object. The operator runs and every mesh is Ready.
 */
export async function measureDrift({ client }: BenchCluster): Promise<BenchRow[]> {
  const view = await watchKinds(client, ownedKinds, managedBySelector);
  try {
    const times: number[] = [];
    for (let round = 0; round < repairs; round += 1) {
      const victim = randomObject(view);
      const edit = round % 2 === 0 ? undefined : editOf(victim);
      times.push(await (edit === undefined ? timeRecreation : timeRestoration)(client, view, victim, edit));
    }
    const row = (name: string, share: number) =>
      benchRow({
        name: `drift repaired (${repairs} deletions and edits): ${name}`,
        ours: percentile(times, share) / 1000,
        unit: 's',
        goal: share === 0.99 ? goalSeconds : undefined,
        published: publishedSeconds,
      });
    return [row('p50', 0.5), row('p99', 0.99)];
  } finally {
    await view.close();
  }
}

function randomObject(view: ClusterView): KubernetesObject {
  const kind = ownedKinds[randomInt(ownedKinds.length)];
  const objects = kind === undefined ? [] : view.all(kind);
  const object = objects[objects.length === 0 ? 0 : randomInt(objects.length)];
  return object ?? randomObject(view);
}

/** A merge patch to a field that the operator owns, for the kinds where one is easy to name. */
function editOf(object: KubernetesObject): Record<string, unknown> | undefined {
  switch (object.kind) {
    case 'ConfigMap':
      return { data: { mesh: 'edited' } };
    case 'Deployment':
      return { spec: { template: { spec: { serviceAccountName: 'edited' } } } };
    case 'Service':
      return { spec: { selector: { edited: 'yes' } } };
    case 'Role':
    case 'ClusterRole':
      return { rules: [] };
    case 'PodDisruptionBudget':
      return { spec: { minAvailable: 7 } };
    case 'HorizontalPodAutoscaler':
      return { spec: { maxReplicas: 77 } };
    default:
      return undefined;
  }
}

async function timeRecreation(
  client: KubeClient,
  view: ClusterView,
  victim: KubernetesObject,
): Promise<number> {
  const id = idOf(victim);
  const repaired = view.until(`${id.kind} ${id.name} is made again`, repairLimitMs, () => {
    const { uid } = view.get(id)?.metadata ?? {};
    return uid === undefined || uid === victim.metadata.uid ? undefined : performance.now();
  });
  await client.delete(id, {}, never);
  const answeredMs = performance.now();
  return Math.max(0, (await repaired) - answeredMs);
}

async function timeRestoration(
  client: KubeClient,
  view: ClusterView,
  victim: KubernetesObject,
  edit: Record<string, unknown> | undefined,
): Promise<number> {
  const id = idOf(victim);
  const wanted = contentOf(victim);
  let wasEdited = false;
  const repaired = view.until(`${id.kind} ${id.name} is as it was`, repairLimitMs, () => {
    const isAsBefore = contentOf(view.get(id)) === wanted;
    wasEdited ||= !isAsBefore;
    return wasEdited && isAsBefore ? performance.now() : undefined;
  });
  await client.patch(id, { type: 'merge', merge: edit ?? {} }, { fieldManager: 'bench' }, never);
  const answeredMs = performance.now();
  return Math.max(0, (await repaired) - answeredMs);
}

/** What the operator wants of an object, without what the API server and other controllers write. */
function contentOf(object: KubernetesObject | undefined): string {
  if (object === undefined) return '';
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, status: _status, ...content } = object;
  return JSON.stringify(content);
}
