import type { KubernetesObject, ObjectId } from '../../src/api/kubernetes-object.ts';
import { idOf } from '../../src/api/kubernetes-object.ts';
import { findFreePorts } from '../cluster/free-ports.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { MeshCluster } from './mesh-cluster.ts';
import { templateChart } from './operator-access.ts';
import type { RunningOperator } from './running-operator.ts';
import { never } from './test-client.ts';

/** Where an operator that runs outside the cluster serves its webhooks; nobody else listens there. */
export interface WebhookPlace {
  readonly port: number;
  /** Flags of `mesh-operator run` that make it serve them there. */
  readonly flags: readonly string[];
}

/** The name by which the API server calls webhooks outside the cluster. */
const host = 'localhost';

export async function findWebhookPlace(): Promise<WebhookPlace> {
  const { kwok: port } = await findFreePorts('127.0.0.1');
  const flags = [
    '--admission',
    'true',
    '--admission-host',
    host,
    '--admission-bind-address',
    `127.0.0.1:${port}`,
  ];
  return { port, flags };
}

/**
 * The webhook configurations of the chart, with its values as `--set` takes them; no Service leads to the operator
 * here, so they call it where it listens. They are the whole cluster's: take them away in the end.
 */
export class InstalledWebhooks {
  readonly #world: MeshCluster;
  readonly ids: readonly ObjectId[];

  private constructor(world: MeshCluster, ids: readonly ObjectId[]) {
    this.#world = world;
    this.ids = ids;
  }

  /** Returns when the API server has them and the operator has made it trust its certificate. */
  static async install(
    world: MeshCluster,
    { port }: WebhookPlace,
    operator: RunningOperator,
    ...values: readonly string[]
  ): Promise<InstalledWebhooks> {
    const rendered = (await templateChart(...values)).filter(({ kind }) =>
      kind.endsWith('WebhookConfiguration'),
    );
    const ids: ObjectId[] = [];
    for (const configuration of rendered) {
      const called = calledAt(configuration, port);
      await world.client.apply(called, { fieldManager: 'chart', force: true }, never);
      ids.push(idOf(configuration));
    }
    const installed = new InstalledWebhooks(world, ids);
    await installed.untilTrusted(operator);
    return installed;
  }

  async untilTrusted(operator: RunningOperator): Promise<void> {
    const explain = async () => operator.tail();
    await waitUntil({ what: 'the webhooks have a bundle', explain }, async () => {
      const found = await Promise.all(this.ids.map((id) => this.#world.client.get(id, never)));
      return found.every((configuration) => bundlesOf(configuration).every((bundle) => bundle !== ''));
    });
  }

  async remove(): Promise<void> {
    for (const id of this.ids) await this.#world.client.delete(id, {}, never);
  }
}

function calledAt(configuration: KubernetesObject, port: number): KubernetesObject {
  const entries = configuration.webhooks as { clientConfig: { service: { path: string } } }[];
  const webhooks = entries.map((entry) => ({
    ...entry,
    clientConfig: { url: `https://${host}:${port}${entry.clientConfig.service.path}` },
  }));
  return { ...configuration, webhooks };
}

function bundlesOf({ webhooks }: KubernetesObject): string[] {
  return (webhooks as { clientConfig: { caBundle?: string } }[]).map(
    ({ clientConfig }) => clientConfig.caBundle ?? '',
  );
}
