import { readFile } from 'node:fs/promises';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { KubeClient as Client } from '../../src/kube/client.ts';
import { connectRemote, type RemoteIdentity, readKubeconfig } from '../../src/kube/remote-identity.ts';
import { secretTexts } from '../../src/kube/secret-data.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import type { NodeKind } from '../cluster/cluster-plan.ts';
import { printProgress } from '../cluster/toolchain/progress.ts';
import { ClusterUser } from './cluster-user.ts';
import { never, type TestClient, testClient } from './test-client.ts';

/** Another real cluster, with simulated nodes or none, as the remotes of a mesh see it. */
export class RemoteCluster {
  readonly cluster: Cluster;
  readonly #admin: TestClient;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.#admin = testClient(cluster.kubeconfigPath);
  }

  static async start(name: string, nodes: NodeKind = 'kwok'): Promise<RemoteCluster> {
    return new RemoteCluster(await startCluster({ name, nodes, progress: printProgress }));
  }

  /** The cluster's admin. */
  get client(): KubeClient {
    return this.#admin.client;
  }

  async createNamespace(name: string): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await this.client.create(namespace, { fieldManager: 'test' }, never);
  }

  /** The admin's kubeconfig. */
  kubeconfig(): Promise<string> {
    return readFile(this.cluster.kubeconfigPath, 'utf8');
  }

  /** A user without a role. */
  createUser(namespace: string, name: string): Promise<ClusterUser> {
    return ClusterUser.create(this.cluster, namespace, name);
  }

  async close(): Promise<void> {
    await this.#admin.connection.close();
    await this.cluster.stop();
  }
}

/** Whom the kubeconfig in an entry of a Secret makes istiod; `tokenInFile` is what is in the file that it names. */
export function identityIn(secret: KubernetesObject, entry: string, tokenInFile?: string): RemoteIdentity {
  const { [entry]: text = '' } = secretTexts(secret);
  if (tokenInFile === undefined) return readKubeconfig(text, `entry ${entry}`);
  const inline = text.replace(/^( *)token: none\n *tokenFile: .*$/m, `$1token: ${tokenInFile}`);
  return readKubeconfig(inline, `entry ${entry}`);
}

/** Asks once as somebody; `Unauthorized` or the like where that is refused. */
export async function answerTo<T>(
  identity: RemoteIdentity,
  ask: (client: KubeClient) => Promise<T>,
): Promise<T | string> {
  const connection = connectRemote(identity, systemClock);
  try {
    return await ask(new Client({ connection, clock: systemClock }));
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error);
  } finally {
    await connection.close();
  }
}

/** Whether somebody may list services; `Unauthorized` or the like where nothing at all is answered. */
export function mayListServices(identity: RemoteIdentity): Promise<boolean | string> {
  return answerTo(identity, (client) =>
    client.mayI({ verb: 'list', group: '', resource: 'services' }, never),
  );
}
