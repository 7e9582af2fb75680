import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { writeTokenKubeconfig } from './operator-access.ts';
import { type TestClient, testClient, uniqueName } from './test-client.ts';

/** A role's rule, as RBAC has it. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

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
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole };
    return this.#bindTo(namespace, roleRef);
  }

  /** Gives rights in one namespace; returns the binding's name. */
  async allow(namespace: string, ...rules: readonly Rule[]): Promise<string> {
    const name = uniqueName('role');
    const role = { ...rbac('Role', name, namespace), rules };
    await this.#cluster.apply(JSON.stringify(role));
    return this.#bindTo(namespace, { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name });
  }

  async close(): Promise<void> {
    await this.#own.connection.close();
    await rm(this.#folder, { recursive: true });
  }

  async #bindTo(namespace: string, roleRef: object): Promise<string> {
    const name = uniqueName('binding');
    const binding = { ...rbac('RoleBinding', name, namespace), roleRef, subjects: [this.#subject] };
    await this.#cluster.apply(JSON.stringify(binding));
    return name;
  }
}

function rbac(kind: string, name: string, namespace: string) {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name, namespace } };
}
