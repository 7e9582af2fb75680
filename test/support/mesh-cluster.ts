import { rm } from 'node:fs/promises';
import path from 'node:path';
import { kindInfo } from '../../src/api/kinds.ts';
import { type KubernetesObject, keyText } from '../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { AuditLog } from './audit-log.ts';
import { installOperatorAccess, type OperatorAccess } from './operator-access.ts';
import { RunningOperator } from './running-operator.ts';
import { sharedCluster } from './shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from './test-client.ts';
import { TestMesh } from './test-mesh.ts';
import { TrustSecrets } from './trust-secrets.ts';

export interface MeshOptions {
  /** Default: one of its own. */
  readonly namespace?: string;
  readonly name?: string;
  /** Take exactly this spec, so that without a revision it is the cluster's default mesh; default false. */
  readonly asWritten?: boolean;
}

const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');

/**
 * The shared cluster with simulated nodes, or with none, ready for the real operator: CRD and roles of the chart are there, and
 * the operator has no other rights. Meshes and operators that a test file makes end with `close`.
 */
export class MeshCluster {
  readonly cluster: Cluster;
  /** The cluster's admin; the operator's requests are told from its by the user. */
  readonly client: KubeClient;
  readonly access: OperatorAccess;
  readonly audit: AuditLog;
  readonly #admin: TestClient;
  readonly #operators: RunningOperator[] = [];
  readonly #namespaces: string[] = [];

  private constructor(cluster: Cluster, access: OperatorAccess) {
    this.cluster = cluster;
    this.access = access;
    this.audit = new AuditLog(cluster);
    this.#admin = testClient(cluster.kubeconfigPath);
    this.client = this.#admin.client;
  }

  /** Without nodes no pod ever runs, and no mesh gets Ready. */
  static async open(nodes: 'none' | 'kwok' = 'kwok'): Promise<MeshCluster> {
    return MeshCluster.on(await sharedCluster(nodes));
  }

  /** The same on a cluster that the test has started. */
  static async on(cluster: Cluster): Promise<MeshCluster> {
    return new MeshCluster(cluster, await installOperatorAccess(cluster));
  }

  /** Starts an operator with the chart's rights, a Lease of its own unless a flag names one, and returns when it works. */
  async startOperator(flags: readonly string[] = [], kubeconfig?: string): Promise<RunningOperator> {
    const operator = this.launchOperator(['--lease-name', uniqueName('lease'), ...flags], kubeconfig);
    await operator.untilLeading();
    return operator;
  }

  /** Starts an operator with exactly these flags and returns at once. */
  launchOperator(flags: readonly string[] = [], kubeconfig = this.access.kubeconfig): RunningOperator {
    const operator = RunningOperator.start({ kubeconfig, namespace: operatorNamespace, flags });
    this.#operators.push(operator);
    return operator;
  }

  async ownNamespace(prefix = 'mesh'): Promise<string> {
    const namespace = await ownNamespace(this.client, prefix);
    this.#namespaces.push(namespace);
    return namespace;
  }

  /** A namespace of this name, which no other test file may use. */
  async createNamespace(name: string): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await this.client.create(namespace, { fieldManager: 'test' }, never);
    this.#namespaces.push(name);
  }

  /** Deletes an empty namespace, and ends it as the namespace controller would, which runs only where there are nodes. */
  async deleteNamespace(name: string): Promise<void> {
    await this.client.delete({ apiVersion: 'v1', kind: 'Namespace', name }, {}, never);
    const namespace = JSON.parse(await this.cluster.kubectl('get', 'namespace', name, '-o', 'json'));
    const path = `/api/v1/namespaces/${name}/finalize`;
    const text = JSON.stringify({ ...namespace, spec: { finalizers: [] } });
    await run(
      await ensureTool('kubectl'),
      ['--kubeconfig', this.cluster.kubeconfigPath, 'replace', '--raw', path, '-f', '-'],
      { input: text },
    );
  }

  /**
   * Creates a MeshOperator; with a revision of its own unless the spec names one, and without an injector unless the
   * spec asks for one: simulated nodes run none, so such a mesh is never Ready.
   */
  async createMesh(spec: MeshOperatorSpec = {}, options: MeshOptions = {}): Promise<TestMesh> {
    const { name = 'mesh', namespace = await this.ownNamespace(), asWritten = false } = options;
    await this.client.create(
      {
        apiVersion: meshKind.apiVersion,
        kind: meshKind.kind,
        metadata: { name, namespace },
        spec: asWritten ? spec : { revision: uniqueName('r'), sidecarInjector: { enabled: false }, ...spec },
      },
      { fieldManager: 'test' },
      never,
    );
    return new TestMesh(this.client, { namespace, name });
  }

  /** Every MeshOperator of the cluster. */
  async meshes(): Promise<KubernetesObject[]> {
    return (await this.client.list(meshKind, {}, never)).items;
  }

  /**
   * Deletes every mesh with the help of a running operator, then ends all operators and deletes all namespaces, with
   * the authorities that outlive their meshes: the operator of the next test file would clean them up while its
   * requests are counted.
   */
  async close(): Promise<void> {
    if ((await this.meshes()).length > 0) {
      if (!this.#operators.some((operator) => operator.isRunning)) await this.startOperator();
      await this.#deleteMeshes();
    }
    await this.endOperators();
    for (const name of this.#namespaces) {
      await this.client.delete(new TrustSecrets(this.client, name).authorityId, {}, never);
      await this.client.delete({ apiVersion: 'v1', kind: 'Namespace', name }, {}, never);
    }
    await this.#admin.connection.close();
    await rm(path.dirname(this.access.kubeconfig), { recursive: true });
  }

  /** Kills every operator that still runs. */
  async endOperators(): Promise<void> {
    await Promise.all(this.#operators.map((operator) => operator.end('SIGKILL')));
  }

  async #deleteMeshes(): Promise<void> {
    const explain = async () => this.#operators.find((operator) => operator.isRunning)?.tail() ?? '';
    await waitUntil({ what: 'all meshes are gone', explain }, async () => {
      const left = await this.meshes();
      for (const { apiVersion, kind, metadata } of left) {
        if (metadata.deletionTimestamp !== undefined) continue;
        const key = { namespace: metadata.namespace ?? '', name: metadata.name };
        await this.client.delete({ apiVersion, kind, ...key }, {}, never);
      }
      if (left.length > 0) throw new Error(left.map((mesh) => keyText(keyOf(mesh))).join(', '));
      return true;
    });
  }
}

function keyOf({ metadata }: KubernetesObject) {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}
