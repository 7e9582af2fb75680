import { readFile } from 'node:fs/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';

/** Applies the CRD, and returns when the API server serves MeshOperators. */
export async function installMeshOperatorCrd(cluster: Cluster): Promise<void> {
  await cluster.apply(await readFile('crds/meshoperators.meshoperator.dev.yaml', 'utf8'));
  await untilMeshOperatorsAreServed(cluster);
}

/** An API server serves a new kind some time after it has taken the CRD. */
export async function untilMeshOperatorsAreServed(cluster: Cluster): Promise<void> {
  await waitUntil({ what: 'the API server serves MeshOperators' }, () =>
    cluster.kubectl('get', '--raw', '/apis/meshoperator.dev/v1alpha1/meshoperators'),
  );
}
