import { idOf, type ObjectId, type ObjectKey } from '../../src/api/kubernetes-object.ts';
import { ownershipLabels } from '../../src/api/labels.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { never } from './test-client.ts';

/** The pod that `runIstiodPod` makes. */
export function istiodPodIn(namespace: string): ObjectId {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name: 'istiod' };
}

/** A pod of a mesh's istiod that runs, as a kubelet would say, in a cluster that has nobody who makes pods. */
export async function runIstiodPod(client: KubeClient, mesh: ObjectKey): Promise<void> {
  const { namespace } = mesh;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
  await client.create(account, { fieldManager: 'test' }, never);
  const pod = await client.create(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'istiod', namespace, labels: { ...ownershipLabels(mesh), app: 'istiod' } },
      spec: { containers: [{ name: 'discovery', image: 'istiod' }] },
    },
    { fieldManager: 'test' },
    never,
  );
  const merge = { status: { phase: 'Running' } };
  const options = { fieldManager: 'test', subresource: 'status' };
  await client.patch(idOf(pod), { type: 'merge', merge }, options, never);
}
