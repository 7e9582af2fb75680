import { kindInfo } from '../../src/api/kinds.ts';
import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { managedByLabel } from '../../src/api/labels.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { unhealthiness } from '../../src/controllers/mesh/object-health.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { renderMesh } from '../../src/render/render-mesh.ts';
import { aRenderContext } from '../support/render-context.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { awaitNoPods, benchMeshes, createNamespaces } from './bench-meshes.ts';
import { never, watchKinds } from './cluster-view.ts';

/** What no operator can undercut on this machine. */
export interface Floor {
  readonly objectsPerMesh: number;
  /** Until the last object is written. */
  readonly writtenMs: number;
  /** Until every Deployment is available and every balanced Service has its address. */
  readonly readyMs: number;
  readonly apiServerCpuSeconds: number;
}

/**
 * Writes the objects of `count` meshes by a plain loop of server-side applies with as many requests at once as the
 * operator has: no watch, no status, no waves, everything rendered beforehand. Removes them again.
 */
export async function measureFloor(bench: BenchCluster, count: number): Promise<Floor> {
  const { client, operatorClient, apiServerCpuSeconds } = bench;
  const batch = `floor-${count}`;
  const meshes = benchMeshes(batch, count);
  await createNamespaces(client, meshes);
  const objects = meshes.flatMap((mesh) => plainObjects(mesh, batch));
  const kinds = [kindInfo('apps/v1', 'Deployment'), kindInfo('v1', 'Service')];
  const view = await watchKinds(client, kinds, `${managedByLabel}=${batch}`);
  const cpuBefore = await apiServerCpuSeconds();
  const startMs = performance.now();
  await applyAll(operatorClient, objects);
  const writtenMs = performance.now() - startMs;
  const waiting = new Set(objects.filter(({ kind }) => kind === 'Deployment' || kind === 'Service'));
  const readyMs = await view.until('the plainly written objects are healthy', 300_000, () => {
    for (const object of waiting) {
      const observed = view.get(idOf(object));
      if (observed === undefined || unhealthiness(observed) !== undefined) return undefined;
      waiting.delete(object);
    }
    return performance.now() - startMs;
  });
  const apiServerCpu = (await apiServerCpuSeconds()) - cpuBefore;

  await view.close();
  await Promise.all(objects.map((object) => client.delete(idOf(object), {}, never)));
  await awaitNoPods(client, batch);
  return {
    objectsPerMesh: objects.length / count,
    writtenMs,
    readyMs,
    apiServerCpuSeconds: apiServerCpu,
  };
}

/** What the operator would apply, with a label that keeps it out of the operator's caches. */
function plainObjects(mesh: MeshOperator, label: string): KubernetesObject[] {
  return renderMesh(resolveMesh(mesh), aRenderContext())
    .flatMap((wave) => wave.objects)
    .map((object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { ...object.metadata.labels, [managedByLabel]: label } },
    }));
}

/** Bindings last: whoever binds a role must hold what it grants, so the API server looks the role up. */
async function applyAll(client: KubeClient, objects: readonly KubernetesObject[]): Promise<void> {
  const options = { fieldManager: 'bench-floor', force: true };
  const isBinding = ({ kind }: KubernetesObject) => kind.endsWith('RoleBinding');
  for (const round of [objects.filter((object) => !isBinding(object)), objects.filter(isBinding)]) {
    const settled = await Promise.allSettled(round.map((object) => client.apply(object, options, never)));
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
