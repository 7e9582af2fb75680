import { type ConditionUpdate, setCondition } from '../../api/conditions.ts';
import type { KubernetesObject, ObjectKey } from '../../api/kubernetes-object.ts';
import { bundleAnnotation, rotateAnnotation } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { pauseAt, pauseEndsInMs, pauseInForce } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type MayAct, ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { TerminalError } from '../../base/errors.ts';
import type { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import { hastenMounts } from '../../kube/hasten-mounts.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import type { StatusPart, StatusWriter } from '../../kube/status-writer.ts';
import type { AuthorityFigures, TrustMetrics } from '../../observability/trust-metrics.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import { decideRotation, isSoakDecisive, isUnderWay, type RotationStep } from '../../pki/decide-rotation.ts';
import { type Blocker, blockersBeforeProxies } from '../../pki/gates.ts';
import { newToAuthority, outlastsInUse } from '../../pki/issued-material.ts';
import { signerOf } from '../../pki/istio-bundle.ts';
import type { HeardMember, MemberView } from '../../pki/member-view.ts';
import type { ObservedTrust } from '../../pki/observed-trust.ts';
import { PhaseMemory } from '../../pki/phase-memory.ts';
import type { RotationKind, RotationPolicy } from '../../pki/rotation-policy.ts';
import { openRequest } from '../../pki/rotation-request.ts';
import type { Due } from '../../pki/rotation-schedule.ts';
import {
  type Beginning,
  beginRotation,
  type NewMaterial,
  orderedFrom,
  recoverAuthority,
  renewSigner,
} from '../../pki/rotation-steps.ts';
import { lastingRoot } from '../../pki/trusted-roots.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { authorityFigures } from './authority-figures.ts';
import type { AuthorityStore } from './authority-store.ts';
import type { BundleConfigMaps } from './bundle-config-maps.ts';
import type { BundleCopies } from './bundle-copies.ts';
import { bundleChangesInMs, bundleStatus, type ForeignBundle } from './bundle-statement.ts';
import { bundleVersion, cacertsSecret } from './cacerts-secret.ts';
import type { CertificateOrders, Order, OrderTrouble } from './certificate-orders.ts';
import { exchangeNotes, leftBehindNote } from './exchange-notes.ts';
import { distributesBundle, externalStatement } from './external-statement.ts';
import {
  type ExternalReport,
  ExternalTrust,
  type ForeignAuthority,
  foreignAuthority,
} from './external-trust.ts';
import { objectManager } from './field-managers.ts';
import { type FirstAuthority, firstAuthority, firstOrdered, signsAlready } from './first-authority.ts';
import { followedBundle } from './followed-bundle.ts';
import { FollowerAnswers, type FollowerReport } from './follower-answers.ts';
import { newIntermediate, newMaterial } from './new-material.ts';
import { observeBundles } from './observe-bundles.ts';
import { observeProxies } from './observe-proxies.ts';
import { observeReplicas } from './observe-replicas.ts';
import { ObservedMeshes, type PodLookups, type TrustInformers } from './observed-meshes.ts';
import { memberViews, type OwnStatements } from './own-statement.ts';
import type { PluggedMaterial, PluggedSecrets } from './plugged-material.ts';
import { replacementOf } from './replacement.ts';
import { rootUnchangedNote, rotationNote } from './rotation-note.ts';
import { rotationPolicy } from './rotation-policy.ts';
import { readSpireBundle, spireStatement } from './spire-trust.ts';
import {
  authorityStatus,
  type GateProgress,
  type NeededMaterial,
  orderStatement,
  trustConditionType,
  trustStatement,
} from './trust-status.ts';

export interface TrustReconcilerDeps extends PodLookups {
  readonly client: KubeClient;
  readonly exec: PodExec;
  readonly store: AuthorityStore;
  /** Writes `cacerts`. */
  readonly applier: Applier;
  readonly informers: TrustInformers;
  readonly plugged: PluggedSecrets;
  readonly bundles: BundleConfigMaps;
  readonly copies: BundleCopies;
  readonly orders: CertificateOrders;
  readonly statements: OwnStatements;
  /** What other clusters of a mesh say of their trust. */
  readonly heard: (mesh: ObjectKey) => readonly HeardMember[];
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  readonly metrics: TrustMetrics;
  readonly clock: Clock;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
  /** Called for a namespace when every replica of its istiod has loaded another bundle. */
  readonly onLoaded: (namespace: string) => void;
}

/** One pass for one authority. */
interface Pass {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
  readonly observed: ObservedMeshes;
  readonly context: ReconcileContext;
  readonly now: Date;
  readonly policy: RotationPolicy;
  /** The clusters that roots are exchanged with. */
  readonly members: readonly MemberView[];
  /** Those that follow its istiod. */
  readonly followers: readonly MemberView[];
  /** What the person who looks should know besides; of what was plugged in. */
  refusal?: string;
  /** What is due and only the user can bring. */
  needed?: Due;
  /** Roots of SPIRE, where that issues the certificates of workloads. */
  spireBundle?: ForeignBundle | undefined;
  /** The version of the stored authority that the pass goes by; undefined while there is none. */
  version?: string;
  /** Why what was ordered from an issuer is not there yet. */
  order?: OrderTrouble;
}

/** How soon to look again at what may take a moment. */
const pollMs = 500;
/** Schedules are looked at again at least this often: timers of weeks would not survive a clock that is set. */
const longestWaitMs = 6 * 3_600_000;

/**
 * Keeps the authority of a control-plane namespace: makes or adopts it, gives istiod what it signs with, and takes it
 * through rotations. Every step is decided by `decideRotation` from the authority's Secret and from what replicas and
 * proxies say of themselves; an authority that is Stable costs no request.
 */
export class TrustReconciler implements Reconciler {
  readonly #deps: TrustReconcilerDeps;
  readonly #external: ExternalTrust;
  readonly #resolved: ResolvedMeshCache;
  readonly #memories = new Map<string, PhaseMemory>();
  /** By control-plane namespace. */
  readonly #loaded = new Map<string, string>();
  readonly #answers: FollowerAnswers;

  constructor(deps: TrustReconcilerDeps) {
    this.#deps = deps;
    this.#resolved = new ResolvedMeshCache(deps.mayAct);
    this.#external = new ExternalTrust({ configMaps: deps.bundles, copies: deps.copies });
    this.#answers = new FollowerAnswers(deps);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const { clock, informers } = this.#deps;
    const observed = new ObservedMeshes(key.namespace, informers, this.#deps);
    const { meshes } = observed;
    if (meshes.length === 0) return this.#forget(key, context);
    const object = informers.meshes.get(key.namespace, key.name);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
      await this.#deps.orders.close(key, context.signal);
      return {};
    }
    const pause = pauseAt(object as unknown as MeshOperator, clock.now());
    if (pause !== undefined) return requeueAfter(pauseEndsInMs(pause, clock.now()));
    const mesh = this.#resolved.find(object);
    if (mesh === undefined) return {};
    const now = clock.now();
    const isPaused = pauseInForce(mesh.authority.paused, now) !== undefined;
    const policy = rotationPolicy(mesh.authority, isPaused);
    const heard = this.#deps.heard(key);
    const members = memberViews(mesh, 'Primary', heard, now);
    const followers = memberViews(mesh, 'Remote', heard, now);
    const pass: Pass = { object, mesh, observed, context, now, policy, members, followers };
    const { enabled, spire, issuer } = mesh.authority;
    const foreign = foreignAuthority(mesh.authority);
    if (foreign === undefined && spire === undefined) this.#deps.bundles.forget(mesh);
    if (issuer === undefined) await this.#deps.orders.close(key, context.signal);
    if (!enabled && foreign === undefined) return this.#write(pass, {});
    const keeper = meshes.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (keeper !== undefined && keeper.metadata.uid !== object.metadata.uid) return this.#share(pass, keeper);
    try {
      return foreign === undefined ? await this.#keep(pass) : await this.#watchForeign(pass, foreign);
    } catch (error) {
      if (error instanceof TerminalError) await this.#refuse(pass, error.reason, error.message);
      throw error;
    }
  }

  /** Looks at the roots of an authority that is not ours, and brings them to the namespaces of the mesh if asked to. */
  async #watchForeign(pass: Pass, foreign: ForeignAuthority): Promise<ReconcileResult> {
    const { mesh, context, object } = pass;
    const { informers, metrics, plugged } = this.#deps;
    plugged.forget(mesh);
    const others = [...informers.meshes.values()].filter(distributesBundle);
    const rivals = new Set(others.map(({ metadata }) => metadata.namespace ?? '').filter(isOther(mesh)));
    const report = await this.#external.keep(mesh, foreign, rivals, { ...pass, signal: context.signal });
    const { bundle } = report;
    const followed = await this.#answer(pass, report);
    metrics.forget(mesh);
    if (bundle.roots !== undefined) metrics.foreignRoot(mesh, 'root', lastingRoot(bundle.roots));
    const request = object.metadata.annotations?.[rotateAnnotation];
    const statement = externalStatement({ ...report, behind: followed.blockers }, { now: pass.now, request });
    const { status, reason, message } = statement;
    if (status === 'False') this.#note(pass, { type: 'Warning', reason, message });
    const trustBundle = bundleStatus(bundle);
    const written = await this.#write(pass, {
      ...(trustBundle === undefined ? {} : { trustBundle }),
      conditions: this.#conditions(pass, statement),
    });
    return requeueAfter(written.requeueAfterMs, report.againInMs, followed.againInMs, longestWaitMs);
  }

  /** Answers the cluster whose istiod this one follows, as soon as every namespace has the roots of what it is asked. */
  async #answer({ mesh, observed, context }: Pass, report: ExternalReport): Promise<FollowerReport> {
    const told = this.#deps.informers.primaries.get(mesh.namespace, mesh.authority.followed?.name ?? '');
    const bundle = told === undefined ? undefined : followedBundle(told, report);
    if (bundle === undefined) return { blockers: [] };
    return this.#answers.keep(observed.meshes, mesh, bundle, observed.proxies, context.signal);
  }

  /** One step of the authority that this mesh keeps for its namespace. */
  async #keep(pass: Pass): Promise<ReconcileResult> {
    const { mesh, now, object, policy } = pass;
    pass.spireBundle = await this.#spireBundle(pass);
    const reading = this.#deps.store.read(mesh.namespace);
    if (reading?.problem !== undefined) {
      throw new TerminalError(
        `The Secret with the authority cannot be used: ${reading.problem}. Restore it, or delete it to adopt what istiod signs with`,
        { reason: 'AuthorityUnusable' },
      );
    }
    if (reading !== undefined) pass.version = reading.version;
    const plugged = await this.#plugged(pass);
    const state = reading?.state ?? (await this.#establish(pass, plugged));
    if (state === undefined) return this.#reportNone(pass);
    await this.#publish(pass, state);
    const replacement = plugged === undefined ? undefined : await replacementOf(state, plugged, mesh, now);
    if (replacement !== undefined && !policy.isPaused)
      return this.#begin(pass, state, replacedFor(object, state), replacement);
    const memory = this.#memoryOf(mesh.namespace, state);
    const openForMs = memory.openForMs(this.#deps.clock.monotonicMs());
    const { members } = pass;
    const isActive = isUnderWay({ state, members });
    if (!isActive) this.#noteLoaded(mesh.namespace, state);
    const observed = isActive ? await this.#observe(pass, state, memory, openForMs) : undefined;
    const step = decideRotation({
      ...{ state, policy, members },
      request: object.metadata.annotations?.[rotateAnnotation],
      observed,
      openForMs,
      // Not the pass's: proxies may have been asked for seconds, and an exposure lasts until they have answered.
      now: this.#deps.clock.now(),
    });
    return this.#take(pass, state, step, memory);
  }

  /** The roots of SPIRE; undefined where it issues nothing, or where nobody has said where they are. */
  async #spireBundle({ mesh, now, context }: Pass): Promise<ForeignBundle | undefined> {
    const { spire } = mesh.authority;
    if (spire === undefined) return undefined;
    return readSpireBundle(mesh, spire, this.#deps.bundles, { now, signal: context.signal });
  }

  /** What the user has plugged in; undefined when nothing is, or when it is refused, which the pass will say. */
  async #plugged(pass: Pass): Promise<PluggedMaterial | undefined> {
    const { mesh, now, context } = pass;
    if (mesh.authority.provider !== 'PluggedIn') {
      this.#deps.plugged.forget(mesh);
      return undefined;
    }
    const reading = await this.#deps.plugged.read(mesh, now, context.signal);
    if (reading.problem !== undefined) pass.refusal = reading.problem;
    return reading.material;
  }

  /** The authority that a namespace without one begins with; undefined while its issuer has not signed. */
  async #establish(pass: Pass, plugged: PluggedMaterial | undefined): Promise<AuthorityState | undefined> {
    const { mesh, observed, now } = pass;
    if (pass.refusal !== undefined) throw new TerminalError(pass.refusal, { reason: 'MaterialRefused' });
    const { issuer } = pass.policy;
    if (issuer === undefined || signsAlready(observed)) {
      return this.#found(pass, await firstAuthority(observed, mesh, plugged, now));
    }
    const material = await this.#ordered(pass);
    return material === undefined ? undefined : this.#found(pass, firstOrdered(material, issuer));
  }

  async #found(pass: Pass, first: FirstAuthority): Promise<AuthorityState> {
    const { mesh, context } = pass;
    // What was asked for before there was an authority is no wish to replace it.
    const request = pass.object.metadata.annotations?.[rotateAnnotation];
    const state = request === undefined ? first.state : { ...first.state, answeredRequest: request };
    pass.version = await this.#deps.store.write(mesh.namespace, { state, over: undefined }, context.signal);
    this.#note(pass, { type: 'Normal', reason: first.reason, message: first.message });
    return state;
  }

  /** Gives istiod what it should have in this phase, and has kubelets look at once while a rotation is under way. */
  async #publish({ mesh, observed, members, context }: Pass, state: AuthorityState): Promise<void> {
    const { applier, client, informers, statements } = this.#deps;
    await applier.apply(cacertsSecret(observed.meshes, state), observed.cacerts, context.signal);
    await statements.keep(observed.meshes, mesh, state, context.signal);
    if (!isUnderWay({ state, members })) return;
    const version = bundleVersion(state);
    const options = { annotation: bundleAnnotation, version, fieldManager: objectManager };
    const written = await hastenMounts(client, observed.replicas, options, context.signal);
    for (const pod of written) informers.pods.observeWrite(pod);
  }

  /**
   * Proxies are asked only once every replica and every copy of the bundle is where it should be, each until it has been
   * seen where the phase wants it, and all of them once more when there was a soak and it is over.
   */
  async #observe(
    pass: Pass,
    state: AuthorityState,
    memory: PhaseMemory,
    openForMs: number | undefined,
  ): Promise<ObservedTrust> {
    const { exec, metrics } = this.#deps;
    const { observed, context, mesh, policy, members, now } = pass;
    const replicas = await observeReplicas(observed.replicas, exec, context.signal);
    const bundles = observeBundles(state, observed.rootConfigMaps, observed.webhooks);
    const seen = { replicas, bundles };
    metrics.failedQuestions(mesh, withProblem(replicas));
    if (blockersBeforeProxies(state, seen).length > 0) return seen;
    this.#noteLoaded(mesh.namespace, state);
    const running = proxiesOf(pass).map((object) => ({
      object,
      uid: object.metadata.uid ?? '',
      pod: `${object.metadata.namespace}/${object.metadata.name}`,
    }));
    const isDecisive = isSoakDecisive({ state, policy, members, now });
    const asked = memory.stillToAsk(running, isDecisive ? openForMs : undefined, policy.soakMs);
    const pods = asked.map(({ object }) => object);
    const proxies = await observeProxies(pods, signersOf(state), exec, context.signal);
    metrics.failedQuestions(mesh, withProblem(proxies));
    memory.noteAnswers(state, asked, proxies);
    return { ...seen, proxies, followers: pass.followers };
  }

  /** The version of the bundle that every replica was seen to have loaded last; undefined when none was. */
  loadedVersion(namespace: string): string | undefined {
    return this.#loaded.get(namespace);
  }

  #noteLoaded(namespace: string, state: AuthorityState): void {
    const version = bundleVersion(state);
    if (this.#loaded.get(namespace) === version) return;
    this.#loaded.set(namespace, version);
    this.#deps.onLoaded(namespace);
  }

  async #take(
    pass: Pass,
    state: AuthorityState,
    step: RotationStep,
    memory: PhaseMemory,
  ): Promise<ReconcileResult> {
    const { mesh, now, policy, context } = pass;
    memory.noteStep(step, this.#deps.clock.monotonicMs());
    const isToOrder = step.step === 'issue' || step.step === 'recover';
    if (policy.issuer !== undefined && !isToOrder) await this.#deps.orders.tidy(mesh, context.signal);
    switch (step.step) {
      case 'issue':
        if (policy.issuer !== undefined) return this.#beginOrdered(pass, state, step, policy.issuer);
        if (!mayIssue(step.kind, state, mesh)) {
          pass.needed = step;
          return this.#report(pass, state, [], longestWaitMs);
        }
        return this.#begin(pass, state, step, await newMaterial(step.kind, state, mesh, now));
      case 'renew': {
        const signer = await newIntermediate(step.root, mesh, now, signerOf(state));
        return this.#enter(pass, state, renewSigner(state, signer, now));
      }
      case 'recover': {
        if (policy.issuer !== undefined)
          return this.#recoverByOrder(pass, state, step.answers, policy.issuer);
        const { root, intermediate } = await newMaterial('root', state, mesh, now);
        if (root === undefined) throw new Error('A new authority came without a root');
        return this.#enter(pass, state, recoverAuthority(state, step.answers, { root, intermediate }, now));
      }
      case 'advance':
        for (const blocker of step.leftBehind) this.#note(pass, leftBehindNote(state, blocker));
        return this.#enter(pass, state, step.state);
      case 'exchange':
        return this.#exchange(pass, state, step.state);
      case 'soak':
        return this.#report(pass, state, [], Math.min(step.remainingMs, pollMs));
      case 'wait': {
        // Other clusters wake us, and roots that come or go are no hurry.
        const isPatient = state.phase === 'Stable' || step.blockers.some(({ gate }) => gate === 'Members');
        const waitMs = isPatient ? longestWaitMs : pollMs;
        return this.#report(pass, state, step.blockers, Math.min(step.againInMs ?? waitMs, waitMs));
      }
    }
  }

  /** What the issuer has signed for the mesh; undefined when it has not, which the pass will say. */
  async #ordered(pass: Pass, answers?: string): Promise<Required<NewMaterial> | undefined> {
    const reading = await this.#deps.orders.look(orderOf(pass, answers), pass.context.signal);
    if (reading.trouble !== undefined) pass.order = reading.trouble;
    return reading.material;
  }

  /** Begins the rotation that what the issuer has signed makes of it: one of the root when that is another one. */
  async #beginOrdered(
    pass: Pass,
    state: AuthorityState,
    { kind, reason, answers }: Due,
    issuer: string,
  ): Promise<ReconcileResult> {
    const { orders } = this.#deps;
    const { context, now } = pass;
    const issued = await this.#ordered(pass, answers);
    if (issued === undefined) return this.#report(pass, state, [], longestWaitMs);
    const material = newToAuthority(state, issued);
    if (reason === 'Threshold' && !outlastsInUse(state, material)) {
      const { notAfter } = factsOf(material.intermediate.certPem);
      const problem = `${issuer} signs nothing that lasts longer than what is in use (${notAfter.toISOString()}): its root or intermediate has to be replaced first`;
      pass.order = await orders.refuse(orderOf(pass, answers), problem, context.signal);
      return this.#report(pass, state, [], longestWaitMs);
    }
    const begun = beginRotation(
      state,
      { reason, ...(answers === undefined ? {} : { answers }) },
      material,
      now,
    );
    const result = await this.#enter(pass, state, { ...begun, ordered: orderedFrom(issuer, material) });
    if (kind === 'root' && material.root === undefined) this.#note(pass, rootUnchangedNote(reason, issuer));
    return result;
  }

  /** Recovers with what the issuer has signed: of another root than the one that has ended, or of the one that signs. */
  async #recoverByOrder(
    pass: Pass,
    state: AuthorityState,
    answers: string,
    issuer: string,
  ): Promise<ReconcileResult> {
    const issued = await this.#ordered(pass, answers);
    if (issued === undefined) return this.#report(pass, state, [], longestWaitMs);
    const material = newToAuthority(state, issued);
    const recovered =
      material.root === undefined
        ? { ...renewSigner(state, material.intermediate, pass.now), answeredRequest: answers }
        : recoverAuthority(state, answers, issued, pass.now);
    return this.#enter(pass, state, { ...recovered, ordered: orderedFrom(issuer, material) });
  }

  async #begin(
    pass: Pass,
    state: AuthorityState,
    beginning: Beginning,
    material: NewMaterial,
  ): Promise<ReconcileResult> {
    return this.#enter(pass, state, beginRotation(state, beginning, material, pass.now));
  }

  /** Writes what has happened between this cluster and others. */
  async #exchange(pass: Pass, before: AuthorityState, after: AuthorityState): Promise<ReconcileResult> {
    const { mesh, context } = pass;
    await this.#deps.store.write(mesh.namespace, { state: after, over: pass.version }, context.signal);
    for (const note of exchangeNotes(before, after)) this.#note(pass, note);
    return requeueAfter(0);
  }

  /** Writes the next state, tells of it, and goes on with it at once. */
  async #enter(pass: Pass, before: AuthorityState, after: AuthorityState): Promise<ReconcileResult> {
    const { mesh, context } = pass;
    await this.#deps.store.write(mesh.namespace, { state: after, over: pass.version }, context.signal);
    this.#note(pass, rotationNote(before, after));
    context.log.info('Authority moved on', { from: before.phase, to: after.phase });
    if (after.phase === 'Stable' && after.lastRotation !== undefined) {
      this.#deps.metrics.rotated(mesh, after.lastRotation);
    }
    return requeueAfter(0);
  }

  async #report(
    pass: Pass,
    state: AuthorityState,
    blockers: readonly Blocker[],
    waitMs: number,
  ): Promise<ReconcileResult> {
    const { mesh, now, policy, spireBundle, members } = pass;
    const { doneCount } = this.#memoryOf(mesh.namespace, state);
    const progress: GateProgress =
      state.phase === 'Stable'
        ? { blockers, members }
        : { blockers, members, proxies: { total: proxiesOf(pass).length, done: doneCount } };
    this.#reportFigures(mesh, authorityFigures(state, progress), spireBundle);
    const own = trustStatement(state, progress, {
      policy,
      now,
      refusal: pass.refusal,
      needed: neededOf(pass),
      issuer: policy.issuer,
      order: pass.order,
      request: pass.object.metadata.annotations?.[rotateAnnotation],
    });
    const isSpire = mesh.authority.spire !== undefined;
    const statement = isSpire ? spireStatement(own, spireBundle, mesh, now) : own;
    const { status, reason, message } = statement;
    if (status === 'False' && own.status !== 'False') this.#note(pass, { type: 'Warning', reason, message });
    const trustBundle = spireBundle === undefined ? undefined : bundleStatus(spireBundle);
    const written = await this.#write(pass, {
      certificateAuthority: authorityStatus(state, progress, policy),
      ...(trustBundle === undefined ? {} : { trustBundle }),
      conditions: this.#conditions(pass, statement),
    });
    const changesInMs = spireBundle === undefined ? undefined : bundleChangesInMs(spireBundle, now);
    return requeueAfter(written.requeueAfterMs, waitMs, pass.order?.retryAfterMs, changesInMs);
  }

  /** What a mesh says that waits for its first authority. */
  async #reportNone(pass: Pass): Promise<ReconcileResult> {
    const { order } = pass;
    if (order === undefined) return {};
    const conditions = this.#conditions(pass, orderStatement(order));
    const written = await this.#write(pass, { conditions });
    return requeueAfter(written.requeueAfterMs, order.retryAfterMs);
  }

  #reportFigures(
    mesh: ResolvedMesh,
    figures: AuthorityFigures,
    { roots }: Partial<ForeignBundle> = {},
  ): void {
    const { metrics } = this.#deps;
    metrics.authority(mesh, figures);
    metrics.foreignRoot(mesh, 'workload-root', roots === undefined ? undefined : lastingRoot(roots));
  }

  async #refuse(pass: Pass, reason: string, message: string): Promise<void> {
    const { certificateAuthority, trustBundle } = this.#deps.status.partOf(pass.object);
    const statement = { type: trustConditionType, status: 'False', reason, message } as const;
    this.#note(pass, { type: 'Warning', reason, message });
    await this.#write(pass, {
      ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
      ...(trustBundle === undefined ? {} : { trustBundle }),
      conditions: this.#conditions(pass, statement),
    });
  }

  /** What a mesh says that uses the authority of an older one of its namespace. */
  async #share(pass: Pass, keeper: KubernetesObject): Promise<ReconcileResult> {
    const { name } = keeper.metadata;
    const message = `MeshOperator ${name}, which is older, keeps the authority of the namespace; its spec and status say more`;
    const statement = {
      type: trustConditionType,
      status: 'True',
      reason: 'SharedAuthority',
      message,
    } as const;
    return this.#write(pass, { conditions: this.#conditions(pass, statement) });
  }

  #conditions({ object, now }: Pass, statement: Omit<ConditionUpdate, 'observedGeneration'>) {
    const own = this.#deps.status.partOf(object).conditions ?? [];
    const update = { ...statement, observedGeneration: object.metadata.generation ?? 0 };
    return [...setCondition(own, update, now)];
  }

  async #write({ object, context }: Pass, part: StatusPart): Promise<ReconcileResult> {
    const { written, dueInMs } = await this.#deps.status.write(object, part, context.signal);
    if (written !== undefined) this.#deps.informers.meshes.observeWrite(written);
    return requeueAfter(dueInMs);
  }

  /** What is remembered of the phase that an authority is in; nothing when it has just entered it. */
  #memoryOf(namespace: string, state: AuthorityState): PhaseMemory {
    const known = this.#memories.get(namespace);
    if (known?.isOf(state)) return known;
    const memory = new PhaseMemory(state);
    this.#memories.set(namespace, memory);
    return memory;
  }

  #note({ object, context }: Pass, note: EventNote): void {
    void this.#deps.events.record(object, note, context.signal);
  }

  /**
   * The authority stays when the last MeshOperator of its namespace goes: its proxies go on with what it has signed, and
   * whoever applies the MeshOperator again needs the same root. It goes with the namespace.
   */
  async #forget(key: ObjectKey, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { store, plugged, orders, bundles, copies, metrics, informers } = this.#deps;
    this.#memories.delete(key.namespace);
    this.#loaded.delete(key.namespace);
    this.#answers.forget(key.namespace);
    plugged.forget(key);
    await orders.close(key, signal);
    bundles.forget(key);
    metrics.forget(key);
    await copies.remove(key.namespace, signal);
    if (informers.namespaces.get(undefined, key.namespace) === undefined) {
      await store.remove(key.namespace, signal);
    }
    return {};
  }
}

