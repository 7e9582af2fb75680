import { authorizationOf } from '../../api/authorization.ts';
import { claimedBundle, claimedTenant, claimMessage, earlierClaim } from '../../api/claims.ts';
import { findCondition } from '../../api/conditions.ts';
import { ignoredAt } from '../../api/ignore.ts';
import {
  idOf,
  idText,
  type KubernetesObject,
  type ObjectId,
  type ObjectKey,
} from '../../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorKind } from '../../api/mesh-operator.ts';
import type {
  AdoptedObject,
  Condition,
  DriftRecord,
  GatewayStatus,
  MemberStatus,
  MeshOperatorStatus,
  RevisionStatus,
  SpecRecord,
  UpgradeStatus,
} from '../../api/mesh-operator-status.ts';
import { type Pause, pauseAt, pauseEndsInMs } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Clock } from '../../base/clock.ts';
import { NotFoundError, TerminalError, WaitingError } from '../../base/errors.ts';
import { idsOf, subtract, union } from '../../inventory/inventory.ts';
import type { Applier, ApplyResult } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ClusterVersion } from '../../kube/cluster-version.ts';
import { driftText } from '../../kube/diff/drift.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import { requiredRights } from '../../render/rights/required-rights.ts';
import { type Wave, waveNames } from '../../render/wave.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { Adoption, heldIds } from './adoption.ts';
import type { AuthorCheck } from './author-check.ts';
import { enrolmentLabels, isMember, memberStatuses } from './decide-members.ts';
import { mtlsConditionType } from './decide-mtls.ts';
import { decidePrimary, type PrimaryDecision } from './decide-primary.ts';
import { determineStatus, meshConditions, meshStatusFields } from './determine-status.ts';
import {
  type DriftLedger,
  fightMessage,
  fightOver,
  leftForMs,
  recordRepair,
  recordYielded,
} from './drift-ledger.ts';
import { statusManager } from './field-managers.ts';
import type { GatewayApiCrds } from './gateway-api-crds.ts';
import type { IstioCrds } from './istio-crds.ts';
import { IstiodLeftovers } from './istiod-leftovers.ts';
import { MemberNamespaces } from './member-namespaces.ts';
import { ensureMeshFinalizer, hasMeshFinalizer, releaseMeshFinalizer } from './mesh-finalizer.ts';
import { leftBehindText, MeshRemover, type RemovalReport } from './mesh-remover.ts';
import { MtlsMigration, type MtlsStep } from './mtls-migration.ts';
import { gatewayAddresses, unhealthyOf } from './object-health.ts';
import type { ObservedWorld } from './observed-world.ts';
import { isUnwatched, missingKindMessage, type OptionalKind, optionalKind } from './owned-kinds.ts';
import type { PassReport, WaveReport } from './pass-report.ts';
import { Pruner } from './pruner.ts';
import { refuseForeign } from './refuse-foreign.ts';
import { refuseSkew } from './refuse-skew.ts';
import { refuseOverlap, refuseTenant } from './refuse-tenant.ts';
import { type RenderedMesh, RenderedMeshes } from './rendered-meshes.ts';
import { SpecKeeper } from './spec-keeper.ts';
import { leastStatusIntervalMs } from './status-interval.ts';
import { beginDeparture, departureOf, endDeparture } from './tenant-departure.ts';

export interface MeshReconcilerDeps {
  readonly client: KubeClient;
  readonly applier: Applier;
  readonly world: ObservedWorld;
  readonly crds: IstioCrds;
  readonly gatewayApiCrds: GatewayApiCrds;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly clusterVersion: ClusterVersion;
  /** The operator's own image. */
  readonly operatorImage: string;
  /** Absent where the operator does for anybody what a MeshOperator asks for. */
  readonly authors?: AuthorCheck | undefined;
  /** Every pod of a namespace, as a cache knows it. */
  readonly podsIn: (namespace: string) => readonly KubernetesObject[];
  /** How long nothing may go at a removal before the mesh goes without what holds it. */
  readonly removalDeadlineMs: number;
}

