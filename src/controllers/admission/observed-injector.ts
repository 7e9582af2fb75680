import { type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { isRecord } from '../../base/stable-json.ts';
import { injectorComponent } from '../../render/injector/injector.ts';
import { injectorHost, injectorName, servingSecretName } from '../../render/injector/names.ts';
import type { Informer } from '../../runtime/informer.ts';
import { refusalTime } from './refusals.ts';
import { isOfOwnInjector } from './webhook-state.ts';

/** The caches that the admission controller decides from; all but `meshes` and `refusals` are indexed by owner. */
export interface InjectorInformers {
  readonly meshes: Informer;
  readonly deployments: Informer;
  readonly configMaps: Informer;
  readonly webhooks: Informer;
  readonly secrets: Informer;
  readonly pods: Informer;
  /** Events about refused pods, indexed by the host of the webhook (`refusals.ts`). */
  readonly refusals: Informer;
}

/** What is known of one mesh's injector: caches only, so looking costs no request. */
export class ObservedInjector {
  readonly #informers: InjectorInformers;
  readonly #key: ObjectKey;
  readonly #mesh: ResolvedMesh;

  constructor(informers: InjectorInformers, mesh: ResolvedMesh) {
    this.#informers = informers;
    this.#key = { namespace: mesh.namespace, name: mesh.name };
    this.#mesh = mesh;
  }

  /** Ready replicas; undefined when the mesh controller has not deployed it, or not for this mesh. */
  get readyReplicas(): number | undefined {
    const deployment = this.#owned(this.#informers.deployments, injectorName(this.#mesh));
    if (deployment === undefined) return undefined;
    const { readyReplicas } = isRecord(deployment.status) ? deployment.status : {};
    return typeof readyReplicas === 'number' ? readyReplicas : 0;
  }

  /** Version of the configuration that its pods mount. */
  get configurationVersion(): string {
    return this.#owned(this.#informers.configMaps, injectorName(this.#mesh))?.metadata.resourceVersion ?? '';
  }

  /** The Secret with the serving certificate; undefined when there is none of this mesh. */
  get secret(): KubernetesObject | undefined {
    return this.#owned(this.#informers.secrets, servingSecretName(this.#mesh));
  }

  /** Its webhook configurations: of the revision, and of each tag; not those that a mesh has adopted. */
  get webhooks(): KubernetesObject[] {
    return this.#informers.webhooks.byGroup(keyText(this.#key)).filter(isOfOwnInjector);
  }

  get pods(): KubernetesObject[] {
    const owned = this.#informers.pods.byGroup(keyText(this.#key));
    return owned.filter(({ metadata }) => metadata.labels?.app === injectorComponent);
  }

  /** When a pod was last refused because this injector could not be asked; undefined for never. */
  get lastRefusalAt(): Date | undefined {
    const times = this.#informers.refusals
      .byGroup(injectorHost(this.#mesh))
      .map((event) => refusalTime(event).getTime());
    return times.length === 0 ? undefined : new Date(Math.max(...times));
  }

  #owned(informer: Informer, name: string): KubernetesObject | undefined {
    return informer.byGroup(keyText(this.#key)).find(({ metadata }) => metadata.name === name);
  }
}
