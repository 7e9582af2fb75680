import { kindInfo } from '../../src/api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectId } from '../../src/api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorStatus } from '../../src/api/mesh-operator-status.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never, watchKinds } from './cluster-view.ts';

const fieldManager = 'bench';
const readyLimitMs = 300_000;

/** `count` meshes, each with a namespace, a revision and an ingress gateway of its own. */
export function benchMeshes(batch: string, count: number): MeshOperator[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${batch}-${index}`;
    return {
      apiVersion: meshOperatorApiVersion,
      kind: meshOperatorKind,
      metadata: { name: 'mesh', namespace: name },
      spec: {
        revision: name,
        sidecarInjector: { enabled: false },
        components: { ingressGateways: [{ name: 'gateway' }] },
      },
    };
  });
}

/** Creates the namespaces of the meshes. */
export async function createNamespaces(client: KubeClient, meshes: readonly MeshOperator[]): Promise<void> {
  await Promise.all(
    meshes.map(({ metadata }) =>
      client.create(
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata.namespace ?? '' } },
        { fieldManager },
        never,
      ),
    ),
  );
}

/**
 * Applies all meshes at once and returns the milliseconds from the first request until each is Ready, and `isDone` by its
 * status.
 */
export async function applyUntilReady(
  client: KubeClient,
  meshes: readonly MeshOperator[],
  isDone: (status: MeshOperatorStatus) => boolean = () => true,
): Promise<number> {
  const view = await watchKinds(client, [kindInfo(meshOperatorApiVersion, meshOperatorKind)]);
  try {
    const startMs = performance.now();
    const written = await Promise.all(
      meshes.map((mesh) => client.apply(mesh as unknown as KubernetesObject, { fieldManager }, never)),
    );
    // Those that were Ready before must become so in their new generation.
    const generations = written.map(({ metadata }) => metadata.generation ?? 0);
    const waiting = new Map(meshes.map((mesh, index) => [keyOfMesh(mesh), generations[index] ?? 0]));
    return await view.until(`${meshes.length} meshes are Ready`, readyLimitMs, () => {
      for (const [key, generation] of waiting) {
        const mesh = view.get(meshId(key));
        if (mesh === undefined || !isReady(mesh, generation, isDone)) return undefined;
        waiting.delete(key);
      }
      return performance.now() - startMs;
    });
  } finally {
    await view.close();
  }
}

/** Deletes all meshes at once; returns the milliseconds until the last is gone, with the finalizer. */
export async function deleteUntilGone(client: KubeClient, meshes: readonly MeshOperator[]): Promise<number> {
  const kind = kindInfo(meshOperatorApiVersion, meshOperatorKind);
  const view = await watchKinds(client, [kind]);
  try {
    const startMs = performance.now();
    await Promise.all(meshes.map((mesh) => client.delete(meshId(keyOfMesh(mesh)), {}, never)));
    return await view.until('every mesh is gone', readyLimitMs, () =>
      meshes.some((mesh) => view.get(meshId(keyOfMesh(mesh))) !== undefined)
        ? undefined
        : performance.now() - startMs,
    );
  } finally {
    await view.close();
  }
}

/** Returns when no pod of the meshes' namespaces is left, so that the next measurement has the machine for itself. */
export async function awaitNoPods(client: KubeClient, batch: string): Promise<void> {
  await waitUntil({ what: `no pod of ${batch} is left`, limitMs: 120_000, intervalMs: 500 }, async () => {
    const { items } = await client.list(kindInfo('v1', 'Pod'), {}, never);
    return !items.some((pod) => pod.metadata.namespace?.startsWith(`${batch}-`));
  });
}

function isReady(
  mesh: KubernetesObject,
  generation: number,
  isDone: (status: MeshOperatorStatus) => boolean,
): boolean {
  const status = mesh.status as MeshOperatorStatus | undefined;
  return status?.state === 'Ready' && (status.observedGeneration ?? 0) >= generation && isDone(status);
}

function keyOfMesh({ metadata }: MeshOperator): string {
  return keyText({ namespace: metadata.namespace ?? '', name: metadata.name });
}

function meshId(key: string): ObjectId {
  const [namespace = '', name = ''] = key.split('/');
  return { apiVersion: meshOperatorApiVersion, kind: meshOperatorKind, namespace, name };
}