/** How long to wait for what an object needs and that does not exist: its namespace, or its kind. */
const missingRetryMs = 10_000;

/**
 * Brings the cluster to what one MeshOperator asks for.
 * Decides from caches alone, so it may run at any time, any number of times; an unchanged pass costs no request.
 */
export class MeshReconciler implements Reconciler {
  readonly #deps: MeshReconcilerDeps;
  readonly #rendered = new RenderedMeshes();
  readonly #status: StatusWriter;
  readonly #pruner: Pruner;
  readonly #specs: SpecKeeper;
  readonly #remover: MeshRemover;
  readonly #members: MemberNamespaces;
  readonly #mtls: MtlsMigration;

  constructor(deps: MeshReconcilerDeps) {
    this.#deps = deps;
    this.#status = new StatusWriter(
      {
        fieldManager: statusManager,
        fields: meshStatusFields,
        conditions: meshConditions,
        leastIntervalMs: leastStatusIntervalMs,
      },
      deps,
    );
    this.#pruner = new Pruner(deps);
    this.#specs = new SpecKeeper(deps);
    this.#members = new MemberNamespaces({ client: deps.client, world: deps.world });
    this.#mtls = new MtlsMigration(deps);
    this.#remover = new MeshRemover({
      pruner: this.#pruner,
      leftovers: new IstiodLeftovers(deps),
      ...{ clock: deps.clock, deadlineMs: deps.removalDeadlineMs },
    });
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const cached = this.#deps.world.mesh(key);
    if (cached === undefined) return {};
    const pass = new Pass(cached, context);
    try {
      if (cached.metadata.deletionTimestamp !== undefined) await this.#remove(pass);
      else await this.#converge(pass);
    } catch (error) {
      // Shutdown and lost leadership say nothing about the mesh.
      if (context.signal.aborted) throw error;
      pass.error = error;
    }
    if (pass.isReleased) return {};
    return this.#conclude(pass);
  }

  /** Works towards the spec as far as the world allows now; what it learns is in the pass. */
  async #converge(pass: Pass): Promise<void> {
    const { clock, client, world } = this.#deps;
    pass.pause = pauseAt(pass.mesh as unknown as MeshOperator, clock.now());
    if (pass.pause !== undefined) return this.#pauseRevisions(pass);

    pass.replaceMesh(await ensureMeshFinalizer(client, pass.mesh, pass.signal), world);
    const held = earlierClaim(pass.mesh, (name) => world.meshesClaiming(name));
    if (held !== undefined) {
      throw new TerminalError(claimMessage(held), { reason: 'RevisionConflict' });
    }
    const asked = await this.#render(pass);
    const { resolved } = asked;
    refuseTenant(resolved, world.namespace(pass.key.namespace));
    refuseOverlap(pass.mesh, resolved, world.rivalsOf(resolved));
    refuseSkew(pass.mesh, resolved);
    await this.#authorize(pass, asked);
    awaitPrimary(this.#primaryOf(pass));
    const { waves } = await this.#holdMtls(pass, asked);
    pass.resolved = resolved;
    pass.waves = waves.map(({ name }) => ({ name, isApplied: false, unhealthy: [] }));
    const objects = waves.flatMap((wave) => wave.objects);
    const owned = world.ownedBy(pass.key);
    const adoption = new Adoption(pass.key.namespace, objects, owned);
    pass.adopt(adoption);
    const desired = union(idsOf(objects), heldIds(adoption));
    const known = union(pass.inventory, idsOf(owned));
    await this.#widenInventory(pass, union(known, desired));
    const unwanted = subtract(known, desired);

    await this.#withdrawLeaving(pass, resolved);
    const { enabled, gatewayApi } = resolved.base;
    if (enabled) await this.#deps.crds.ensure(pass.signal);
    if (enabled && gatewayApi !== undefined) await this.#deps.gatewayApiCrds.ensure(gatewayApi, pass.signal);
    await this.#applyWaves(pass, waves);
    if (!pass.waves.every((wave) => wave.isApplied)) await this.#followSelection(pass, waves, unwanted);
    await this.#enrolMembers(pass, resolved);
    pass.gateways = gatewayStatuses(resolved, world);
    if (!pass.waves.every((wave) => wave.isApplied)) return;
    for (const held of adoption.heldPlans()) await this.#applyObject(pass, held, false);
    pass.leaving = await this.#pruner.pruneInOrder(pass.key, unwanted, pass.signal);
    pass.inventory = union(desired, pass.leaving);
    await this.#releaseLeft(pass, resolved);
  }

  /** Namespaces that are members no longer: their pods are followed no more before their rights and limits go. */
  async #withdrawLeaving(pass: Pass, resolved: ResolvedMesh): Promise<void> {
    const { tenancy } = resolved;
    if (tenancy === undefined) return;
    for (const { object, state } of this.#deps.world.candidatesOf(resolved)) {
      if (state !== 'Leaving' || object === undefined || isWithdrawn(resolved, object)) continue;
      pass.log.info('Withdrawing member', { namespace: object.metadata.name });
      await this.#members.withdraw(object, tenancy.tenant, pass.signal);
    }
  }

  /** Once members have what they need, above all the right of istiod to write there: it asks once. */
  async #enrolMembers(pass: Pass, resolved: ResolvedMesh): Promise<void> {
    const { tenancy } = resolved;
    if (tenancy === undefined) return;
    const before = waveNames.slice(0, waveNames.indexOf('members') + 1);
    if (pass.waves.some(({ name, isApplied }) => before.includes(name) && !isApplied)) return;
    for (const { object, state } of this.#deps.world.candidatesOf(resolved)) {
      if (state !== 'Enrolling' || object === undefined) continue;
      pass.log.info('Enrolling member', { namespace: object.metadata.name });
      await this.#members.enrol(object, enrolmentLabels(resolved, tenancy), pass.signal);
    }
  }

  /** What is left of members that are none any more, when all that was made there is gone. */
  async #releaseLeft(pass: Pass, resolved: ResolvedMesh): Promise<void> {
    const kept = new Set(pass.leaving.map(({ namespace }) => namespace));
    for (const { object, state } of this.#deps.world.candidatesOf(resolved)) {
      if (state !== 'Leaving' || object === undefined || kept.has(object.metadata.name)) continue;
      await this.#members.release(object, claimedBundle(pass.mesh), pass.signal);
    }
  }

  /** Throws TerminalError when whoever wrote the spec may not do what it asks for. */
  async #authorize(pass: Pass, { resolved, waves }: RenderedMesh): Promise<void> {
    const { authors, operatorImage, clusterVersion } = this.#deps;
    if (authors === undefined) {
      pass.authorization = 'NotAsked';
      return;
    }
    const kubernetesMinor = await clusterVersion.minor(pass.signal);
    const object = pass.mesh as unknown as MeshOperator;
    const wanted = {
      objects: idsOf(waves.flatMap(({ name, objects }) => (name === 'members' ? [] : objects))),
      rights: () => requiredRights(object, resolved, waves, { operatorImage, kubernetesMinor }),
    };
    const authorization = await authors.check(pass.mesh, wanted, pass.signal);
    pass.authorization = authorization;
    const { status, reason, message } = authorization;
    if (status !== 'True') throw new TerminalError(message, { reason });
  }

  /** What is rendered while some of the spec's mutual TLS waits; `asked` where nothing does. */
  async #holdMtls(pass: Pass, asked: RenderedMesh): Promise<RenderedMesh> {
    const observed = { owned: this.#deps.world.ownedBy(pass.key), members: this.#membersOf(pass) };
    pass.mtls = await this.#mtls.step(pass.mesh, asked.resolved, observed, pass.signal);
    return pass.mtls?.decision.peers === undefined ? asked : this.#render(pass);
  }

  async #render(pass: Pass): Promise<RenderedMesh> {
    const { operatorImage, clusterVersion, world } = this.#deps;
    const kubernetesMinor = await clusterVersion.minor(pass.signal);
    const revisions = world.revisionsOf(pass.key);
    const rendered = this.#rendered.of(
      pass.mesh,
      {
        ...{ upgrade: pass.upgrade, revisions, members: this.#membersOf(pass) },
        peers: pass.mtls?.decision.peers,
        primaryAddresses: this.#primaryOf(pass)?.addresses,
      },
      { operatorImage, kubernetesMinor },
    );
    if (rendered.resolved.upgrade.strategy === 'RevisionBased') {
      pass.revisions = [...revisions].map(([name, { spec }]) => ({ name, version: spec.version ?? '' }));
    }
    return rendered;
  }

  /** What another cluster says of its istiod; undefined where none is asked. */
  #primaryOf({ mesh }: Pass): PrimaryDecision | undefined {
    const resolved = this.#rendered.resolve(mesh);
    return resolved.remote?.isTold === true
      ? decidePrimary(resolved, this.#deps.world.primaryOf(resolved))
      : undefined;
  }

  /** By name; rendered is what they get. */
  #membersOf({ mesh }: Pass): readonly string[] {
    if (claimedTenant(mesh) === undefined) return [];
    const resolved = this.#rendered.resolve(mesh);
    return this.#deps.world
      .candidatesOf(resolved)
      .filter(isMember)
      .map(({ namespace }) => namespace);
  }

  /** A paused mesh has its control planes paused, which are MeshOperators of their own. */
  async #pauseRevisions(pass: Pass): Promise<void> {
    if (this.#deps.world.revisionsOf(pass.key).size === 0) return;
    const rendered = await this.#render(pass);
    await this.#authorize(pass, rendered);
    for (const wave of rendered.waves) {
      for (const object of wave.objects.filter(({ kind }) => kind === meshOperatorKind)) {
        await this.#applyObject(pass, object, false);
      }
    }
  }

  /** Names in status what is about to be created, so that nothing is ever created that status does not know. */
  async #widenInventory(pass: Pass, inventory: readonly ObjectId[]): Promise<void> {
    const isKnown = subtract(inventory, pass.inventory).length === 0;
    pass.inventory = inventory;
    if (!isKnown) await this.#writeStatus(pass);
  }

  /**
   * Applies wave by wave, the next only when the last is healthy. A mesh that has been complete in this generation
   * is repaired whole: a sick istiod does not keep a deleted gateway from coming back.
   */
  async #applyWaves(pass: Pass, waves: readonly Wave[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [index, wave] of waves.entries()) {
      try {
        const report = await this.#applyWave(pass, wave, pass.wasComplete);
        pass.waves[index] = report;
        if (report.unhealthy.length > 0 && !pass.wasComplete) return;
      } catch (error) {
        if (!pass.wasComplete || pass.signal.aborted) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw mostTelling(failures);
  }

  /**
   * Which pods a control plane is for does not depend on its health: webhooks that there are follow the spec, and go with
   * it, even while their wave waits. So a sick one can be relieved of namespaces.
   */
  async #followSelection(pass: Pass, waves: readonly Wave[], unwanted: readonly ObjectId[]): Promise<void> {
    const waiting = waves.filter((_wave, index) => pass.waves[index]?.isApplied === false);
    for (const object of waiting.flatMap(({ objects }) => objects.filter(isSelection))) {
      if (this.#deps.world.find(idOf(object)) !== undefined) await this.#applyObject(pass, object, false);
    }
    const selections = unwanted.filter(isSelection);
    const leaving = await this.#pruner.prune(pass.key, selections, pass.signal);
    pass.inventory = union(subtract(pass.inventory, selections), leaving);
  }

  async #applyWave(pass: Pass, wave: Wave, wasComplete: boolean): Promise<WaveReport> {
    const applied: KubernetesObject[] = [];
    for (const group of applyGroups(wave.objects)) {
      const settled = await Promise.allSettled(
        group.map((desired) => this.#applyObject(pass, desired, wasComplete && !isReleased(pass, desired))),
      );
      const failures = settled.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
      if (failures.length > 0) throw mostTelling(failures);
      applied.push(...settled.filter((result) => result.status === 'fulfilled').map(({ value }) => value));
    }
    const unhealthy = wave.name === 'other-revisions' ? [] : unhealthyOf(applied);
    return { name: wave.name, isApplied: true, unhealthy };
  }

  /** The object as it is in the cluster afterwards. */
  async #applyObject(
    pass: Pass,
    rendered: KubernetesObject,
    wasComplete: boolean,
  ): Promise<KubernetesObject> {
    const authors = rendered.kind === meshOperatorKind ? this.#deps.authors : undefined;
    const desired = authors === undefined ? rendered : authors.sealed(rendered);
    const id = idOf(desired);
    const { client, world } = this.#deps;
    const optional = optionalKind(id);
    if (optional !== undefined && !world.serves(optional.kind)) throw missingKind(id, optional);
    const observed = isUnwatched(id) ? await client.find(id, pass.signal) : world.find(id);
    refuseForeign(pass.key, observed);
    if (observed !== undefined && authors?.maySeal(rendered, observed) === false) return observed;
    const plan = observed === undefined ? undefined : pass.adoption?.planFor(desired, observed);
    const wanted = plan?.desired ?? desired;
    if (observed !== undefined && this.#isLeftAlone(pass, wanted, observed)) return observed;
    const current =
      plan === undefined || observed === undefined
        ? observed
        : await this.#deps.applier.takeOver(observed, plan.takeOver, pass.signal);
    const result = await this.#deps.applier
      .apply(wanted, current, pass.signal)
      .catch((error: unknown) => this.#rethrowExplained(error, id, pass.signal));
    if (result.outcome === 'unchanged') return result.object;
    pass.log.info('Applied object', { object: idText(id), outcome: result.outcome });
    if (wasComplete) {
      this.#note(pass, repairNote(id, result));
      pass.drift = recordRepair(pass.drift, id, result.drift, this.#deps.clock.now());
    }
    return result.object;
  }

  /** True for an object that its annotation keeps from us, and for one that somebody else does not stop changing. */
  #isLeftAlone(pass: Pass, desired: KubernetesObject, observed: KubernetesObject): boolean {
    const { clock, applier } = this.#deps;
    const now = clock.now();
    const id = idOf(desired);
    const ignored = ignoredAt(observed, now);
    if (ignored !== undefined) {
      pass.ignored.push({ object: idText(id), ...ignored });
      return true;
    }
    const fight = fightOver(pass.drift, id, () => applier.driftOf(desired, observed), now);
    if (fight === undefined) return false;
    if (fight.action !== 'LeftAlone') {
      this.#note(pass, { type: 'Warning', reason: 'FieldConflict', message: fightMessage(fight) });
      pass.drift = recordYielded(pass.drift, fight);
    }
    pass.fights.push(fight);
    return true;
  }

  /** Where an object cannot be made because its namespace or kind is missing, says so: the API server's own words do not help. */
  async #rethrowExplained(error: unknown, id: ObjectId, signal: AbortSignal): Promise<never> {
    if (!(error instanceof NotFoundError) || id.namespace === undefined) throw error;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: id.namespace };
    if ((await this.#deps.client.find(namespace, signal)) !== undefined) {
      const optional = optionalKind(id);
      throw optional === undefined ? error : missingKind(id, optional, error);
    }
    throw new WaitingError(
      `Namespace ${id.namespace} does not exist, so ${idText(id)} cannot be made: create it or change the spec`,
      { reason: 'NamespaceMissing', retryAfterMs: missingRetryMs, cause: error },
    );
  }

  /** Removes everything in order, and lets go of the MeshOperator as the last step. */
  async #remove(pass: Pass): Promise<void> {
    if (!hasMeshFinalizer(pass.mesh)) {
      pass.isReleased = true;
      return;
    }
    const { world, client } = this.#deps;
    const departure = departureOf(pass.mesh, {
      meshesClaiming: (key) => world.meshesClaiming(key),
      membersOf: (tenant) => world.membersOf(tenant),
    });
    if (departure !== undefined) await beginDeparture(departure, this.#members, pass.signal);
    const known = union(pass.inventory, idsOf(world.ownedBy(pass.key)));
    const removal = await this.#remover.step(pass.mesh, known, pass.signal);
    pass.removal = removal;
    pass.inventory = removal.remaining;
    if (removal.held.length > 0) return;
    if (removal.leftBehind.length > 0) {
      const message = leftBehindText(removal.leftBehind);
      pass.log.warn('Objects left behind', { detail: message });
      this.#note(pass, { type: 'Warning', reason: 'LeftBehind', message });
    }
    if (departure !== undefined) await endDeparture(departure, this.#members, pass.signal);
    await this.#specs.forget(pass.mesh, pass.history, pass.signal);
    await releaseMeshFinalizer(client, pass.mesh, pass.signal);
    this.#rendered.forget(pass.mesh);
    this.#mtls.forget(pass.key);
    this.#remover.forget(pass.mesh);
    this.#status.forget(pass.mesh);
    pass.isReleased = true;
  }

  /** Writes the status, then hands the pass's error to the shell, which decides when to come back. */
  async #conclude(pass: Pass): Promise<ReconcileResult> {
    const before = (pass.mesh.status as MeshOperatorStatus | undefined)?.state;
    let dueInMs: number | undefined;
    await this.#keepSpec(pass);
    try {
      dueInMs = await this.#writeStatus(pass);
    } catch (error) {
      if (pass.error === undefined) throw error;
      pass.log.warn('Status not written', { error });
    }
    const after = (pass.mesh.status ?? {}) as MeshOperatorStatus;
    if (after.state !== before) this.#note(pass, stateNote(pass.mesh));
    this.#note(pass, mtlsNote(pass.conditionsBefore, after));
    if (pass.error !== undefined) throw pass.error;
    const now = this.#deps.clock.now();
    return requeueAfter(dueInMs, pass.removal?.retryInMs, ...pass.endsInMs(now));
  }

  /** What a mesh is Ready in is kept; one whose spec cannot be kept is Ready nevertheless, and tries again. */
  async #keepSpec(pass: Pass): Promise<void> {
    if (!this.#specs.isNew(pass.mesh, pass.history)) return;
    const { state, version = '' } = this.#determine(pass);
    if (state !== 'Ready') return;
    try {
      pass.history = await this.#specs.keep(pass.mesh, version, pass.history, pass.signal);
    } catch (error) {
      pass.log.warn('Spec not kept', { error });
    }
  }

  #determine(pass: Pass): MeshOperatorStatus {
    const { clock, world } = this.#deps;
    const before = this.#status.partOf(pass.mesh);
    const { generation = 0 } = pass.mesh.metadata;
    const now = clock.now();
    const candidates = pass.resolved === undefined ? undefined : world.candidatesOf(pass.resolved);
    const members = candidates === undefined ? pass.members : memberStatuses(pass.members, candidates, now);
    return determineStatus(before, generation, { ...pass.report(), members }, now);
  }

  /** Milliseconds until a message that was held back is due; undefined when nothing is held back. */
  async #writeStatus(pass: Pass): Promise<number | undefined> {
    const status = this.#determine(pass);
    const { written, dueInMs } = await this.#status.write(pass.mesh, status, pass.signal);
    if (written !== undefined) pass.replaceMesh(written, this.#deps.world);
    return dueInMs;
  }

  /** Events are a courtesy: nobody waits for them. */
  #note(pass: Pass, note: EventNote | undefined): void {
    if (note !== undefined) void this.#deps.events.record(pass.mesh, note, pass.signal);
  }
}

