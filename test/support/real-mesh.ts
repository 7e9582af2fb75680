import { load } from 'js-yaml';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
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
 * these fields added to its spec, and returns when it is Ready. The data plane is a stock Envoy (`stock-envoy.yaml`).
 */
export async function installRealMesh(manifest: string, spec: MeshOperatorSpec = {}): Promise<RealMesh> {
  const cluster = await sharedCluster('kubelet');
  const admin = testClient(cluster.kubeconfigPath);
  await importImages(cluster, ['istiod', 'proxyv2', 'test-app']);
  await installOperator(cluster);
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
  const object = load(await readManifest(manifest)) as MeshOperator;
  await cluster.apply(JSON.stringify({ ...object, spec: { ...object.spec, ...spec } }));
  const mesh = new TestMesh(admin.client, { namespace, name: 'mesh' }, 120_000);
  await mesh.until('Ready');
  await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
  return { cluster, admin, mesh };
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
