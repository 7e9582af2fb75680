import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { writeTokenKubeconfig } from './operator-access.ts';
import { type TestClient, testClient, uniqueName } from './test-client.ts';

/** Somebody with rights of their own: a ServiceAccount with a token. End it with `close`. */
export class ClusterUser {
  /** As the API server calls it. */
  readonly username: string;
  readonly #cluster: Cluster;
  readonly #subject: object;
  readonly #folder: string;
  readonly #own: TestClient;

  private constructor(
    cluster: Cluster,
    { namespace, name }: { namespace: string; name: string },
    folder: string,
  ) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#subject = { kind: 'ServiceAccount', name, namespace };
    this.username = `system:serviceaccount:${namespace}:${name}`;
    this.#own = testClient(join(folder, 'kubeconfig'));
  }

  static async create(cluster: Cluster, namespace: string, name: string): Promise<ClusterUser> {
    await cluster.kubectl('create', 'serviceaccount', name, '--namespace', namespace);
    const token = await cluster.kubectl(
      'create',
      'token',
      name,
      '--namespace',
      namespace,
      '--duration',
      '8h',
    );
    const folder = await mkdtemp(join(tmpdir(), 'cluster-user-'));
    await writeTokenKubeconfig(cluster, token, join(folder, 'kubeconfig'));
    return new ClusterUser(cluster, { namespace, name }, folder);
  }

  /** Asks as this user. */
  get client(): KubeClient {
    return this.#own.client;
  }

  /** Binds a role of the cluster, in one namespace alone; returns the binding's name. */
  async bind(namespace: string, clusterRole: string): Promise<string> {
    const apiGroup = 'rbac.authorization.k8s.io';
    const name = uniqueName('binding');
    const binding = {
      ...{ apiVersion: `${apiGroup}/v1`, kind: 'RoleBinding', metadata: { name, namespace } },
      ...{ roleRef: { apiGroup, kind: 'ClusterRole', name: clusterRole }, subjects: [this.#subject] },
    };
    await this.#cluster.apply(JSON.stringify(binding));
    return name;
  }

  async close(): Promise<void> {
    await this.#own.connection.close();
    await rm(this.#folder, { recursive: true });
  }
}
