import type { KindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { argoCdNamespace } from './running-argo-cd.ts';
import { never } from './test-client.ts';

const kind: KindInfo = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  plural: 'applications',
  namespaced: true,
};

/** What an Application of Argo CD says of itself. */
export interface ApplicationStatus {
  readonly sync?: {
    readonly status: string;
    readonly revision?: string;
    readonly revisions?: readonly string[];
  };
  readonly health?: { readonly status: string };
  readonly resources?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly health?: { readonly status: string; readonly message?: string };
  }[];
  readonly history?: readonly object[];
  readonly operationState?: { readonly phase: string; readonly startedAt: string; readonly message?: string };
  readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  readonly reconciledAt?: string;
}

/** An Application as it was at one time; without a status when it was gone. */
interface Sighting {
  readonly name: string;
  readonly status: ApplicationStatus | undefined;
  readonly resourceVersion: string;
}

/** Sees every state that every Application of Argo CD ever writes down, none left out. */
export class ApplicationWatch {
  readonly #client: KubeClient;
  readonly #cluster: Cluster;
  readonly #seen: Sighting[] = [];
  readonly #end = new AbortController();
  #failure: unknown;

  private constructor(cluster: Cluster, client: KubeClient) {
    this.#cluster = cluster;
    this.#client = client;
  }

  /** Watches from now on until `end`. */
  static async start(cluster: Cluster, client: KubeClient): Promise<ApplicationWatch> {
    const watch = new ApplicationWatch(cluster, client);
    const { items, resourceVersion } = await client.list(kind, { namespace: argoCdNamespace }, never);
    for (const item of items) watch.#note(item, true);
    void watch.#follow(resourceVersion).catch((error: unknown) => {
      watch.#failure = error;
    });
    return watch;
  }

  end(): void {
    this.#end.abort();
  }

  /** A point in time: what is seen afterwards is after it. */
  now(): number {
    return this.#seen.length;
  }

  /** Waits until an Application is `Synced/Healthy` or whatever is asked for, since a point in time. */
  async until(
    name: string,
    state: string,
    { since = 0 }: { readonly since?: number } = {},
  ): Promise<ApplicationStatus> {
    return this.untilStatus(name, `is ${state}`, (status) => stateOf(status) === state, { since });
  }

  /** Waits until an Application was seen to be as the sentence says, since a point in time. */
  async untilStatus(
    name: string,
    sentence: string,
    check: (status: ApplicationStatus) => boolean,
    { since = 0 }: { readonly since?: number } = {},
  ): Promise<ApplicationStatus> {
    const explain = async () => JSON.stringify(this.#latest(name)?.status, null, 1);
    return waitUntil({ what: `Application ${name} ${sentence}`, explain }, async () => {
      return this.#since(since, name).find(({ status }) => status !== undefined && check(status))?.status;
    });
  }

  /** Waits until these Applications are gone. */
  async untilGone(...names: readonly string[]): Promise<void> {
    const explain = async () =>
      JSON.stringify(
        names.map((name) => this.#latest(name)),
        null,
        1,
      );
    await waitUntil({ what: `${names.join(', ')} are gone`, explain }, async () => {
      this.#assertWatching();
      return names.every((name) => this.#latest(name)?.status === undefined);
    });
  }

  /** Every state that an Application was in since a point in time, each once; `` where it was gone. */
  async statesSince(since: number, name: string): Promise<string[]> {
    await this.#catchUp(name);
    return [...new Set(this.#since(since, name).map(({ status }) => stateOf(status)))];
  }

  /** When this was first seen of an Application, to compare with other such points in time. */
  firstSeen(name: string, check: (status: ApplicationStatus | undefined) => boolean): number {
    return this.#seen.findIndex((sighting) => sighting.name === name && check(sighting.status));
  }

  /** The newest that is known of an Application. */
  async statusOf(name: string): Promise<ApplicationStatus> {
    await this.#catchUp(name);
    return this.#latest(name)?.status ?? {};
  }

  /** Makes Argo CD compare anew, `hard` with manifests rendered anew, and returns when it has. */
  async refresh(name: string, how: 'normal' | 'hard'): Promise<void> {
    await this.#catchUp(name);
    const since = this.now();
    const annotation = 'argocd.argoproj.io/refresh';
    await this.#kubectl('annotate', 'application.argoproj.io', name, `${annotation}=${how}`);
    await waitUntil({ what: `Application ${name} is compared anew` }, async () => {
      const asked = await this.#kubectl('get', 'application.argoproj.io', name, '--output=json');
      return (JSON.parse(asked) as KubernetesObject).metadata.annotations?.[annotation] === undefined;
    });
    await this.#catchUp(name);
    if (this.#since(since, name).length === 0) throw new Error(`nothing was seen of Application ${name}`);
  }

  #kubectl(...args: readonly string[]): Promise<string> {
    return this.#cluster.kubectl(...args, '--namespace', argoCdNamespace);
  }

  /** Returns when what the API server has now of an Application has been seen. */
  async #catchUp(name: string): Promise<void> {
    const flags = ['--ignore-not-found', '--output=jsonpath={.metadata.resourceVersion}'];
    const version = await this.#kubectl('get', 'application.argoproj.io', name, ...flags);
    await waitUntil({ what: `Application ${name} is seen at ${version}` }, async () => {
      this.#assertWatching();
      const latest = this.#latest(name);
      if (version === '') return latest?.status === undefined;
      return this.#seen.some((seen) => seen.name === name && seen.resourceVersion === version);
    });
  }

  #latest(name: string): Sighting | undefined {
    return this.#seen.findLast((sighting) => sighting.name === name);
  }

  #since(since: number, name: string): Sighting[] {
    this.#assertWatching();
    return this.#seen.slice(since).filter((sighting) => sighting.name === name);
  }

  #assertWatching(): void {
    if (this.#failure !== undefined)
      throw new Error('the watch of Applications broke', { cause: this.#failure });
  }

  async #follow(from: string): Promise<void> {
    let resourceVersion = from;
    while (!this.#end.signal.aborted) {
      const options = { namespace: argoCdNamespace, resourceVersion };
      for await (const { type, object } of this.#client.watch(kind, options, this.#end.signal)) {
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
        if (type !== 'BOOKMARK') this.#note(object, type !== 'DELETED');
      }
    }
  }

  #note({ metadata, status }: KubernetesObject, isThere: boolean): void {
    this.#seen.push({
      name: metadata.name,
      status: isThere ? ((status ?? {}) as ApplicationStatus) : undefined,
      resourceVersion: metadata.resourceVersion ?? '',
    });
  }
}

/** `Synced/Healthy` and the like. */
export function stateOf(status: ApplicationStatus | undefined): string {
  if (status === undefined) return '';
  return `${status.sync?.status ?? 'Unknown'}/${status.health?.status ?? 'Unknown'}`;
}
