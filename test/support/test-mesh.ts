import { kindInfo } from '../../src/api/kinds.ts';
import {
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../../src/api/kubernetes-object.ts';
import { rotateAnnotation } from '../../src/api/labels.ts';
import type { Condition, MeshOperatorStatus, MeshState } from '../../src/api/mesh-operator-status.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { never } from './test-client.ts';

/** One MeshOperator in a cluster, as whoever applied it sees it. */
export class TestMesh {
  readonly key: ObjectKey;
  readonly id: ObjectId;
  readonly #client: KubeClient;

  constructor(client: KubeClient, key: ObjectKey) {
    this.#client = client;
    this.key = key;
    this.id = { apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator', ...key };
  }

  read(): Promise<KubernetesObject> {
    return this.#client.get(this.id, never);
  }

  async status(): Promise<MeshOperatorStatus> {
    return statusOf(await this.read());
  }

  async condition(type: string): Promise<Condition | undefined> {
    return (await this.status()).conditions?.find((condition) => condition.type === type);
  }

  /** Merges into the spec; null removes a field. */
  async change(spec: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#client.patch(this.id, { type: 'merge', merge: { spec } }, { fieldManager: 'test' }, never);
  }

  /** Asks for a rotation by annotation. */
  async askFor(request: string): Promise<void> {
    const merge = { metadata: { annotations: { [rotateAnnotation]: request } } };
    await this.#client.patch(this.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  }

  async delete(): Promise<void> {
    await this.#client.delete(this.id, {}, never);
  }

  /** Waits until the operator has said so about the spec as it is now. */
  async until(state: MeshState): Promise<KubernetesObject> {
    return this.untilStatus(`is ${state}`, (status, mesh) => {
      const isSettled = state === 'Reconciling' || status.observedGeneration === mesh.metadata.generation;
      return status.state === state && isSettled;
    });
  }

  /** Waits until this condition has this reason for the spec as it is now. */
  async untilReason(type: string, reason: string): Promise<KubernetesObject> {
    return this.untilStatus(`has ${type} with reason ${reason}`, ({ conditions = [] }, mesh) =>
      conditions.some(
        (condition) =>
          condition.type === type &&
          condition.reason === reason &&
          condition.observedGeneration === mesh.metadata.generation,
      ),
    );
  }

  /** Waits until the status is as the sentence says. */
  async untilStatus(
    sentence: string,
    check: (status: MeshOperatorStatus, mesh: KubernetesObject) => boolean,
  ): Promise<KubernetesObject> {
    const explain = async () => JSON.stringify((await this.status()).conditions);
    return waitUntil({ what: `mesh ${keyText(this.key)} ${sentence}`, explain }, async () => {
      const mesh = await this.read();
      return check(statusOf(mesh), mesh) ? mesh : undefined;
    });
  }

  async untilGone(): Promise<void> {
    const explain = async () => JSON.stringify((await this.status()).conditions);
    await waitUntil({ what: `mesh ${keyText(this.key)} is gone`, explain }, async () => {
      return (await this.#client.find(this.id, never)) === undefined;
    });
  }

  /** Identities of everything that the status says was made for it. */
  async inventory(): Promise<readonly ObjectId[]> {
    return ((await this.status()).inventory ?? []) as ObjectId[];
  }

  /** Everything of the inventory as it is in the cluster; undefined for what is not there. */
  async objects(): Promise<(KubernetesObject | undefined)[]> {
    return Promise.all((await this.inventory()).map((id) => this.#client.find(id, never)));
  }

  /** Events about it, oldest first. */
  async events(): Promise<{ reason: string; type: string; message: string }[]> {
    const { uid } = (await this.read()).metadata;
    const fieldSelector = `involvedObject.uid=${uid}`;
    const options = { namespace: this.key.namespace, fieldSelector };
    const { items } = await this.#client.list(kindInfo('v1', 'Event'), options, never);
    return items.map(({ reason, type, message }) => ({
      reason: String(reason),
      type: String(type),
      message: String(message),
    }));
  }

  /** Waits for an Event of this reason whose message has all of these texts. */
  async untilEvent(reason: string, ...texts: readonly string[]): Promise<void> {
    const explain = async () => JSON.stringify(await this.events());
    await waitUntil({ what: `an Event ${reason} says ${texts.join(' ')}`, explain }, async () =>
      (await this.events()).some(
        (event) => event.reason === reason && texts.every((text) => event.message.includes(text)),
      ),
    );
  }
}

function statusOf(mesh: KubernetesObject): MeshOperatorStatus {
  return (mesh.status ?? {}) as MeshOperatorStatus;
}
