import { adoptedFrom, adoptedFromAnnotation, keptTemplateAnnotation } from '../../api/adoption.ts';
import { injectorReachedAt } from '../../api/injector-reached.ts';
import { idOf, idText, type KubernetesObject, type ObjectId } from '../../api/kubernetes-object.ts';
import type { AdoptedObject } from '../../api/mesh-operator-status.ts';
import { isRecord, stableHash } from '../../base/stable-json.ts';
import type { FieldTakeOver } from '../../kube/apply/take-over-fields.ts';
import { narrowedEntry, type StoredEntry } from './narrowed-webhook.ts';

/** What is applied to an object that was taken over from another installer. */
export interface AdoptionPlan {
  readonly desired: KubernetesObject;
  /** Whose fields become the operator's before that. */
  readonly takeOver: Omit<FieldTakeOver, 'to'>;
}

/** `app.kubernetes.io/name` of what the control plane is made of. */
const istiodComponent = 'istiod';

/**
 * What of a mesh is still as another installer has made it, and why: no pod is made anew only because its Deployment has
 * got another owner. Such a Deployment keeps its pod template until a change of the spec makes pods anew anyway, or its
 * annotation is taken away; as long, what its pods use is kept with it. A pure function of what is rendered and observed.
 */
export class Adoption {
  readonly #namespace: string;
  readonly #observed: ReadonlyMap<string, KubernetesObject>;
  /** As they are rendered. */
  readonly #keptTemplates: readonly KubernetesObject[];
  readonly #isReached: boolean;
  /** Objects of the mesh that are not rendered, and are kept for the pods of kept templates. */
  readonly held: readonly KubernetesObject[];

  /** `observed` are the objects that carry the labels of the mesh; `namespace` is that of the mesh. */
  constructor(
    namespace: string,
    rendered: readonly KubernetesObject[],
    observed: Iterable<KubernetesObject>,
  ) {
    this.#namespace = namespace;
    this.#observed = new Map([...observed].map((object) => [keyOf(object), object]));
    this.#keptTemplates = this.#findKeptTemplates(rendered);
    const webhooks = rendered.filter(({ kind }) => kind === 'MutatingWebhookConfiguration');
    this.#isReached = webhooks.length > 0 && webhooks.every((object) => this.#isReachedThrough(object));
    const wanted = new Set(rendered.map(keyOf));
    this.held =
      this.#keptTemplates.length === 0
        ? []
        : [...this.#observed.values()].filter(
            (object) => adoptedFrom(object) !== undefined && !wanted.has(keyOf(object)),
          );
  }

  /** Undefined for an object that is not, or no longer, adopted: it gets what is rendered. */
  planFor(desired: KubernetesObject, observed: KubernetesObject): AdoptionPlan | undefined {
    const from = adoptedFrom(observed);
    if (from === undefined) return undefined;
    // An autoscaler's, or whoever has set them last: without an owner they stay.
    const release = ownsReplicas(desired) ? [] : ['spec.replicas'];
    if (this.#keepsTemplate(desired)) {
      const { selector: _selector, template, ...spec } = recordOf(desired.spec);
      const annotations = {
        [adoptedFromAnnotation]: from.join(','),
        [keptTemplateAnnotation]: stableHash(template),
      };
      return {
        desired: { ...annotated(desired, annotations), spec },
        takeOver: { from, except: ['spec.selector', 'spec.template'], release },
      };
    }
    const kept = this.#keptFields(desired, observed);
    const planned = kept === undefined ? desired : annotated({ ...desired, ...kept }, marked(from));
    return { desired: planned, takeOver: { from, release } };
  }

