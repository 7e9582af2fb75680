import { dump } from 'js-yaml';
import { kindInfo } from '../api/kinds.ts';
import { idOf, idText, type KubernetesObject, keyText } from '../api/kubernetes-object.ts';
import { ownerByLabels } from '../api/labels.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import { resolveMesh } from '../api/resolve.ts';
import { messageOf } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import { enrolledMembers } from '../controllers/mesh/decide-members.ts';
import type { KubeClient } from '../kube/client.ts';
import { injectorComponent } from '../render/injector/injector.ts';
import { renderMeshOperator } from '../render/render-mesh-operator.ts';
import { readRevisions } from '../render/revisions/read-revision.ts';
import { listAll, nameText } from './istio-kinds.ts';
import { operatorImageOf, operatorSelector } from './operator-image.ts';
import { tableLines } from './paint.ts';
import { podsWithSidecar } from './purge.ts';
import { redactObject, redactText } from './redact.ts';
import { inventoryOf } from './remove-mesh.ts';
import type { ReportFile } from './report-files.ts';
import { meshReport } from './status.ts';
import { statusText } from './status-text.ts';

/** Lines of each log. */
const tailLines = 5_000;
/** Whose logs are in: what decides. Gateways are left out, since their logs tell of whoever calls. */
const loggedApps = ['istiod', injectorComponent];
const namespaceLabels = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode'];

/**
 * Reads what helps to find out why a mesh is not as it should be, of all meshes or those of one namespace. Nothing of it
 * is the content of a Secret: none is read. Everything is redacted. What could not be read is named in `missing.txt`.
 */
export class ReportCollector {
  readonly #client: KubeClient;
  readonly #version: string;
  readonly #now: Date;
  readonly #files: ReportFile[] = [];
  readonly #missing: string[] = [];

  /** `version` is our own. */
  constructor(client: KubeClient, version: string, now: Date) {
    this.#client = client;
    this.#version = version;
    this.#now = now;
  }

