import { authorAnnotation } from '../api/author.ts';
import { claimMessage, claimsOf, earlierClaim } from '../api/claims.ts';
import { ignoredAt } from '../api/ignore.ts';
import { kindInfo } from '../api/kinds.ts';
import {
  idOf,
  idText,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorKind } from '../api/mesh-operator.ts';
import { pauseAt } from '../api/pause.ts';
import { primaryConfigMapId } from '../api/primary-statement.ts';
import { resolveMesh } from '../api/resolve.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { supportWarnings } from '../api/version-support.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, NotFoundError, TerminalError } from '../base/errors.ts';
import { isRecord, stableJson } from '../base/stable-json.ts';
import { Adoption, heldIds } from '../controllers/mesh/adoption.ts';
import { enrolledMembers } from '../controllers/mesh/decide-members.ts';
import { decideMtls, mtlsInput } from '../controllers/mesh/decide-mtls.ts';
import { decidePrimary } from '../controllers/mesh/decide-primary.ts';
import { fightMessage, fightOver } from '../controllers/mesh/drift-ledger.ts';
import { crdManager, objectManager } from '../controllers/mesh/field-managers.ts';
import { crdDrift } from '../controllers/mesh/istio-crds.ts';
import { missingKindMessage, optionalKind } from '../controllers/mesh/owned-kinds.ts';
import { belongsTo } from '../controllers/mesh/pruner.ts';
import { refuseForeign } from '../controllers/mesh/refuse-foreign.ts';
import { refuseSkew } from '../controllers/mesh/refuse-skew.ts';
import { idsOf, subtract } from '../inventory/inventory.ts';
import { Applier, type ApplyResult } from '../kube/apply/applier.ts';
import type { KubeClient } from '../kube/client.ts';
import { renderGatewayApiCrds } from '../render/gateway-api-crds.ts';
import { renderIstioCrds } from '../render/istio-crds.ts';
import type { ObservedMesh } from '../render/observed-mesh.ts';
import type { RenderContext } from '../render/render-context.ts';
import { renderMeshOperator } from '../render/render-mesh-operator.ts';
import { standingUpgrade } from '../render/revisions/plan-revisions.ts';
import { readRevisions } from '../render/revisions/read-revision.ts';
import { versionRevision } from '../render/revisions/revision-spec.ts';
import { crdNameOf } from '../runtime/served-kind.ts';
import { fieldChanges, type ObjectChange } from './object-change.ts';
import { specChanges } from './spec-changes.ts';

/** What would come of a MeshOperator, were it applied. */
export interface MeshDiff {
  readonly namespace: string;
  readonly name: string;
  /** Every object that would not stay as it is, in the order of waves; what would be pruned is last. */
  readonly changes: readonly ObjectChange[];
  /** Workloads whose pods are made anew: kind, namespace and name. */
  readonly restarts: readonly string[];
  /** What else a person should know, such as a pause. */
  readonly notes: readonly string[];
}

export interface MeshDifferDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Every MeshOperator of the cluster. */
  readonly meshes: readonly KubernetesObject[];
  readonly context: Omit<RenderContext, 'ownerUid'>;
}

