import { adoptedFromAnnotation, keptTemplateAnnotation } from '../../api/adoption.ts';
import { idOf, idText, type KubernetesObject, type ObjectKey } from '../../api/kubernetes-object.ts';
import { ownershipLabels } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import { resolveVersion, supportedVersionsText } from '../../api/resolve-version.ts';
import { revisionLabel } from '../../api/resolved-mesh.ts';
import { messageOf, NotFoundError, TerminalError } from '../../base/errors.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';
import { Adoption, hasPodTemplate } from '../../controllers/mesh/adoption.ts';
import { objectManager } from '../../controllers/mesh/field-managers.ts';
import { refuseForeign } from '../../controllers/mesh/refuse-foreign.ts';
import type { Loss } from '../../convert/conversion.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { RenderContext } from '../../render/render-context.ts';
import { renderMesh } from '../../render/render-mesh.ts';
import { type FieldChange, fieldChanges } from '../object-change.ts';
import { type Installation, istiodImageParts } from './find-installation.ts';
import { lastingDrift } from './lasting-drift.ts';
import { notesOnSail, stepsOffSail } from './leave-sail.ts';
import type { AdoptingMesh } from './mesh-of-installation.ts';
import { ownersOf, refusedOwners } from './refused-owners.ts';

/** What becomes of one object. */
export interface ObjectAdoption {
  /** Kind, namespace and name. */
  readonly object: string;
  /**
   * `take`: it becomes the mesh's. `keep`: the mesh has no use for it, and keeps it as long as pods of the installation
   * run that may. `create`: it is new. `refuse`: the mesh cannot have it, so nothing is done at all.
   */
  readonly action: 'take' | 'keep' | 'create' | 'refuse';
  /** Of what is taken: fields that get another value; metadata is left out. */
  readonly fields?: readonly FieldChange[];
  /** True where the pod template would be another one: it stays until a change of the spec makes pods anew. */
  readonly keepsTemplate?: boolean;
  /** Why it is refused or kept. */
  readonly why?: string;
}

/** What an adoption would do. */
export interface AdoptionPlan {
  readonly namespace: string;
  readonly name: string;
  readonly revision: string;
  readonly installer: Installation['installer'];
  /** `istiod 1.31.1 (Helm release istio-system/istiod)`. */
  readonly releases: readonly string[];
  readonly mesh: AdoptingMesh['mesh'];
  readonly losses: readonly Loss[];
  readonly objects: readonly ObjectAdoption[];
  /** What stands against the whole of it. */
  readonly refusals: readonly string[];
  /** What a person does about that, one after the other, where it is more than one thing. */
  readonly steps: readonly string[];
  /** What a person should know or do. */
  readonly notes: readonly string[];
}

/** A plan with what is written for it. */
export interface PlannedAdoption {
  readonly plan: AdoptionPlan;
  /** Each existing object of the mesh, with labels and annotations alone: the rest is the operator's. */
  readonly marks: readonly KubernetesObject[];
}

/** What each object is looked at by. */
interface Scene {
  readonly key: ObjectKey;
  readonly adoption: Adoption;
  /** True for objects, by kind and name, of the installation. */
  readonly isTheirs: (object: string) => boolean;
  /** Field managers of who has installed it. */
  readonly managers: readonly string[];
}

export interface AdoptionPlannerDeps {
  readonly client: KubeClient;
  readonly context: Omit<RenderContext, 'ownerUid'>;
}

/** Field managers of those who install Istio; what people have set by hand is by others, and stays theirs. */
const installers: Readonly<Record<Installation['installer'], readonly string[]>> = {
  helm: ['helm', 'helm-controller'],
  // Helm, within a process of another name; gateways beside it may be of the real one.
  sail: ['sail-operator', 'helm', 'helm-controller'],
  istioctl: ['istio-operator', 'istioctl'],
  manifests: [
    ...['kubectl', 'kubectl-client-side-apply', 'kubectl-create', 'Go-http-client'],
    ...['argocd-controller', 'kustomize-controller'],
  ],
};

/** Says what an adoption would do, by the functions by which the operator does it; each write is a dry run. */
export class AdoptionPlanner {
  readonly #deps: AdoptionPlannerDeps;
  readonly #applier: Applier;

  constructor(deps: AdoptionPlannerDeps) {
    this.#deps = deps;
    this.#applier = new Applier({ client: deps.client, fieldManager: objectManager, dryRun: true });
  }