  /** What is applied to held objects: webhooks of the other injector get only pods that ours never gets. */
  heldPlans(): KubernetesObject[] {
    if (!this.#isReached) return [];
    return this.held
      .filter(({ kind }) => kind === 'MutatingWebhookConfiguration')
      .map((observed) => {
        const { apiVersion, kind, metadata } = observed;
        const { name, labels = {}, annotations = {} } = metadata;
        const webhooks = entriesOf(observed).map((entry) => narrowedEntry(entry, this.#namespace));
        return { apiVersion, kind, metadata: { name, labels, annotations }, webhooks };
      });
  }

  /** What is kept of which object, for the status. */
  get kept(): AdoptedObject[] {
    return [
      ...this.#keptTemplates.map(
        (object): AdoptedObject => ({ object: keyOf(object), keeps: 'PodTemplate' }),
      ),
      ...this.held.map((object): AdoptedObject => ({ object: keyOf(object), keeps: 'Object' })),
    ];
  }

  #findKeptTemplates(rendered: readonly KubernetesObject[]): readonly KubernetesObject[] {
    const workloads = rendered.filter(hasPodTemplate);
    const kept = workloads.filter((desired) => {
      const annotation = this.#observed.get(keyOf(desired))?.metadata.annotations?.[keptTemplateAnnotation];
      if (annotation === undefined) return false;
      return annotation === '' || annotation === stableHash(recordOf(desired.spec).template);
    });
    // Pods of the mesh's own namespace may have been injected by the istiod that goes; what replaces them must not be.
    const isIstiodReplaced = workloads.some(isOfIstiod) && !kept.some(isOfIstiod);
    return isIstiodReplaced ? kept.filter(({ metadata }) => metadata.namespace !== this.#namespace) : kept;
  }

  #keepsTemplate(object: KubernetesObject): boolean {
    return this.#keptTemplates.some((kept) => keyOf(kept) === keyOf(object));
  }

  /** What running pods of the other installer need of an object that is rendered: undefined for nothing. */
  #keptFields(desired: KubernetesObject, observed: KubernetesObject): Record<string, unknown> | undefined {
    switch (desired.kind) {
      case 'Role':
      case 'ClusterRole':
        return this.#keepsComponent(componentOf(desired)) && observed.rules !== undefined
          ? { rules: observed.rules }
          : undefined;
      case 'MutatingWebhookConfiguration':
        return this.#keptWebhooks(desired, observed);
      default:
        return undefined;
    }
  }

  /** Whoever injects does so until the operator's injector is reached, and for pods that this never gets even longer. */
  #keptWebhooks(desired: KubernetesObject, observed: KubernetesObject): Record<string, unknown> | undefined {
    const own = entriesOf(desired);
    const names = new Set(own.map(({ name }) => name));
    const others = entriesOf(observed).filter(({ name }) => !names.has(name));
    if (others.length === 0) return undefined;
    if (!this.#isReached) return { webhooks: [...own, ...others] };
    if (!this.#keepsComponent(istiodComponent)) return undefined;
    return { webhooks: [...own, ...others.map((entry) => narrowedEntry(entry, this.#namespace))] };
  }

  #keepsComponent(component: string | undefined): boolean {
    return this.#keptTemplates.some((kept) => componentOf(kept) === component);
  }

  #isReachedThrough(webhook: KubernetesObject): boolean {
    const observed = this.#observed.get(keyOf(webhook));
    return observed !== undefined && injectorReachedAt(observed) !== undefined;
  }
}

/** Identities of held objects, for the inventory. */
export function heldIds({ held }: Adoption): ObjectId[] {
  return held.map(idOf);
}

/** The webhooks of a configuration without what whoever answers them writes. */
function entriesOf(configuration: KubernetesObject): StoredEntry[] {
  const webhooks = Array.isArray(configuration.webhooks) ? configuration.webhooks : [];
  return webhooks.filter(isRecord).map((entry) => {
    const { caBundle: _caBundle, ...clientConfig } = recordOf(entry.clientConfig);
    return { ...entry, name: String(entry.name), clientConfig };
  });
}

/** True for a kind whose pods are made anew with another template. */
export function hasPodTemplate({ kind }: { readonly kind: string }): boolean {
  return kind === 'Deployment' || kind === 'DaemonSet';
}

function isOfIstiod(object: KubernetesObject): boolean {
  return componentOf(object) === istiodComponent;
}

function componentOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.labels?.['app.kubernetes.io/name'];
}

function ownsReplicas({ spec }: KubernetesObject): boolean {
  return isRecord(spec) && spec.replicas !== undefined;
}

function marked(from: readonly string[]): Record<string, string> {
  return { [adoptedFromAnnotation]: from.join(',') };
}

function annotated(
  object: KubernetesObject,
  annotations: Readonly<Record<string, string>>,
): KubernetesObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}

function keyOf(object: KubernetesObject): string {
  return idText(idOf(object));
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
