import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { dump, load } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperator } from '../../src/api/mesh-operator.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import type { PatchOperation } from '../../src/injection/json-patch.ts';
import type { Pod } from '../../src/injection/pod.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { aReview } from './admission-review.ts';
import { IstiodProcess } from './istiod-process.ts';
import type { TestAuthority } from './serving-files.ts';
import { parseManifests, type UpstreamCharts } from './upstream-charts.ts';

/** What istiod's injector answers about a pod. */
export type UpstreamAnswer =
  | { readonly kind: 'skip' }
  | { readonly kind: 'inject'; readonly patch: readonly PatchOperation[] }
  | { readonly kind: 'reject'; readonly message: string };

export interface UpstreamInjectorOptions {
  readonly kubeconfig: string;
  /** A namespace that nobody else uses; istiod writes its own objects there. */
  readonly namespace: string;
  readonly charts: UpstreamCharts;
}

const marker = 'INJECTOR_SETTINGS';

/**
 * The injector of a real istiod, with the configuration of Istio's own chart in files, which it reads again when they
 * change.
 */
export class UpstreamInjector {
  readonly #istiod: IstiodProcess;
  readonly #options: UpstreamInjectorOptions;
  readonly #agent: Agent;
  #settings = 0;

  private constructor(options: UpstreamInjectorOptions, istiod: IstiodProcess) {
    this.#options = options;
    this.#istiod = istiod;
    this.#agent = new Agent({ keepAlive: true, ca: istiod.authority.caPem });
  }

  get pid(): number {
    return this.#istiod.pid;
  }

  /** Port of the webhook on 127.0.0.1. */
  get port(): number {
    return this.#istiod.port;
  }

  /** Whose certificate it serves with. */
  get authority(): TestAuthority {
    return this.#istiod.authority;
  }

  /** Where istiod shows its metrics. */
  get metrics(): string {
    return `http://${this.#istiod.monitoringAddress}/metrics`;
  }

  /** Starts istiod with the values of its chart's defaults and returns when it answers. */
  static async start(options: UpstreamInjectorOptions): Promise<UpstreamInjector> {
    const { kubeconfig, namespace } = options;
    const files = await settingsFiles(options, {}, '0');
    const injector = new UpstreamInjector(
      options,
      await IstiodProcess.start({ kubeconfig, namespace, files }),
    );
    try {
      await injector.#awaitSettings('0');
    } catch (error) {
      await injector.stop();
      throw error;
    }
    return injector;
  }

  /** Makes istiod use other values of its chart, and returns when it does. */
  async configure(values: JsonObject): Promise<void> {
    this.#settings += 1;
    const settings = String(this.#settings);
    await this.#istiod.write(await settingsFiles(this.#options, values, settings));
    await this.#awaitSettings(settings);
  }

  /** What istiod answers about a pod that is created in a namespace. */
  async ask(pod: Pod, namespace: string): Promise<UpstreamAnswer> {
    const review = await this.#post(JSON.stringify(aReview(pod, { namespace })));
    if (!review.allowed) return { kind: 'reject', message: review.status?.message ?? '' };
    if (review.patch === undefined) return { kind: 'skip' };
    const patch = JSON.parse(Buffer.from(review.patch, 'base64').toString()) as PatchOperation[];
    return { kind: 'inject', patch };
  }

  /** A mesh with the marks that istiod's current settings carry, so that both inject the same. */
  marked(mesh: MeshOperator): MeshOperator {
    const spec = mesh.spec ?? {};
    const { defaultConfig } = (spec.meshConfig ?? {}) as { defaultConfig?: { proxyMetadata?: JsonObject } };
    const proxyMetadata = { ...defaultConfig?.proxyMetadata, [marker]: `mesh-${this.#settings}.` };
    const injectedAnnotations = {
      ...spec.sidecarInjector?.injectedAnnotations,
      [marker]: `config-${this.#settings}.`,
    };
    return {
      ...mesh,
      metadata: { ...mesh.metadata, namespace: this.#options.namespace },
      spec: {
        ...spec,
        meshConfig: { ...spec.meshConfig, defaultConfig: { ...defaultConfig, proxyMetadata } },
        sidecarInjector: { ...spec.sidecarInjector, injectedAnnotations },
      },
    };
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#istiod.stop();
  }

  /** Both files are watched on their own, so each carries a mark that shows in what istiod injects. */
  async #awaitSettings(settings: string): Promise<void> {
    const pod = {
      metadata: { name: 'probe', labels: { 'sidecar.istio.io/inject': 'true' } },
      spec: { containers: [{ name: 'app', image: 'x' }] },
    };
    await waitUntil(
      {
        what: `istiod uses settings ${settings}`,
        explain: () => this.#istiod.lastWords(),
      },
      async () => {
        const { patch = '' } = await this.#post(JSON.stringify(aReview(pod)));
        const answer = Buffer.from(patch, 'base64').toString();
        return answer.includes(`config-${settings}.`) && answer.includes(`mesh-${settings}.`);
      },
    );
  }

  #post(body: string): Promise<UpstreamResponse> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          ...{ host: '127.0.0.1', port: this.port, agent: this.#agent, method: 'POST', path: '/inject' },
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          text(response).then((answer) => {
            if (response.statusCode === 200) resolve(JSON.parse(answer).response as UpstreamResponse);
            else reject(new Error(`istiod answers ${response.statusCode}: ${answer}`));
          }, reject);
        },
      );
      call.once('error', reject);
      call.end(body);
    });
  }
}

/** The `response` of the review that istiod answers. */
interface UpstreamResponse {
  readonly allowed: boolean;
  readonly patch?: string;
  readonly status?: { readonly message?: string };
}

/** The chart's ConfigMaps, with a mark in each document that istiod watches. */
async function settingsFiles(
  { namespace, charts }: UpstreamInjectorOptions,
  values: JsonObject,
  settings: string,
): Promise<Record<string, string>> {
  const objects = parseManifests(
    await charts.template({
      chart: 'istio-control/istio-discovery',
      release: 'istiod',
      namespace,
      values: { ...values, global: { ...(values.global as JsonObject), istioNamespace: namespace } },
    }),
  );
  const injector = dataOf(objects, 'istio-sidecar-injector');
  const config = load(injector.config ?? '') as { injectedAnnotations?: Record<string, string> };
  config.injectedAnnotations = { ...config.injectedAnnotations, [marker]: `config-${settings}.` };
  const mesh = load(dataOf(objects, 'istio').mesh ?? '') as {
    defaultConfig?: { proxyMetadata?: Record<string, string> };
    discoverySelectors?: unknown;
  };
  mesh.defaultConfig = {
    ...mesh.defaultConfig,
    // Our meshes have it by default.
    proxyMetadata: {
      PROXY_CONFIG_XDS_AGENT: 'true',
      ...mesh.defaultConfig?.proxyMetadata,
      [marker]: `mesh-${settings}.`,
    },
  };
  // The cluster is shared: istiod must leave all other namespaces alone.
  mesh.discoverySelectors = [{ matchLabels: { 'kubernetes.io/metadata.name': namespace } }];
  return {
    'etc/istio/config/mesh': dump(mesh),
    'var/lib/istio/inject/values': injector.values ?? '',
    'var/lib/istio/inject/config': dump(config),
  };
}

function dataOf(objects: readonly KubernetesObject[], name: string): Record<string, string> {
  const found = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
  if (found === undefined) throw new Error(`Istio's chart renders no ConfigMap ${name}`);
  return found.data as Record<string, string>;
}