  /** Takes a valid MeshOperator. */
  async plan(
    installation: Installation,
    { mesh, losses }: AdoptingMesh,
    others: readonly KubernetesObject[],
    signal: AbortSignal,
  ): Promise<PlannedAdoption> {
    const object = mesh as unknown as MeshOperator;
    const key = { namespace: installation.namespace, name: object.metadata.name };
    const managers = installers[installation.installer];
    const resolved = resolveMesh(object);
    const rendered = renderMesh(resolved, this.#deps.context).flatMap(({ objects }) => objects);
    const existing = await Promise.all(
      rendered.map((desired) => this.#deps.client.find(idOf(desired), signal)),
    );
    const found = existing.filter((observed) => observed !== undefined);
    const marked = byKey(
      [...installation.objects, ...found].map((observed) => withMarks(key, observed, managers)),
    );
    const adoption = new Adoption(key.namespace, rendered, marked.values());
    const theirs = new Set(installation.objects.map(keyOf));
    const isTheirs = (id: string) => installation.installer === 'manifests' || theirs.has(id);
    const changes = await Promise.all(
      rendered.map((desired, index) =>
        this.#planFor(desired, existing[index], { key, adoption, isTheirs, managers }, signal),
      ),
    );
    const wanted = new Set(rendered.map(keyOf));
    const kept = installation.objects.filter((observed) => !wanted.has(keyOf(observed)));
    const owners = ownersOf(installation.objects, installation.sail?.keepers);
    const refusals = [
      ...this.#refusedRevision(installation, resolved.revision),
      ...refusedVersion(installation),
      ...(resolved.upgrade.strategy === 'RevisionBased'
        ? ['spec.upgrade.strategy is RevisionBased: adopt with InPlace, and change it afterwards']
        : []),
      ...refusedOwners(owners),
      ...otherMesh(key, others),
    ];
    const plan = {
      ...key,
      revision: revisionLabel(installation.revision),
      installer: installation.installer,
      releases: installation.releases.map(
        ({ name, namespace, chart, version }) => `${chart} ${version} (Helm release ${namespace}/${name})`,
      ),
      mesh,
      losses,
      objects: [...changes, ...kept.map((observed) => keptObject(observed, key.namespace))],
      refusals,
      steps: stepsOffSail(installation, owners),
      notes: notesOn(installation),
    };
    const marks = [...kept, ...found].map((observed) => markOf(key, observed, managers));
    return { plan, marks };
  }

  async #planFor(
    desired: KubernetesObject,
    existing: KubernetesObject | undefined,
    { key, adoption, isTheirs, managers }: Scene,
    signal: AbortSignal,
  ): Promise<ObjectAdoption> {
    const object = idText(idOf(desired));
    try {
      if (existing === undefined) {
        await this.#applier.apply(desired, undefined, signal);
        return { object, action: 'create' };
      }
      refuseForeign(key, existing);
      if (!isTheirs(object)) return { object, action: 'refuse', why: stranger(existing) };
      const marked = withMarks(key, existing, managers);
      const planned = adoption.planFor(desired, marked);
      const wanted = planned?.desired ?? desired;
      const observed =
        planned === undefined ? marked : await this.#applier.takeOver(marked, planned.takeOver, signal);
      const drifts = this.#applier.driftOf(wanted, observed);
      const lasting = await lastingDrift(
        this.#deps.client,
        existing,
        drifts,
        { fieldManager: objectManager },
        signal,
      );
      const fields = fieldChanges(lasting).filter(({ path }) => !path.startsWith('metadata.'));
      const why = refusedFields(desired, existing, fields);
      if (why !== undefined) return { object, action: 'refuse', why, fields };
      const options = { fieldManager: objectManager, force: true, dryRun: true };
      await this.#deps.client.apply(markOf(key, existing, managers), options, signal);
      const keepsTemplate =
        hasPodTemplate(existing) && isRecord(wanted.spec) && wanted.spec.template === undefined;
      return { object, action: 'take', fields, ...(keepsTemplate ? { keepsTemplate } : {}) };
    } catch (error) {
      const isAboutObject =
        error instanceof NotFoundError || (error instanceof TerminalError && error.reason !== 'Forbidden');
      if (!isAboutObject) throw error;
      return { object, action: 'refuse', why: messageOf(error) };
    }
  }

  #refusedRevision(installation: Installation, revision: string): string[] {
    if (revision === installation.revision) return [];
    return [
      `spec.revision is ${revisionLabel(revision)}, and revision ${revisionLabel(installation.revision)} is installed: an adoption keeps the revision`,
    ];
  }
}

