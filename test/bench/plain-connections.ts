import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import { resolveMesh } from '../../src/api/resolve.ts';
import { systemClock } from '../../src/base/clock.ts';
import {
  issueToken,
  withdrawOtherTokens,
  withdrawToken,
} from '../../src/controllers/remotes/reader-tokens.ts';
import { remoteSecret, remoteSecretName } from '../../src/controllers/remotes/remote-secret.ts';
import { type RemoteIdentity, readKubeconfig } from '../../src/kube/remote-identity.ts';
import { rightsInRemote } from '../../src/render/multicluster/operator-access.ts';
import { readerIds, renderReader } from '../../src/render/multicluster/reader.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { answerTo, type RemoteCluster } from '../support/remote-cluster.ts';
import { never } from './cluster-view.ts';
import { type MeshOfClusters, namespace, remoteName } from './mesh-of-clusters.ts';

type Token = Awaited<ReturnType<typeof issueToken>>;

/** What no operator can undercut on this machine. */
export interface PlainConnections {
  /** Until istiod reads all other clusters. */
  readonly connectedMs: number;
  /** New tokens for all, until each old one is refused. */
  readonly refreshedMs: number;
}

const credential = { credential: { type: 'Bound', lifetimeMs: 24 * 3_600_000 } } as const;
const limitMs = 300_000;

/**
 * Connects all clusters by a plain loop, all at once: the same requests that the operator has to make, each once, without an
 * operator, its Secrets and its status. Removes everything again.
 */
export async function measurePlainConnections(world: MeshOfClusters): Promise<PlainConnections> {
  // The first round warms up the other API servers.
  await removePlainly(world, await connectPlainly(world));
  const startMs = performance.now();
  const tokens = await connectPlainly(world);
  const connectedMs = performance.now() - startMs;
  const refreshStartMs = performance.now();
  const later = await refreshPlainly(world, tokens);
  const refreshedMs = performance.now() - refreshStartMs;
  await removePlainly(world, later);
  return { connectedMs, refreshedMs };
}

async function connectPlainly(world: MeshOfClusters): Promise<Token[]> {
  const mesh = resolveMesh(world.mesh() as unknown as MeshOperator);
  const tokens = await Promise.all(
    world.remotes.map(async ({ client }, index) => {
      await Promise.all(rightsInRemote(mesh, false).map((right) => client.mayI(right, never)));
      await client.serverFacts(never);
      const options = { fieldManager: 'bench-plain', force: true };
      for (const object of renderReader(mesh, false)) await client.apply(object, options, never);
      return giveToken(world, index);
    }),
  );
  await world.untilIstiodReads(tokens.length);
  return tokens;
}

/** Issues one, sees that it is good, and gives it to istiod. */
async function giveToken(world: MeshOfClusters, index: number): Promise<Token> {
  const remote = world.remotes[index] as RemoteCluster;
  const mesh = resolveMesh(world.mesh() as unknown as MeshOperator);
  const token = await issueToken(remote.client, mesh, credential, systemClock, never);
  const identity = await identityOf(remote, token);
  if (await isRefused(identity))
    throw new Error(`${remoteName(index)} refuses a token that it has just issued`);
  await world.bench.client.apply(
    secretFor(remoteName(index), identity, token),
    { fieldManager: 'bench-plain' },
    never,
  );
  return token;
}

async function refreshPlainly(world: MeshOfClusters, tokens: readonly Token[]): Promise<Token[]> {
  return Promise.all(
    world.remotes.map(async (remote, index) => {
      const old = tokens[index] as Token;
      const token = await giveToken(world, index);
      await withdrawToken(remote.client, { namespace }, old, never);
      const identity = await identityOf(remote, old);
      await waitUntil({ what: `${remoteName(index)} refuses the old token`, limitMs, intervalMs: 500 }, () =>
        isRefused(identity),
      );
      return token;
    }),
  );
}

async function removePlainly(world: MeshOfClusters, tokens: readonly Token[]): Promise<void> {
  const mesh = resolveMesh(world.mesh() as unknown as MeshOperator);
  const secrets = tokens.map((_, index) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', namespace, name: remoteSecretName(remoteName(index)) },
  }));
  await Promise.all(secrets.map((id) => world.bench.client.delete(id, {}, never)));
  await world.untilIstiodReads(0);
  await Promise.all(
    world.remotes.map(async ({ client }) => {
      await withdrawOtherTokens(client, mesh, [], never);
      await Promise.all(readerIds(mesh, false).map((id) => client.delete(id, {}, never)));
    }),
  );
}

async function identityOf(remote: RemoteCluster, { token }: Token): Promise<RemoteIdentity> {
  return { ...readKubeconfig(await remote.kubeconfig(), 'the admin'), credential: { token } };
}

/** Whether a cluster refuses whom istiod is there. */
export async function isRefused(reader: RemoteIdentity): Promise<boolean> {
  const right = { verb: 'list', group: '', resource: 'namespaces' };
  return (await answerTo(reader, (client) => client.mayI(right, never))) === 'Unauthorized';
}

/** As the operator writes it, but for what makes it the operator's. */
function secretFor(clusterName: string, identity: RemoteIdentity, { token }: Token): KubernetesObject {
  const { credential: _admin, ...place } = identity;
  const owner = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  const { metadata, ...secret } = remoteSecret(owner, clusterName, { ...place, token });
  const labels = { 'istio/multiCluster': 'true' };
  return { ...secret, metadata: { name: metadata.name, namespace, labels } };
}