const crdKind = kindInfo('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

/** Whoever asks by this command line, towards the API server. */
const fieldManager = 'mesh-operator-cli';

/**
 * Says what the operator would do for MeshOperators, by the functions by which it does it; each write is a dry run, so
 * that webhooks and the API server have their say and nothing is changed.
 */
export class MeshDiffer {
  readonly #deps: MeshDifferDeps;
  readonly #applier: Applier;
  /** What has been asked for: nothing is written in between, and one answer serves all. */
  readonly #found = new Map<string, Promise<KubernetesObject | undefined>>();

  /** CRDs that one of the meshes would make. */
  readonly #brings = new Set<string>();

  constructor(deps: MeshDifferDeps) {
    this.#deps = deps;
    this.#applier = new Applier({ client: deps.client, fieldManager: objectManager, dryRun: true });
  }

  /** Takes a valid MeshOperator. Throws what the client throws when the cluster cannot be asked. */
  async diff(wanted: MeshOperator, signal: AbortSignal): Promise<MeshDiff> {
    const key = { namespace: wanted.metadata.namespace ?? '', name: wanted.metadata.name };
    const resolved = resolveMesh(wanted);
    this.#askAhead(key, resolved, signal);
    const own = await this.#diffMeshItself(key, wanted, signal);
    const stop =
      own?.action === 'refuse'
        ? own
        : (this.#refusedClaim(key, wanted) ?? this.#refusedVersion(key, resolved));
    if (stop !== undefined) return { ...key, changes: [stop], restarts: [], notes: [] };
    const rest = await this.#diffObjects(key, wanted, resolved, signal);
    return { ...rest, changes: [...(own === undefined ? [] : [own]), ...rest.changes] };
  }

  async #diffMeshItself(
    key: ObjectKey,
    wanted: MeshOperator,
    signal: AbortSignal,
  ): Promise<ObjectChange | undefined> {
    const live = this.#live(key);
    const { apiVersion, kind, metadata, spec = {} } = wanted;
    const { labels = {}, annotations = {} } = metadata;
    const object = { apiVersion, kind, metadata: { ...key, labels, annotations }, spec };
    const id = idText(idOf(object));
    try {
      await this.#deps.client.apply(object, { fieldManager, force: true, dryRun: true }, signal);
    } catch (error) {
      return refused(id, error);
    }
    if (live === undefined) return { object: id, action: 'create' };
    const fields = specChanges(live.spec ?? {}, spec, 'spec');
    return fields.length === 0 ? undefined : { object: id, action: 'change', fields };
  }

  /** A name that an older mesh holds. */
  #refusedClaim(key: ObjectKey, wanted: MeshOperator): ObjectChange | undefined {
    const creationTimestamp =
      this.#live(key)?.metadata.creationTimestamp ?? this.#deps.clock.now().toISOString();
    const mesh = { ...wanted, metadata: { ...wanted.metadata, creationTimestamp } } as KubernetesObject;
    const held = earlierClaim(mesh, (claimed) =>
      this.#deps.meshes.filter((other) => claimsOf(other).some(({ key }) => key === claimed)),
    );
    if (held === undefined) return undefined;
    return { object: idText(idOf(mesh)), action: 'refuse', why: claimMessage(held) };
  }

  /** A version that the proxies of what is installed could not follow. */
  #refusedVersion(key: ObjectKey, wanted: ResolvedMesh): ObjectChange | undefined {
    const live = this.#live(key);
    if (live === undefined) return undefined;
    try {
      refuseSkew(live, wanted);
      return undefined;
    } catch (error) {
      return refused(idText(idOf(live)), error);
    }
  }

  async #diffObjects(
    key: ObjectKey,
    wanted: MeshOperator,
    resolved: ResolvedMesh,
    signal: AbortSignal,
  ): Promise<MeshDiff> {
    const live = this.#live(key);
    const pause = pauseAt(wanted, this.#deps.clock.now());
    if (pause !== undefined) {
      const note = `The mesh is paused (${pause.reason}): nothing would be done`;
      return { ...key, changes: [], restarts: [], notes: [note] };
    }
    const { observed, notes } = await this.#observed(key, resolved, signal);
    const { kubernetesMinor } = this.#deps.context;
    const warnings = supportWarnings(resolved.version, kubernetesMinor, this.#deps.clock.now());
    const ownerUid = live?.metadata.uid;
    const context = { ...this.#deps.context, ...(ownerUid === undefined ? {} : { ownerUid }) };
    const objects = renderMeshOperator(wanted, resolved, observed, context).flatMap((wave) => wave.objects);
    const inventory = ((live as MeshOperator | undefined)?.status?.inventory ?? []) as ObjectId[];
    const adoption = await this.#adoption(key, objects, inventory, signal);
    if (resolved.base.enabled) for (const { metadata } of renderIstioCrds()) this.#brings.add(metadata.name);
    const changes = [
      ...(resolved.base.enabled ? await this.#diffCrds(signal) : []),
      ...(await this.#missingGatewayApi(resolved.base, signal)),
      ...(await Promise.all(objects.map((object) => this.#diffObject(key, object, adoption, signal)))).flat(),
    ];
    const unwanted = subtract(inventory, [...idsOf(objects), ...heldIds(adoption)]);
    changes.push(...(await this.#prunes(key, unwanted, signal)));
    const parts = await Promise.all(
      objects
        .filter(({ kind }) => kind === meshOperatorKind)
        .map((part) => {
          const partKey = { namespace: part.metadata.namespace ?? '', name: part.metadata.name };
          const mesh = part as unknown as MeshOperator;
          return this.#diffObjects(partKey, mesh, resolveMesh(mesh), signal);
        }),
    );
    return {
      ...key,
      changes: [...changes, ...parts.flatMap((part) => part.changes)],
      restarts: [
        ...changes.flatMap(({ object, restartsPods }) => (restartsPods === true ? [object] : [])),
        ...parts.flatMap((part) => part.restarts),
      ],
      notes: [...warnings, ...notes, ...parts.flatMap((part) => part.notes)],
    };
  }

  /** What the next pass would go by; where policies of peers have to wait, until somebody has been asked. */
  async #observed(
    key: ObjectKey,
    mesh: ResolvedMesh,
    signal: AbortSignal,
  ): Promise<{ readonly observed: ObservedMesh; readonly notes: readonly string[] }> {
    const { observed, notes } = await this.#observedPrimary(key, mesh, signal);
    const status = (this.#live(key) as MeshOperator | undefined)?.status;
    const owned = await Promise.all(
      ((status?.inventory ?? []) as ObjectId[])
        .filter(({ kind }) => kind === 'PeerAuthentication')
        .map((id) => this.#find(id, signal)),
    );
    const input = mtlsInput(
      mesh,
      { owned: owned.filter((object) => object !== undefined), members: observed.members },
      { before: status?.mtls, podsOf: () => [], now: this.#deps.clock.now() },
    );
    if (input === undefined) return { observed, notes };
    const { peers, status: mtls } = decideMtls(input);
    if (mtls.waiting === undefined) return { observed, notes };
    const note = `STRICT would wait at ${mtls.waiting.join(', ')} until nobody calls in plaintext there, which ${input.migration.prometheus} is asked`;
    return { observed: { ...observed, peers }, notes: [...notes, note] };
  }

  /** Where another cluster has the istiod, where that is as well. */
  async #observedPrimary(
    key: ObjectKey,
    mesh: ResolvedMesh,
    signal: AbortSignal,
  ): Promise<{ readonly observed: ObservedMesh; readonly notes: readonly string[] }> {
    const { observed, notes } = this.#observedUpgrade(key, mesh);
    if (mesh.remote?.isTold !== true) return { observed, notes };
    const told = await this.#find(primaryConfigMapId(mesh.namespace, mesh.revision), signal);
    const { addresses, awaits } = decidePrimary(mesh, told);
    return awaits === undefined
      ? { observed: { ...observed, primaryAddresses: addresses }, notes }
      : { observed, notes: [...notes, awaits] };
  }

  /** Where the version changes, what the first step of that upgrade would go by. */
  #observedUpgrade(
    key: ObjectKey,
    mesh: ResolvedMesh,
  ): { readonly observed: ObservedMesh; readonly notes: readonly string[] } {
    const revisions = readRevisions(key, this.#deps.meshes);
    const status = (this.#live(key) as MeshOperator | undefined)?.status;
    const known = status?.upgrade;
    const members = enrolledMembers(status?.members);
    if (mesh.upgrade.strategy !== 'RevisionBased' || revisions.size === 0) {
      return { observed: { upgrade: known, revisions, members }, notes: [] };
    }
    const wanted = versionRevision(mesh);
    const since = this.#deps.clock.now().toISOString();
    const upgrade = known ?? { ...standingUpgrade(wanted, revisions), since };
    if (upgrade.target === wanted) return { observed: { upgrade, revisions, members }, notes: [] };
    return {
      observed: { upgrade: { ...upgrade, phase: 'Installing', target: wanted, since }, revisions, members },
      notes: [
        `Revision ${wanted} would be installed beside ${upgrade.active}; namespaces and gateways follow in waves, as spec.upgrade says`,
      ],
    };
  }

  /** What the mesh still has as another installer has made it. */
  async #adoption(
    key: ObjectKey,
    objects: readonly KubernetesObject[],
    inventory: readonly ObjectId[],
    signal: AbortSignal,
  ): Promise<Adoption> {
    const found = await Promise.all(inventory.map((id) => this.#find(id, signal)));
    const own = found.filter((object) => object !== undefined && belongsTo(key, object));
    return new Adoption(key.namespace, objects, own as KubernetesObject[]);
  }

  async #diffObject(
    key: ObjectKey,
    rendered: KubernetesObject,
    adoption: Adoption,
    signal: AbortSignal,
  ): Promise<ObjectChange[]> {
    const id = idOf(rendered);
    const object = idText(id);
    const missing = await this.#missingKind(id, signal);
    if (missing !== undefined) return [{ object, ...missing }];
    const observed = await this.#find(id, signal);
    const wanted = rendered.kind === meshOperatorKind ? withAuthorOf(observed, rendered) : rendered;
    try {
      refuseForeign(key, observed);
      const plan = observed === undefined ? undefined : adoption.planFor(wanted, observed);
      const desired = plan?.desired ?? wanted;
      const why = observed === undefined ? undefined : this.#whyLeft(key, desired, observed);
      if (why !== undefined) return [{ object, action: 'leave', why }];
      // An object that is there and not ours is refused or adopted by the same rule as in the controller.
      const cached = observed !== undefined && belongsTo(key, observed) ? observed : undefined;
      const current =
        plan === undefined || cached === undefined
          ? cached
          : await this.#applier.takeOver(cached, plan.takeOver, signal);
      const result = await this.#applier.apply(desired, current, signal);
      if (result.outcome === 'unchanged') return [];
      if (result.outcome === 'created') return [{ object, action: 'create' }];
      const restartsPods = isRestarted(observed, result);
      return [{ object, action: 'change', fields: fieldChanges(result.drift), restartsPods }];
    } catch (error) {
      return [refused(object, error)];
    }
  }

  /** What becomes of an object whose kind is not there: those of Istio come with its CRDs, which are among the changes. */
  async #missingKind(id: ObjectId, signal: AbortSignal): Promise<Omit<ObjectChange, 'object'> | undefined> {
    const optional = optionalKind(id);
    if (optional === undefined) return undefined;
    const { apiVersion, kind } = crdKind;
    const name = crdNameOf(optional.kind);
    if ((await this.#find({ apiVersion, kind, name }, signal)) !== undefined) return undefined;
    if (this.#brings.has(name)) return { action: 'create' };
    return { action: 'refuse', why: missingKindMessage(id, optional) };
  }

  /** Why an object that differs is left as it is: its annotation, or a fight over a field. */
  #whyLeft(key: ObjectKey, desired: KubernetesObject, observed: KubernetesObject): string | undefined {
    const now = this.#deps.clock.now();
    const driftNow = () => this.#applier.driftOf(desired, observed);
    const ignored = ignoredAt(observed, now);
    if (ignored !== undefined) return driftNow().length === 0 ? undefined : ignored.reason;
    const ledger = (this.#live(key) as MeshOperator | undefined)?.status?.drift ?? [];
    const fight = fightOver(ledger, idOf(desired), driftNow, now);
    return fight === undefined ? undefined : fightMessage(fight);
  }

  async #diffCrds(signal: AbortSignal): Promise<ObjectChange[]> {
    const found = renderIstioCrds().map(async (crd): Promise<ObjectChange[]> => {
      const object = idText(idOf(crd));
      const observed = await this.#find(idOf(crd), signal);
      const drift = observed === undefined ? [] : crdDrift(crd, observed);
      if (observed !== undefined && drift.length === 0) return [];
      try {
        await this.#deps.client.apply(crd, { fieldManager: crdManager, force: true, dryRun: true }, signal);
      } catch (error) {
        return [refused(object, error)];
      }
      return observed === undefined
        ? [{ object, action: 'create' }]
        : [{ object, action: 'change', fields: fieldChanges(drift) }];
    });
    return (await Promise.all(found)).flat();
  }

  /** CRDs of the Gateway API are only ever made. */
  async #missingGatewayApi(
    { enabled, gatewayApi }: ResolvedMesh['base'],
    signal: AbortSignal,
  ): Promise<ObjectChange[]> {
    if (!enabled || gatewayApi === undefined) return [];
    const found = renderGatewayApiCrds(gatewayApi).map(async (crd): Promise<ObjectChange[]> => {
      const isThere = (await this.#find(idOf(crd), signal)) !== undefined;
      return isThere ? [] : [{ object: idText(idOf(crd)), action: 'create' }];
    });
    return (await Promise.all(found)).flat();
  }

  /** Of what is no longer rendered, what is there and is the mesh's. */
  async #prunes(key: ObjectKey, ids: readonly ObjectId[], signal: AbortSignal): Promise<ObjectChange[]> {
    const found = ids.map(async (id): Promise<ObjectChange[]> => {
      const observed = await this.#find(id, signal);
      if (observed === undefined || !belongsTo(key, observed)) return [];
      return [{ object: idText(id), action: 'prune' }];
    });
    return (await Promise.all(found)).flat();
  }

  /** What is sure to be looked at is asked for at once, so that the cluster answers while objects are rendered. */
  #askAhead(key: ObjectKey, { base }: ResolvedMesh, signal: AbortSignal): void {
    const status = (this.#live(key) as MeshOperator | undefined)?.status;
    const inventory = (status?.inventory ?? []) as ObjectId[];
    const crds = base.enabled ? renderIstioCrds().map(idOf) : [];
    for (const id of [...crds, ...inventory]) this.#find(id, signal).catch(() => undefined);
  }

  #find(id: ObjectId, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const name = `${id.apiVersion} ${idText(id)}`;
    const found = this.#found.get(name) ?? this.#deps.client.find(id, signal);
    this.#found.set(name, found);
    return found;
  }

  #live(key: ObjectKey): KubernetesObject | undefined {
    return this.#deps.meshes.find(
      ({ metadata }) =>
        keyText({ namespace: metadata.namespace ?? '', name: metadata.name }) === keyText(key),
    );
  }
}

/** The operator seals the parts that it makes of a mesh; nobody else can. */
function withAuthorOf(observed: KubernetesObject | undefined, desired: KubernetesObject): KubernetesObject {
  const author = observed?.metadata.annotations?.[authorAnnotation];
  if (author === undefined) return desired;
  const { metadata } = desired;
  const annotations = { ...metadata.annotations, [authorAnnotation]: author };
  return { ...desired, metadata: { ...metadata, annotations } };
}

/** What the operator could not write either; rethrows what says nothing about the object, such as what we may not ask. */
function refused(object: string, error: unknown): ObjectChange {
  const isAboutObject =
    error instanceof NotFoundError || (error instanceof TerminalError && error.reason !== 'Forbidden');
  if (!isAboutObject) throw error;
  return { object, action: 'refuse', why: messageOf(error) };
}

/** True when the pod template of a workload becomes another one. What is removed from it need not show in the answer. */
function isRestarted(before: KubernetesObject | undefined, { object, drift }: ApplyResult): boolean {
  const isCutDown = drift.some(({ kind, path }) => kind === 'extra' && path.startsWith('spec.template.'));
  return isCutDown || stableJson(templateOf(before) ?? null) !== stableJson(templateOf(object) ?? null);
}

function templateOf(object: KubernetesObject | undefined): unknown {
  return isRecord(object?.spec) ? object.spec.template : undefined;
}