/** The mesh is woken when the CRD comes; what is asked for again after a while is one that is there and not served. */
function missingKind(id: ObjectId, optional: OptionalKind, cause?: unknown): WaitingError {
  return new WaitingError(missingKindMessage(id, optional), {
    ...{ reason: 'KindMissing', retryAfterMs: missingRetryMs, cause },
  });
}

/** Throws WaitingError while nobody has said where istiod is; what there is stays as it is. The mesh is woken when it is said. */
function awaitPrimary(decision: PrimaryDecision | undefined): void {
  if (decision?.awaits === undefined) return;
  throw new WaitingError(decision.awaits, { reason: 'PrimaryPending', retryAfterMs: missingRetryMs });
}

/** True for a policy that this pass changes by a decision of ours: nobody else has. */
function isReleased({ mtls }: Pass, { kind }: KubernetesObject): boolean {
  return mtls?.isMoving === true && kind === 'PeerAuthentication';
}

/** What one pass has learned so far. */
class Pass {
  mesh: KubernetesObject;
  readonly key: ObjectKey;
  readonly signal: AbortSignal;
  readonly log: ReconcileContext['log'];
  readonly isDeleting: boolean;
  /** In this generation, before the pass. */
  readonly wasComplete: boolean;
  readonly conditionsBefore: readonly Condition[];
  pause: PassReport['pause'];
  authorization: PassReport['authorization'];
  resolved: ResolvedMesh | undefined;
  mtls: MtlsStep | undefined;
  waves: WaveReport[] = [];
  readonly upgrade: UpgradeStatus | undefined;
  revisions: readonly RevisionStatus[] | undefined;
  gateways: readonly GatewayStatus[];
  /** Before the pass. */
  readonly members: readonly MemberStatus[];
  inventory: readonly ObjectId[];
  leaving: readonly ObjectId[] = [];
  removal: RemovalReport | undefined;
  drift: DriftLedger;
  history: readonly SpecRecord[];
  /** Fights over fields that were left to the other one. */
  readonly fights: DriftRecord[] = [];
  readonly ignored: (Pause & { readonly object: string })[] = [];
  adoption: Adoption | undefined;
  adopted: readonly AdoptedObject[];
  error: unknown;
  /** The finalizer is gone: nothing may be written any more. */
  isReleased = false;

