import type { ObjectKey } from '../../api/kubernetes-object.ts';
import { bundleAnnotation } from '../../api/labels.ts';
import { meshStanding } from '../../api/mesh-standing.ts';
import { pauseInForce } from '../../api/pause.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type MayAct, ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { TerminalError } from '../../base/errors.ts';
import type { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { hastenMounts } from '../../kube/hasten-mounts.ts';
import type { PodExec } from '../../kube/pod-exec.ts';
import type { StatusWriter } from '../../kube/status-writer.ts';
import type { TrustMetrics } from '../../observability/trust-metrics.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { decideRotation, isUnderWay } from '../../pki/decide-rotation.ts';
import type { HeardMember } from '../../pki/member-view.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { AuthorityFounder } from './authority-founder.ts';
import type { AuthorityStore } from './authority-store.ts';
import type { BundleConfigMaps } from './bundle-config-maps.ts';
import type { BundleCopies } from './bundle-copies.ts';
import type { ForeignBundle } from './bundle-statement.ts';
import { bundleVersion, cacertsSecret } from './cacerts-secret.ts';
import type { CertificateOrders } from './certificate-orders.ts';
import { distributesBundle, externalStatement } from './external-statement.ts';
import {
  type ExternalReport,
  ExternalTrust,
  type ForeignAuthority,
  foreignAuthority,
} from './external-trust.ts';
import { objectManager } from './field-managers.ts';
import { followedBundle } from './followed-bundle.ts';
import { FollowerAnswers, type FollowerReport } from './follower-answers.ts';
import type { LoadedBundles } from './loaded-bundles.ts';
import { ObservedMeshes, type PodLookups, type TrustInformers } from './observed-meshes.ts';
import { memberViews, type OwnStatements } from './own-statement.ts';
import { PhaseMemories } from './phase-memories.ts';
import { PhaseObserver } from './phase-observer.ts';
import type { PluggedMaterial, PluggedSecrets } from './plugged-material.ts';
import { replacedFor, replacementOf } from './replacement.ts';
import { rotationPolicy } from './rotation-policy.ts';
import { readSpireBundle } from './spire-trust.ts';
import { StepTaker } from './step-taker.ts';
import { requestOf, type TrustPass } from './trust-pass.ts';
import { TrustReporter } from './trust-reporter.ts';

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
  readonly loaded: LoadedBundles;
}

/**
 * Keeps the authority of a control-plane namespace: makes or adopts it, gives istiod what it signs with, and takes it
 * through rotations. Every step is decided by `decideRotation` from the authority's Secret and from what replicas and
 * proxies say of themselves; an authority that is Stable costs no request.
 */
export class TrustReconciler implements Reconciler {
  readonly #deps: TrustReconcilerDeps;
  readonly #external: ExternalTrust;
  readonly #resolved: ResolvedMeshCache;
  readonly #memories = new PhaseMemories();
  readonly #answers: FollowerAnswers;
  readonly #reporter: TrustReporter;
  readonly #founder: AuthorityFounder;
  readonly #phases: PhaseObserver;
  readonly #steps: StepTaker;

  constructor(deps: TrustReconcilerDeps) {
    this.#deps = deps;
    this.#resolved = new ResolvedMeshCache(deps.mayAct);
    this.#external = new ExternalTrust({ configMaps: deps.bundles, copies: deps.copies });
    this.#answers = new FollowerAnswers(deps);
    this.#reporter = new TrustReporter({ ...deps, memories: this.#memories });
    this.#founder = new AuthorityFounder({ ...deps, reporter: this.#reporter });
    this.#phases = new PhaseObserver({ ...deps, memories: this.#memories });
    this.#steps = new StepTaker({ ...deps, memories: this.#memories, reporter: this.#reporter });
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const { clock, informers } = this.#deps;
    const observed = new ObservedMeshes(key.namespace, informers, this.#deps);
    const { meshes } = observed;
    if (meshes.length === 0) return this.#forget(key, context);
    const now = clock.now();
    const seen = meshStanding(informers.meshes.get(key.namespace, key.name), this.#resolved, now);
    if (seen.standing === 'Gone') {
      await this.#deps.orders.close(key, context.signal);
      return {};
    }
    if (seen.standing === 'AtRest') return requeueAfter(seen.endsInMs);
    const { object, mesh } = seen;
    const isPaused = pauseInForce(mesh.authority.paused, now) !== undefined;
    const policy = rotationPolicy(mesh.authority, isPaused);
    const heard = this.#deps.heard(key);
    const members = memberViews(mesh, 'Primary', heard, now);
    const followers = memberViews(mesh, 'Remote', heard, now);
    const pass: TrustPass = { object, mesh, observed, context, now, policy, members, followers };
    const { enabled, spire, issuer } = mesh.authority;
    const foreign = foreignAuthority(mesh.authority);
    if (foreign === undefined && spire === undefined) this.#deps.bundles.forget(mesh);
    if (issuer === undefined) await this.#deps.orders.close(key, context.signal);
    if (!enabled && foreign === undefined) return this.#reporter.write(pass, {});
    const keeper = meshes.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (keeper !== undefined && keeper.metadata.uid !== object.metadata.uid)
      return this.#reporter.share(pass, keeper);
    try {
      return foreign === undefined ? await this.#keep(pass) : await this.#watchForeign(pass, foreign);
    } catch (error) {
      if (error instanceof TerminalError) await this.#reporter.refuse(pass, error.reason, error.message);
      throw error;
    }
  }

  /** Looks at the roots of an authority that is not ours, and brings them to the namespaces of the mesh if asked to. */
  async #watchForeign(pass: TrustPass, foreign: ForeignAuthority): Promise<ReconcileResult> {
    const { mesh, context } = pass;
    const { informers, plugged } = this.#deps;
    plugged.forget(mesh);
    const others = [...informers.meshes.values()].filter(distributesBundle);
    const rivals = new Set(others.map(({ metadata }) => metadata.namespace ?? '').filter(isOther(mesh)));
    const report = await this.#external.keep(mesh, foreign, rivals, { ...pass, signal: context.signal });
    const followed = await this.#answer(pass, report);
    const request = requestOf(pass);
    const statement = externalStatement({ ...report, behind: followed.blockers }, { now: pass.now, request });
    const written = await this.#reporter.reportForeign(pass, report.bundle, statement);
    return requeueAfter(written.requeueAfterMs, report.againInMs, followed.againInMs);
  }

  /** Answers the cluster whose istiod this one follows, as soon as every namespace has the roots of what it is asked. */
  async #answer({ mesh, observed, context }: TrustPass, report: ExternalReport): Promise<FollowerReport> {
    const told = this.#deps.informers.primaries.get(mesh.namespace, mesh.authority.followed?.name ?? '');
    const bundle = told === undefined ? undefined : followedBundle(told, report);
    if (bundle === undefined) return { blockers: [] };
    return this.#answers.keep(observed.meshes, mesh, bundle, observed.proxies, context.signal);
  }