  /** Takes the meshes to report on, and all of the cluster. */
  async collect(
    meshes: readonly KubernetesObject[],
    all: readonly KubernetesObject[],
    signal: AbortSignal,
  ): Promise<readonly ReportFile[]> {
    await this.#try('versions', () => this.#versions(signal));
    for (const mesh of meshes) await this.#mesh(mesh, all, signal);
    const operators =
      (await this.#try('the pods of the operator', () => this.#podsOf(operatorSelector, signal))) ?? [];
    const pods = (await this.#try('the pods of meshes', () => this.#meshPods(meshes, signal))) ?? [];
    for (const pod of [...operators, ...pods]) await this.#logs(pod, signal);
    const namespaces = new Set(
      [...meshes, ...operators, ...pods].map(({ metadata }) => metadata.namespace ?? ''),
    );
    for (const mesh of meshes) {
      for (const { namespace } of inventoryOf(mesh)) if (namespace !== undefined) namespaces.add(namespace);
    }
    for (const namespace of [...namespaces].sort()) {
      await this.#try(`the Events of namespace ${namespace}`, () => this.#events(namespace, signal));
    }
    await this.#try('the proxies', () => this.#proxies(signal));
    await this.#try('the namespaces', () => this.#namespaces(signal));
    this.#add('missing.txt', this.#missing.map((line) => `${line}\n`).join(''));
    return this.#files;
  }

  async #versions(signal: AbortSignal): Promise<void> {
    const versions = {
      commandLine: this.#version,
      kubernetes: await this.#client.serverVersion(signal),
      operatorImage: await operatorImageOf(this.#client, signal),
    };
    this.#add('versions.yaml', dump(versions));
  }

  async #mesh(mesh: KubernetesObject, all: readonly KubernetesObject[], signal: AbortSignal): Promise<void> {
    const name = nameText(mesh);
    const folder = `meshes/${name}`;
    this.#add(`${folder}/mesh.yaml`, yaml(redactObject(mesh)));
    this.#add(
      `${folder}/status.txt`,
      statusText(meshReport(mesh), this.#now, (_style, text) => text),
    );
    await this.#try(`what MeshOperator ${name} is rendered to`, async () => {
      const object = mesh as unknown as MeshOperator;
      const key = { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
      const { upgrade, members } = object.status ?? {};
      const revisions = readRevisions(key, all);
      const observed = { upgrade, revisions, members: enrolledMembers(members) };
      const context = {
        operatorImage: await operatorImageOf(this.#client, signal),
        kubernetesMinor: await this.#client.serverMinor(signal),
        ownerUid: mesh.metadata.uid ?? '',
      };
      const waves = renderMeshOperator(object, resolveMesh(object), observed, context);
      const objects = waves.flatMap((wave) => wave.objects);
      this.#add(`${folder}/rendered.yaml`, objects.map((found) => yaml(redactObject(found))).join('---\n'));
    });
    const live: string[] = [];
    for (const id of inventoryOf(mesh)) {
      await this.#try(idText(id), async () => {
        const found = await this.#client.find(id, signal);
        if (found === undefined)
          this.#missing.push(`${idText(id)} is in the inventory and not in the cluster`);
        else live.push(yaml(redactObject(found)));
      });
    }
    this.#add(`${folder}/objects.yaml`, live.join('---\n'));
  }

  async #podsOf(labelSelector: string, signal: AbortSignal): Promise<KubernetesObject[]> {
    return listAll(this.#client, kindInfo('v1', 'Pod'), signal, { labelSelector });
  }

  async #meshPods(meshes: readonly KubernetesObject[], signal: AbortSignal): Promise<KubernetesObject[]> {
    const names = new Set(meshes.map(nameText));
    const pods = await this.#podsOf('app.kubernetes.io/managed-by=mesh-operator', signal);
    return pods.filter(({ metadata }) => {
      const owner = ownerByLabels(metadata.labels);
      const app = metadata.labels?.['app.kubernetes.io/name'] ?? '';
      return owner !== undefined && names.has(keyText(owner)) && loggedApps.includes(app);
    });
  }

  async #logs(pod: KubernetesObject, signal: AbortSignal): Promise<void> {
    this.#add(`pods/${nameText(pod)}/pod.yaml`, yaml(redactObject(pod)));
    for (const { name, restarts } of containersOf(pod)) {
      for (const previous of restarts > 0 ? [false, true] : [false]) {
        const file = `pods/${nameText(pod)}/${name}${previous ? '.previous' : ''}.log`;
        await this.#try(file, async () => {
          const log = await this.#client.podLog(idOf(pod), { container: name, tailLines, previous }, signal);
          this.#add(file, log);
        });
      }
    }
  }

  async #events(namespace: string, signal: AbortSignal): Promise<void> {
    const events = await listAll(this.#client, kindInfo('v1', 'Event'), signal, { namespace });
    const rows = events.map((event) => {
      const { kind, name } = isRecord(event.involvedObject) ? event.involvedObject : {};
      const at = String(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp);
      return [at, String(event.type), String(event.reason), `${kind} ${name}`, String(event.message)];
    });
    this.#add(`events/${namespace}.txt`, table(rows.sort(byText)));
  }

  async #proxies(signal: AbortSignal): Promise<void> {
    const pods = await podsWithSidecar(this.#client, signal);
    const rows = pods.map((pod) => {
      const proxy = containerImages(pod).find(({ name }) => name === 'istio-proxy');
      const { phase } = isRecord(pod.status) ? pod.status : {};
      return [
        nameText(pod),
        `revision ${pod.metadata.labels?.['istio.io/rev'] ?? 'unknown'}`,
        proxy?.image ?? 'no proxy',
        String(phase),
      ];
    });
    this.#add('proxies.txt', table(rows.sort(byText)));
  }

  async #namespaces(signal: AbortSignal): Promise<void> {
    const namespaces = await listAll(this.#client, kindInfo('v1', 'Namespace'), signal);
    const rows = namespaces.map(({ metadata }) => [
      metadata.name,
      ...namespaceLabels.flatMap((label) => {
        const value = metadata.labels?.[label];
        return value === undefined ? [] : [`${label}=${value}`];
      }),
    ]);
    this.#add('namespaces.txt', table(rows));
  }

  /** What cannot be read is named, and the rest is read all the same: a report is for when things fail. */
  async #try<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#missing.push(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  }

  #add(path: string, text: string): void {
    this.#files.push({ path, text: redactText(text) });
  }
}

function yaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true });
}

function table(rows: readonly (readonly string[])[]): string {
  return tableLines(rows)
    .map((line) => `${line}\n`)
    .join('');
}

function byText(left: readonly string[], right: readonly string[]): number {
  return left.join(' ') < right.join(' ') ? -1 : 1;
}

function containersOf(pod: KubernetesObject): { readonly name: string; readonly restarts: number }[] {
  const { containerStatuses } = isRecord(pod.status) ? pod.status : {};
  const statuses = Array.isArray(containerStatuses) ? containerStatuses.filter(isRecord) : [];
  return containerImages(pod).map(({ name }) => ({
    name,
    restarts: Number(statuses.find((found) => found.name === name)?.restartCount ?? 0),
  }));
}

function containerImages(pod: KubernetesObject): { readonly name: string; readonly image: string }[] {
  const { containers, initContainers } = isRecord(pod.spec) ? pod.spec : {};
  return [initContainers, containers]
    .flatMap((list) => (Array.isArray(list) ? list.filter(isRecord) : []))
    .map(({ name, image }) => ({ name: String(name), image: String(image) }));
}
