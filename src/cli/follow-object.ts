import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject, ObjectId } from '../api/kubernetes-object.ts';
import type { KubeClient } from '../kube/client.ts';
import { GoneError } from '../kube/errors.ts';

/**
 * Calls `isDone` with a namespaced object as it was read last and with each change, until that is true. Throws when the
 * object is deleted or the API server is lost meanwhile.
 */
export async function followObject(
  client: KubeClient,
  id: ObjectId,
  from: KubernetesObject,
  isDone: (object: KubernetesObject) => boolean,
): Promise<void> {
  const stop = new AbortController();
  const kind = kindInfo(id.apiVersion, id.kind);
  const selection = { namespace: id.namespace, fieldSelector: `metadata.name=${id.name}` };
  for (let object = from; ; object = await client.get(id, stop.signal)) {
    if (isDone(object)) return;
    try {
      const options = { ...selection, resourceVersion: object.metadata.resourceVersion ?? '' };
      for await (const event of client.watch(kind, options, stop.signal)) {
        if (event.type === 'DELETED') break;
        if (event.type !== 'BOOKMARK' && isDone(event.object)) return;
      }
    } catch (error) {
      // The server keeps no version that old: the next look begins anew.
      if (!(error instanceof GoneError)) throw error;
    }
  }
}
