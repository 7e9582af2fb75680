import { claimedTenant, claimMessage, earlierClaim } from '../../api/claims.ts';
import type { KubernetesObject, ObjectId, ObjectKey } from '../../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorKind } from '../../api/mesh-operator.ts';
import type { GatewayStatus, MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { pauseAt } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { Clock } from '../../base/clock.ts';
import { TerminalError } from '../../base/errors.ts';
import { idsOf, subtract, union } from '../../inventory/inventory.ts';
import type { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ClusterVersion } from '../../kube/cluster-version.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import { requiredRights } from '../../render/rights/required-rights.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { Adoption, heldIds } from './adoption.ts';
import type { AuthorCheck } from './author-check.ts';
import { isMember, memberStatuses } from './decide-members.ts';
import { awaitPrimary, decidePrimary, type PrimaryDecision } from './decide-primary.ts';
import { determineStatus, meshConditions, meshStatusFields } from './determine-status.ts';
import { statusManager } from './field-managers.ts';
import type { GatewayApiCrds } from './gateway-api-crds.ts';
import type { IstioCrds } from './istio-crds.ts';
import { IstiodLeftovers } from './istiod-leftovers.ts';
import { MemberNamespaces } from './member-namespaces.ts';
import { ensureMeshFinalizer, hasMeshFinalizer, releaseMeshFinalizer } from './mesh-finalizer.ts';
import { mtlsNote, stateNote } from './mesh-notes.ts';
import { MeshPass } from './mesh-pass.ts';
import { leftBehindText, MeshRemover } from './mesh-remover.ts';
import { MtlsMigration } from './mtls-migration.ts';
import { ObjectApplier } from './object-applier.ts';
import { gatewayAddresses } from './object-health.ts';
import type { ObservedWorld } from './observed-world.ts';
import { Pruner } from './pruner.ts';
import { refuseSkew } from './refuse-skew.ts';
import { refuseOverlap, refuseTenant } from './refuse-tenant.ts';
import { type RenderedMesh, RenderedMeshes } from './rendered-meshes.ts';
import { SpecKeeper } from './spec-keeper.ts';
import { leastStatusIntervalMs } from './status-interval.ts';
import { beginDeparture, departureOf, endDeparture } from './tenant-departure.ts';
import { TenantMembers } from './tenant-members.ts';
import { trustTrouble } from './trust-trouble.ts';
import { WaveApplier } from './wave-applier.ts';

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
  readonly #objects: ObjectApplier;
  readonly #waves: WaveApplier;
  readonly #namespaces: MemberNamespaces;
  readonly #members: TenantMembers;
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
    this.#objects = new ObjectApplier(deps);
    this.#waves = new WaveApplier({ world: deps.world, objects: this.#objects, pruner: this.#pruner });
    this.#namespaces = new MemberNamespaces({ client: deps.client, world: deps.world });
    this.#members = new TenantMembers({ world: deps.world, namespaces: this.#namespaces });
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
    const pass = new MeshPass(cached, context);
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
  async #converge(pass: MeshPass): Promise<void> {
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

    await this.#members.withdrawLeaving(pass, resolved);
    const { enabled, gatewayApi } = resolved.base;
    if (enabled) await this.#deps.crds.ensure(pass.signal);
    if (enabled && gatewayApi !== undefined) await this.#deps.gatewayApiCrds.ensure(gatewayApi, pass.signal);
    await this.#waves.apply(pass, waves);
    if (!pass.isApplied) await this.#waves.followSelection(pass, waves, unwanted);
    await this.#members.enrol(pass, resolved);
    pass.gateways = gatewayStatuses(resolved, world);
    if (!pass.isApplied) return;
    for (const held of adoption.heldPlans()) await this.#objects.apply(pass, held);
    pass.leaving = await this.#pruner.pruneInOrder(pass.key, unwanted, pass.signal);
    pass.inventory = union(desired, pass.leaving);
    await this.#members.release(pass, resolved);
  }

  /** Throws TerminalError when whoever wrote the spec may not do what it asks for. */
  async #authorize(pass: MeshPass, { resolved, waves }: RenderedMesh): Promise<void> {
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
  async #holdMtls(pass: MeshPass, asked: RenderedMesh): Promise<RenderedMesh> {
    const observed = { owned: this.#deps.world.ownedBy(pass.key), members: this.#membersOf(pass) };
    pass.mtls = await this.#mtls.step(pass.mesh, asked.resolved, observed, pass.signal);
    return pass.mtls?.decision.peers === undefined ? asked : this.#render(pass);
  }

  async #render(pass: MeshPass): Promise<RenderedMesh> {
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
  #primaryOf({ mesh }: MeshPass): PrimaryDecision | undefined {
    const resolved = this.#rendered.resolve(mesh);
    return resolved.remote?.isTold === true
      ? decidePrimary(resolved, this.#deps.world.primaryOf(resolved))
      : undefined;
  }

  /** By name; rendered is what they get. */
  #membersOf({ mesh }: MeshPass): readonly string[] {
    if (claimedTenant(mesh) === undefined) return [];
    const resolved = this.#rendered.resolve(mesh);
    return this.#deps.world
      .candidatesOf(resolved)
      .filter(isMember)
      .map(({ namespace }) => namespace);
  }

  /** A paused mesh has its control planes paused, which are MeshOperators of their own. */
  async #pauseRevisions(pass: MeshPass): Promise<void> {
    if (this.#deps.world.revisionsOf(pass.key).size === 0) return;
    const rendered = await this.#render(pass);
    await this.#authorize(pass, rendered);
    for (const wave of rendered.waves) {
      for (const object of wave.objects.filter(({ kind }) => kind === meshOperatorKind)) {
        await this.#objects.apply(pass, object);
      }
    }
  }

  /** Names in status what is about to be created, so that nothing is ever created that status does not know. */
  async #widenInventory(pass: MeshPass, inventory: readonly ObjectId[]): Promise<void> {
    const isKnown = subtract(inventory, pass.inventory).length === 0;
    pass.inventory = inventory;
    if (!isKnown) await this.#writeStatus(pass);
  }

  /** Removes everything in order, and lets go of the MeshOperator as the last step. */
  async #remove(pass: MeshPass): Promise<void> {
    if (!hasMeshFinalizer(pass.mesh)) {
      pass.isReleased = true;
      return;
    }
    const { world, client } = this.#deps;
    const departure = departureOf(pass.mesh, {
      meshesClaiming: (key) => world.meshesClaiming(key),
      membersOf: (tenant) => world.membersOf(tenant),
    });
    if (departure !== undefined) await beginDeparture(departure, this.#namespaces, pass.signal);
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
    if (departure !== undefined) await endDeparture(departure, this.#namespaces, pass.signal);
    await this.#specs.forget(pass.mesh, pass.history, pass.signal);
    await releaseMeshFinalizer(client, pass.mesh, pass.signal);
    this.#rendered.forget(pass.mesh);
    this.#mtls.forget(pass.key);
    this.#remover.forget(pass.mesh);
    this.#status.forget(pass.mesh);
    pass.isReleased = true;
  }

  /** Writes the status, then hands the pass's error to the shell, which decides when to come back. */
  async #conclude(pass: MeshPass): Promise<ReconcileResult> {
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
  async #keepSpec(pass: MeshPass): Promise<void> {
    if (!this.#specs.isNew(pass.mesh, pass.history)) return;
    const { state, version = '' } = this.#determine(pass);
    if (state !== 'Ready') return;
    try {
      pass.history = await this.#specs.keep(pass.mesh, version, pass.history, pass.signal);
    } catch (error) {
      pass.log.warn('Spec not kept', { error });
    }
  }

  #determine(pass: MeshPass): MeshOperatorStatus {
    const { clock, world } = this.#deps;
    const before = this.#status.partOf(pass.mesh);
    const { generation = 0 } = pass.mesh.metadata;
    const now = clock.now();
    const candidates = pass.resolved === undefined ? undefined : world.candidatesOf(pass.resolved);
    const members = candidates === undefined ? pass.members : memberStatuses(pass.members, candidates, now);
    const report = { ...pass.report(), members, trustTrouble: trustTrouble(pass.mesh) };
    return determineStatus(before, generation, report, now);
  }

  /** Milliseconds until a message that was held back is due; undefined when nothing is held back. */
  async #writeStatus(pass: MeshPass): Promise<number | undefined> {
    const status = this.#determine(pass);
    const { written, dueInMs } = await this.#status.write(pass.mesh, status, pass.signal);
    if (written !== undefined) pass.replaceMesh(written, this.#deps.world);
    return dueInMs;
  }

  /** Events are a courtesy: nobody waits for them. */
  #note(pass: MeshPass, note: EventNote | undefined): void {
    if (note !== undefined) void this.#deps.events.record(pass.mesh, note, pass.signal);
  }
}

function gatewayStatuses(resolved: ResolvedMesh, world: ObservedWorld): GatewayStatus[] {
  return resolved.gateways.map(({ name, namespace }) => {
    const service = world.find({ apiVersion: 'v1', kind: 'Service', namespace, name });
    return { name, namespace, addresses: service === undefined ? [] : gatewayAddresses(service) };
  });
}