  constructor(mesh: KubernetesObject, context: ReconcileContext) {
    const status = (mesh.status ?? {}) as MeshOperatorStatus;
    this.mesh = mesh;
    this.key = { namespace: mesh.metadata.namespace ?? '', name: mesh.metadata.name };
    this.signal = context.signal;
    this.log = context.log;
    this.isDeleting = mesh.metadata.deletionTimestamp !== undefined;
    this.wasComplete =
      status.observedGeneration === mesh.metadata.generation && authorizationOf(mesh)?.status !== 'False';
    this.conditionsBefore = status.conditions ?? [];
    this.upgrade = status.upgrade;
    this.gateways = status.gateways ?? [];
    this.members = status.members ?? [];
    this.drift = status.drift ?? [];
    this.history = status.history ?? [];
    this.adopted = status.adopted ?? [];
    // The schema's optional fields may be undefined, those of an ObjectId may not; JSON has no undefined.
    this.inventory = (status.inventory ?? []) as ObjectId[];
  }

  replaceMesh(mesh: KubernetesObject, world: ObservedWorld): void {
    if (mesh === this.mesh) return;
    this.mesh = mesh;
    world.observeWrite(mesh);
  }

  adopt(adoption: Adoption): void {
    this.adoption = adoption;
    this.adopted = adoption.kept;
  }