/** How many could not be asked. */
function withProblem(asked: readonly { readonly problem?: string }[]): number {
  return asked.filter(({ problem }) => problem !== undefined).length;
}

/** The intermediates that certificates of proxies may be of. */
function signersOf({ intermediates: { current, next, previous } }: AuthorityState) {
  return [current, next, previous].filter((slot) => slot !== undefined);
}

/** The proxies that a rotation is about: none where SPIRE issues their certificates. */
function proxiesOf({ mesh, observed }: Pass): readonly KubernetesObject[] {
  return mesh.authority.spire === undefined ? observed.proxies : [];
}

function isOther(mesh: ResolvedMesh): (namespace: string) => boolean {
  return (namespace) => namespace !== mesh.namespace;
}

function orderOf({ mesh, object }: Pass, answers: string | undefined): Order {
  const { issuer } = mesh.authority;
  if (issuer === undefined) throw new Error('Nothing is ordered without an issuer');
  return { mesh, issuer, owner: object, ...(answers === undefined ? {} : { answers }) };
}

function neededOf({ needed, mesh }: Pass): NeededMaterial | undefined {
  const { secretName } = mesh.authority;
  if (needed === undefined || secretName === undefined) return undefined;
  return { ...needed, secret: `${mesh.namespace}/${secretName}` };
}

/** Whoever has asked for a rotation and brings other material has the answer with it, as fast as it was asked for. */
function replacedFor({ metadata }: KubernetesObject, state: AuthorityState): Beginning {
  const request = metadata.annotations?.[rotateAnnotation];
  const asked = openRequest(state, request);
  if (request === undefined || asked === undefined || asked === 'Recovery') return { reason: 'Replaced' };
  return { reason: asked === 'KeyCompromise' ? asked : 'Replaced', answers: request };
}

/** Of what a user has plugged in we replace nothing but intermediates of a root whose key is plugged in as well. */
function mayIssue(kind: RotationKind, { roots }: AuthorityState, { authority }: ResolvedMesh): boolean {
  return (
    authority.provider !== 'PluggedIn' || (kind === 'intermediate' && roots.current.keyPem !== undefined)
  );
}