/** An object in the way that is not of the installation. */
function stranger({ metadata }: KubernetesObject): string {
  const managers = [...new Set((metadata.managedFields ?? []).map(({ manager }) => manager))].sort();
  return `it exists, is managed by ${managers.join(', ')}, and does not say that it is a part of this Istio: rename what is yours, or delete it`;
}

/** What would let pods lose their traffic, or cannot be at all. */
function refusedFields(
  desired: KubernetesObject,
  existing: KubernetesObject,
  fields: readonly FieldChange[],
): string | undefined {
  if (hasPodTemplate(desired)) {
    const [theirs, ours] = [existing, desired].map(({ spec }) =>
      isRecord(spec) ? spec.selector : undefined,
    );
    if (stableJson(theirs) === stableJson(ours)) return undefined;
    return `its spec.selector is ${stableJson(theirs)} and cannot be changed, and the mesh needs ${stableJson(ours)}: give the gateway these labels in its field label`;
  }
  if (desired.kind !== 'Service') return undefined;
  const [first] = fields;
  if (first === undefined) return undefined;
  return `${first.path} would be changed, and traffic with it: give the MeshOperator what the Service has now, in k8s.service or an overlay, and adopt with -f`;
}

function refusedVersion({ istiod }: Installation): string[] {
  const { tag } = istiodImageParts(istiod);
  const isRelease = /^[0-9]+\.[0-9]+\.[0-9]+$/.test(tag);
  if (!isRelease || resolveVersion(tag.replace(/\.[0-9]+$/, '')) !== undefined) return [];
  return [
    `Istio ${tag} is not supported: upgrade it by the means it was installed with first; supported are ${supportedVersionsText()}`,
  ];
}

/** The cluster's own check of names is the operator's; a mesh that is there is another matter. */
function otherMesh(key: ObjectKey, others: readonly KubernetesObject[]): string[] {
  const same = others.find(
    ({ metadata }) => metadata.namespace === key.namespace && metadata.name === key.name,
  );
  if (same === undefined) return [];
  return [
    `MeshOperator ${key.namespace}/${key.name} exists already: finish with it first, or give the MeshOperator another name by -f`,
  ];
}

function keptObject(observed: KubernetesObject, namespace: string): ObjectAdoption {
  const object = keyOf(observed);
  const why =
    observed.kind === 'MutatingWebhookConfiguration'
      ? `injects until the operator's injector is reached, then pods of namespace ${namespace} alone, which that one never does`
      : 'pods that run may use it';
  return { object, action: 'keep', why };
}

function notesOn(installation: Installation): string[] {
  const { releases, objects } = installation;
  const isTracked = objects.some(
    ({ metadata }) => metadata.annotations?.['argocd.argoproj.io/tracking-id'] !== undefined,
  );
  return [
    ...releases.map(
      ({ name, namespace }) =>
        `Never run "helm uninstall ${name}" afterwards, which deletes what the mesh needs. Let Helm forget the release: kubectl delete secret -n ${namespace} -l owner=helm,name=${name}`,
    ),
    ...(isTracked
      ? ['Argo CD tracks objects of this Istio: take them out of its Application without pruning first']
      : []),
    ...notesOnSail(installation),
  ];
}

/** The object as it is once it has been marked, and not touched otherwise. */
function withMarks(
  key: ObjectKey,
  observed: KubernetesObject,
  managers: readonly string[],
): KubernetesObject {
  const { metadata } = observed;
  const mark = markOf(key, observed, managers).metadata;
  return {
    ...observed,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...mark.labels },
      annotations: { ...metadata.annotations, ...mark.annotations },
    },
  };
}

/** What makes an object the mesh's, and says whose fields become the operator's. The uid keeps it from being made anew. */
function markOf(
  key: ObjectKey,
  { apiVersion, kind, metadata }: KubernetesObject,
  managers: readonly string[],
): KubernetesObject {
  const { name, namespace, uid, managedFields = [], annotations = {} } = metadata;
  const theirs = managers.filter((manager) => managedFields.some((entry) => entry.manager === manager));
  const from = annotations[adoptedFromAnnotation] ?? theirs.join(',');
  const kept = annotations[keptTemplateAnnotation] ?? '';
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      labels: ownershipLabels(key),
      annotations: {
        [adoptedFromAnnotation]: from,
        ...(hasPodTemplate({ kind }) ? { [keptTemplateAnnotation]: kept } : {}),
      },
    },
  };
}

function byKey(objects: readonly KubernetesObject[]): ReadonlyMap<string, KubernetesObject> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

function keyOf(object: KubernetesObject): string {
  return idText(idOf(object));
}
