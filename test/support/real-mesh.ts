import { load } from 'js-yaml';
import { mergeJson } from '../../src/api/merge-json.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { importImages, installOperator, readManifest } from '../cluster/operator.ts';
import { sharedCluster } from './shared-cluster.ts';
import { type TestClient, testClient } from './test-client.ts';
import { TestMesh } from './test-mesh.ts';

const namespace = 'istio-system';

/** A mesh whose parts really run, on the shared cluster with a real node. */
export interface RealMesh {
  readonly cluster: Cluster;
  readonly admin: TestClient;
  readonly mesh: TestMesh;
}

/**
 * Installs the operator with its chart, applies the MeshOperator `istio-system/mesh` of a file of the repository, with
 * these settings besides, and returns when it is Ready. The data plane is a stock Envoy (`stock-envoy.yaml`); a mesh with
 * metrics in its `spec.telemetry` must turn them off itself.
 */
export async function installRealMesh(
  manifest: string,
  ...settings: readonly MeshOperatorSpec[]
): Promise<RealMesh> {
  const cluster = await sharedCluster('kubelet');
  const admin = testClient(cluster.kubeconfigPath);
  await importImages(cluster, ['istiod', 'proxyv2', 'test-app']);
  await installOperator(cluster);
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
  const { telemetry } = await applyMesh(cluster, manifest, ...settings);
  const mesh = new TestMesh(admin.client, { namespace, name: 'mesh' });
  await mesh.until('Ready');
  // Of two Telemetries for the whole mesh Istio reads the older one alone.
  if (telemetry?.metrics === undefined) {
    await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
  }
  return { cluster, admin, mesh };
}

/**
 * Applies the MeshOperator of a file of the repository with these settings besides, and gives the whole spec; lists and
 * scalars replace what is there, and later settings earlier ones.
 */
export async function applyMesh(
  cluster: Cluster,
  manifest: string,
  ...settings: readonly MeshOperatorSpec[]
): Promise<MeshOperatorSpec> {
  const object = load(await readManifest(manifest)) as MeshOperator;
  const merged = mergeJson(object.spec as JsonObject, ...(settings as readonly JsonObject[]));
  await cluster.apply(JSON.stringify({ ...object, spec: merged }));
  return merged as MeshOperatorSpec;
}

/** Deletes the mesh, its namespace and the namespaces of its apps, and returns when they are gone; the operator stays. */
export async function removeRealMesh(real: RealMesh, ...appNamespaces: readonly string[]): Promise<void> {
  const { cluster, admin, mesh } = real;
  await cluster.kubectl('delete', 'namespaces', '--ignore-not-found', ...appNamespaces);
  await mesh.delete();
  await mesh.untilGone();
  await cluster.kubectl('delete', 'namespace', namespace);
  await admin.connection.close();
}
