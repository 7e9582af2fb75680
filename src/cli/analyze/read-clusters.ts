import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import { validateMeshOperator } from '../../api/validate.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf, NotFoundError } from '../../base/errors.ts';
import { probeRemote } from '../../controllers/remotes/probe-remote.ts';
import { remoteAccess } from '../../controllers/remotes/remote-access.ts';
import { remoteSecretName } from '../../controllers/remotes/remote-secret.ts';
import { KubeClient } from '../../kube/client.ts';
import { connectRemote, type RemoteIdentity, readKubeconfig } from '../../kube/remote-identity.ts';
import { readSecretText } from '../../kube/secret-data.ts';
import { listAllMeshes } from '../all-meshes.ts';
import { listAll, listIstioObjects } from '../istio-kinds.ts';
import { withoutStatus } from './analysis-input.ts';
import { type ComparedCluster, placeInMesh } from './compared-cluster.ts';
import type { AnalysisFinding } from './finding.ts';

/** A cluster by somebody's rights there. */
export interface NamedClient {
  /** Until the cluster says its own. */
  readonly name: string;
  readonly client: KubeClient;
}

/** Where meshes are when no cluster says so. */
const usualNamespace = 'istio-system';

/** What clusters have that are compared as those of one mesh, each by its own client. Only reads. */
export async function readClusters(
  clients: readonly NamedClient[],
  clock: Clock,
  signal: AbortSignal,
): Promise<ComparedCluster[]> {
  const meshes = (await Promise.all(clients.map(({ client }) => listAllMeshes(client, signal)))).flat();
  const [first] = meshes.filter(isOfSeveral);
  const namespace = first?.metadata.namespace ?? usualNamespace;
  return Promise.all(
    clients.map(async ({ name, client }) => {
      const facts = await probeRemote(client, namespace, clock, signal);
      return {
        ...{ name: placeInMesh(facts)?.clusterName ?? name, facts },
        ...(await readObjects(client, signal)),
      };
    }),
  );
}

/** The clusters of one mesh, as far as they can be read, and the ones that cannot. */
export interface ReadMesh {
  readonly clusters: readonly ComparedCluster[];
  readonly unread: readonly AnalysisFinding[];
}

/**
 * Each mesh of several clusters of this one, with the other clusters by the Secrets of the mesh: who they are as the
 * operator sees it, and the rest as istiod does. Only reads.
 */
export async function readRemotes(
  client: KubeClient,
  clock: Clock,
  signal: AbortSignal,
): Promise<ReadMesh[]> {
  const meshes = (await listAllMeshes(client, signal)).filter(
    (object) => isOfSeveral(object) && validateMeshOperator(withoutStatus(object)).length === 0,
  );
  return Promise.all(
    meshes.map(async (object) => {
      const mesh = resolveMesh(object as unknown as MeshOperator);
      const facts = await probeRemote(client, mesh.namespace, clock, signal);
      const own = {
        ...{ name: mesh.clusterId, facts: { ...facts, meshes: [object] } },
        ...(await readObjects(client, signal)),
      };
      const unread: AnalysisFinding[] = [];
      const others = (mesh.multiCluster?.remotes ?? []).map(async (remote) => {
        try {
          return [await readRemote(client, mesh, remote, clock, signal)];
        } catch (error) {
          unread.push({
            ...({ severity: 'warning', rule: 'ClusterUnread' } as const),
            object: `Cluster ${remote.clusterName}`,
            why: `it could not be read: ${messageOf(error)}`,
            fix: 'see "mesh-operator status --remotes", or name both clusters by --context',
          });
          return [];
        }
      });
      return { clusters: [own, ...(await Promise.all(others)).flat()], unread };
    }),
  );
}

async function readRemote(
  client: KubeClient,
  mesh: ResolvedMesh,
  remote: ResolvedRemote,
  clock: Clock,
  signal: AbortSignal,
): Promise<ComparedCluster> {
  const { clusterName, access } = remote;
  const { namespace } = mesh;
  const secret = (name: string) => client.find({ apiVersion: 'v1', kind: 'Secret', namespace, name }, signal);
  const name = remoteSecretName(clusterName);
  const ofIstiod = await secret(name);
  if (ofIstiod === undefined) {
    throw new NotFoundError(`There is no Secret ${namespace}/${name} yet`, { reason: 'NotFound' });
  }
  const key = { namespace, name: access.secretName };
  const { identity: operator } = remoteAccess(remote, key, await secret(access.secretName));
  const reader = readKubeconfig(readSecretText(ofIstiod, clusterName) ?? '', `Secret ${namespace}/${name}`);
  const facts = await as(operator, clock, (there) => probeRemote(there, namespace, clock, signal));
  // The operator goes by its own address, which may be another one than istiod's.
  const objects = await as({ ...operator, credential: reader.credential }, clock, (there) =>
    readObjects(there, signal),
  );
  const ofMesh = facts.meshes.filter((object) => placeOf(object)?.meshID === mesh.meshId);
  return {
    name: clusterName,
    facts: { ...facts, meshes: ofMesh.length > 0 ? ofMesh : facts.meshes },
    ...objects,
  };
}

/** Reads as somebody, and leaves no connection open. */
async function as<T>(
  identity: RemoteIdentity,
  clock: Clock,
  read: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const connection = connectRemote(identity, clock);
  try {
    return await read(new KubeClient({ connection, clock }));
  } finally {
    await connection.close();
  }
}

async function readObjects(
  client: KubeClient,
  signal: AbortSignal,
): Promise<Pick<ComparedCluster, 'namespaces' | 'services' | 'istioObjects'>> {
  const [namespaces, services, istioObjects] = await Promise.all([
    listAll(client, kindInfo('v1', 'Namespace'), signal),
    listAll(client, kindInfo('v1', 'Service'), signal),
    listIstioObjects(client, signal),
  ]);
  return { namespaces, services, istioObjects };
}

function isOfSeveral(object: KubernetesObject): boolean {
  return placeOf(object) !== undefined;
}

function placeOf(object: KubernetesObject) {
  return (object as unknown as MeshOperator).spec?.multiCluster;
}