  /** When something that holds now ends by itself. */
  endsInMs(now: Date): (number | undefined)[] {
    return [
      this.pause === undefined ? undefined : pauseEndsInMs(this.pause, now),
      ...this.fights.map((fight) => Math.max(0, leftForMs(fight, now))),
      ...this.ignored.map((ignored) => pauseEndsInMs(ignored, now)),
      this.mtls?.againInMs,
    ];
  }

  report(): Omit<PassReport, 'members'> {
    return {
      drift: this.drift,
      history: this.history,
      fights: this.fights,
      ignored: this.ignored.map(({ object, reason, until }) => ({
        ...{ object, reason },
        ...(until === undefined ? {} : { until: until.toISOString() }),
      })),
      adopted: this.adopted,
      isDeleting: this.isDeleting,
      waves: this.waves,
      gateways: this.gateways,
      inventory: this.inventory,
      leaving: this.leaving,
      ...(this.removal === undefined ? {} : { removal: this.removal }),
      ...(this.resolved === undefined ? {} : { resolved: this.resolved }),
      ...(this.mtls === undefined ? {} : { mtls: this.mtls.decision }),
      ...(this.pause === undefined ? {} : { pause: this.pause }),
      ...(this.authorization === undefined ? {} : { authorization: this.authorization }),
      ...(this.upgrade === undefined ? {} : { upgrade: this.upgrade }),
      ...(this.revisions === undefined ? {} : { revisions: this.revisions }),
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }
}

/**
 * Objects that may be applied at the same time. Bindings come after roles: the API server looks the role up to see
 * that whoever binds it holds what it grants (RBAC escalation check).
 */
function applyGroups(objects: readonly KubernetesObject[]): KubernetesObject[][] {
  const isBinding = ({ kind }: KubernetesObject) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
  const groups = [objects.filter((object) => !isBinding(object)), objects.filter(isBinding)];
  return groups.filter((group) => group.length > 0);
}

/** True where nothing is left to withdraw: somebody else's label of the same value stays. */
function isWithdrawn({ revision }: ResolvedMesh, { metadata }: KubernetesObject): boolean {
  return metadata.labels?.['istio.io/rev'] !== revision;
}

/** True for what decides which pods are injected. */
function isSelection({ kind }: { readonly kind: string }): boolean {
  return kind === 'MutatingWebhookConfiguration';
}

function gatewayStatuses(resolved: ResolvedMesh, world: ObservedWorld): GatewayStatus[] {
  return resolved.gateways.map(({ name, namespace }) => {
    const service = world.find({ apiVersion: 'v1', kind: 'Service', namespace, name });
    return { name, namespace, addresses: service === undefined ? [] : gatewayAddresses(service) };
  });
}

/** A person can act on a terminal error, so it is shown before those that may pass by themselves. */
function mostTelling(failures: readonly unknown[]): unknown {
  return failures.find((failure) => failure instanceof TerminalError) ?? failures[0];
}

/** What to tell a person about a write to a mesh that was complete: somebody else had changed something. */
function repairNote(id: ObjectId, result: ApplyResult): EventNote {
  if (result.outcome === 'created') {
    return {
      type: 'Warning',
      reason: 'Recreated',
      message: `${idText(id)} was gone and has been made again`,
    };
  }
  const what = result.drift.slice(0, 5).map(driftText).join(', ');
  return {
    type: 'Warning',
    reason: 'DriftRepaired',
    message: `${idText(id)}: ${what}; set back to what the mesh needs`,
  };
}

/** What to tell a person when mutual TLS begins to wait, or does so no more. */
function mtlsNote(before: readonly Condition[], after: MeshOperatorStatus): EventNote | undefined {
  const was = findCondition(before, mtlsConditionType);
  const is = findCondition(after.conditions ?? [], mtlsConditionType);
  if (is === undefined || is.reason === was?.reason) return undefined;
  const { reason, message } = is;
  if (after.mtls?.waiting !== undefined) return { type: 'Warning', reason, message };
  return was === undefined || reason !== 'InForce'
    ? undefined
    : { type: 'Normal', reason: mtlsConditionType, message };
}

function stateNote(mesh: KubernetesObject): EventNote | undefined {
  const { state, conditions } = (mesh.status ?? {}) as MeshOperatorStatus;
  const ready = conditions?.find((condition) => condition.type === 'Ready');
  if (ready === undefined) return undefined;
  if (state === 'Ready') return { type: 'Normal', reason: 'Ready', message: ready.message };
  if (state === 'Stalled') return { type: 'Warning', reason: ready.reason, message: ready.message };
  if (state === 'Paused') return { type: 'Normal', reason: 'Paused', message: ready.message };
  return undefined;
}