  /** One step of the authority that this mesh keeps for its namespace. */
  async #keep(pass: TrustPass): Promise<ReconcileResult> {
    const { mesh, now, policy } = pass;
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
    const state = reading?.state ?? (await this.#founder.establish(pass, plugged));
    if (state === undefined) return this.#reporter.reportNone(pass);
    await this.#publish(pass, state);
    const replacement = plugged === undefined ? undefined : await replacementOf(state, plugged, mesh, now);
    if (replacement !== undefined && !policy.isPaused)
      return this.#steps.begin(pass, state, replacedFor(requestOf(pass), state), replacement);
    const memory = this.#memories.of(mesh.namespace, state);
    const openForMs = memory.openForMs(this.#deps.clock.monotonicMs());
    const { members, followers } = pass;
    const isActive = isUnderWay({ state, members });
    if (!isActive) this.#deps.loaded.note(mesh.namespace, state);
    const observed = isActive ? await this.#phases.observe(pass, state, openForMs) : undefined;
    const step = decideRotation({
      ...{ state, policy, members, followers },
      request: requestOf(pass),
      observed,
      openForMs,
      // Not the pass's: proxies may have been asked for seconds, and an exposure lasts until they have answered.
      now: this.#deps.clock.now(),
    });
    return this.#steps.take(pass, state, step);
  }

  /** The roots of SPIRE; undefined where it issues nothing, or where nobody has said where they are. */
  async #spireBundle({ mesh, now, context }: TrustPass): Promise<ForeignBundle | undefined> {
    const { spire } = mesh.authority;
    if (spire === undefined) return undefined;
    return readSpireBundle(mesh, spire, this.#deps.bundles, { now, signal: context.signal });
  }

  /** What the user has plugged in; undefined when nothing is, or when it is refused, which the pass will say. */
  async #plugged(pass: TrustPass): Promise<PluggedMaterial | undefined> {
    const { mesh, now, context } = pass;
    if (mesh.authority.provider !== 'PluggedIn') {
      this.#deps.plugged.forget(mesh);
      return undefined;
    }
    const reading = await this.#deps.plugged.read(mesh, now, context.signal);
    if (reading.problem !== undefined) pass.refusal = reading.problem;
    return reading.material;
  }

  /**
   * Gives istiod what it should have in this phase, and has kubelets look at once while a rotation is under way, until every
   * replica was seen to have loaded it.
   */
  async #publish(pass: TrustPass, state: AuthorityState): Promise<void> {
    const { mesh, observed, members, context } = pass;
    const { applier, client, clock, informers, loaded, statements } = this.#deps;
    await applier.apply(cacertsSecret(observed.meshes, state), observed.cacerts, context.signal);
    await statements.keep(observed.meshes, mesh, { state, request: requestOf(pass) }, context.signal);
    const version = bundleVersion(state);
    if (!isUnderWay({ state, members }) || loaded.versionIn(mesh.namespace) === version) return;
    const options = { annotation: bundleAnnotation, version, fieldManager: objectManager, now: clock.now() };
    const written = await hastenMounts(client, observed.replicas, options, context.signal);
    for (const pod of written) informers.pods.observeWrite(pod);
  }

  /**
   * The authority stays when the last MeshOperator of its namespace goes: its proxies go on with what it has signed, and
   * whoever applies the MeshOperator again needs the same root. It goes with the namespace.
   */
  async #forget(key: ObjectKey, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { store, plugged, orders, bundles, copies, metrics, informers } = this.#deps;
    this.#memories.forget(key.namespace);
    this.#deps.loaded.forget(key.namespace);
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

function isOther(mesh: ResolvedMesh): (namespace: string) => boolean {
  return (namespace) => namespace !== mesh.namespace;
}
