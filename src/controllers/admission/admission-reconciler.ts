import { findCondition, setCondition } from '../../api/conditions.ts';
import { injectorReachedAt } from '../../api/injector-reached.ts';
import { idOf, type KubernetesObject, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { Condition } from '../../api/mesh-operator-status.ts';
import { meshStanding } from '../../api/mesh-standing.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type MayAct, ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { ConflictError, messageOf, TerminalError, TransientError } from '../../base/errors.ts';
import type { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import type { StatusWriter } from '../../kube/status-writer.ts';
import type { InjectorMetrics } from '../../observability/metrics.ts';
import { injectorHost, webhookConfigurationName } from '../../render/injector/names.ts';
import { backOffMs, type RandomSource } from '../../runtime/back-off.ts';
import { ObjectMemory } from '../../runtime/object-memory.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { bundleTrusts, determineCaBundle } from './ca-bundle.ts';
import { webhookManager } from './field-managers.ts';
import { type InjectorStatement, injectorStatement } from './injector-condition.ts';
import { type InjectorInformers, ObservedInjector } from './observed-injector.ts';
import { planCertificate } from './plan-certificate.ts';
import { determineReachability, type Reachability } from './reachability.ts';
import { runSelfTest, type SelfTestResult } from './self-test.ts';
import { issueFor, servingSecret } from './serving-secret.ts';
import { readServingSlots, type ServingSlots } from './serving-slots.ts';
import { caBundleOf, hasState, statePatch, type WebhookState } from './webhook-state.ts';

export interface AdmissionReconcilerDeps {
  readonly client: KubeClient;
  /** Writes as `webhookManager`. */
  readonly applier: Applier;
  readonly informers: InjectorInformers;
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly metrics: InjectorMetrics;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** What one process knows of an injector beyond the caches. All of it may be lost: it costs a little time. */
interface Memory {
  /** The successor that every webhook trusts, and since when (monotonic). */
  trusted?: { readonly fingerprint: string; readonly sinceMs: number };
  isCertificateNew: boolean;
  failedTests: number;
  /** The last self-test, if it failed; it holds until the next one is due. */
  failure?: { readonly test: SelfTestResult; readonly retryAtMs: number };
  /** What the pods were last told to look at. */
  mark?: string;
}

/** One pass for one mesh. */
interface Pass {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
  readonly key: ObjectKey;
  readonly observed: ObservedInjector;
  readonly memory: Memory;
  readonly signal: AbortSignal;
  readonly log: ReconcileContext['log'];
  /** As the Secret has them, and as this pass has changed them. */
  slots: ServingSlots;
  /** After the shortest of these the mesh is looked at again. */
  readonly waitsMs: number[];
}

/** What is known when a self-test has been asked for where it was needed. */
type KnownReachability = Exclude<Reachability, { kind: 'unproven' }>;

const testBackOff = { firstMs: 1_000, capMs: 30_000 };

/** Annotation by which pods of the injector are told that what they mount has changed: kubelet then looks at once. */
const mountedVersionAnnotation = 'meshoperator.dev/mounted-version';

/**
 * Keeps one mesh's injector reachable: its serving certificate, the bundle by which API servers trust it, and the
 * failure policy of its webhooks, which is strict only while API servers are known to reach it.
 * An injector at rest costs no request.
 */
export class AdmissionReconciler implements Reconciler {
  readonly #deps: AdmissionReconcilerDeps;
  readonly #resolved: ResolvedMeshCache;
  readonly #memories = new ObjectMemory<Memory>(() => ({ isCertificateNew: false, failedTests: 0 }));

  constructor(deps: AdmissionReconcilerDeps) {
    this.#deps = deps;
    this.#resolved = new ResolvedMeshCache(deps.mayAct);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const { informers, clock } = this.#deps;
    const seen = meshStanding(informers.meshes.get(key.namespace, key.name), this.#resolved, clock.now());
    if (seen.standing === 'Gone') return this.#forget(key);
    if (seen.standing === 'AtRest') return requeueAfter(seen.endsInMs);
    const { object, mesh } = seen;
    if (!mesh.injector.enabled) return this.#withdraw(object, mesh, context);
    const pass = this.#passFor(object, mesh, context);
    try {
      return await this.#converge(pass);
    } catch (error) {
      if (!context.signal.aborted) await this.#explain(pass, error);
      throw error;
    }
  }

  async #converge(pass: Pass): Promise<ReconcileResult> {
    // What pods mount when a process first looks, they have been told of, or have found out.
    pass.memory.mark ??= mountedVersion(pass);
    await this.#advanceCertificate(pass);
    const reachability = await this.#testWhenInDoubt(pass);
    await this.#wakePods(pass);
    this.#deps.metrics.injector(pass.key, {
      isReached: reachability.kind === 'reached',
      certificateNotAfter: pass.slots.current?.notAfter,
    });
    await this.#state(pass, injectorStatement(reachability, pass.mesh.injector.failurePolicy));
    return requeueAfter(...pass.waitsMs);
  }

  /** Takes the next step towards a valid certificate. */
  async #advanceCertificate(pass: Pass): Promise<void> {
    const { clock } = this.#deps;
    const { observed, mesh, memory, slots } = pass;
    // The mesh controller decides whether this mesh may have an injector; its Deployment is how it says so.
    if (observed.readyReplicas === undefined) return;
    const isTrusted = memory.trusted !== undefined && memory.trusted.fingerprint === slots.next?.fingerprint;
    const step = planCertificate({
      slots,
      now: clock.now(),
      isServing: observed.readyReplicas > 0,
      nextTrustedForMs: isTrusted ? clock.monotonicMs() - (memory.trusted?.sinceMs ?? 0) : undefined,
    });
    if (step.kind === 'wait') {
      pass.waitsMs.push(step.forMs);
      return;
    }
    pass.waitsMs.push(0);
    if (step.kind === 'issue') {
      await this.#store(pass, { ...slots, [step.slot]: await issueFor(mesh, clock.now()) });
      return;
    }
    await this.#store(pass, slots.next === undefined ? {} : { current: slots.next });
    memory.isCertificateNew = true;
    this.#note(pass, {
      type: 'Normal',
      reason: 'CertificateRotated',
      message: `The injector's serving certificate is replaced by one that is valid until ${slots.next?.notAfter.toISOString()}`,
    });
  }

  async #store(pass: Pass, slots: ServingSlots): Promise<void> {
    const desired = servingSecret(pass.object, pass.mesh, slots);
    await this.#deps.applier.apply(desired, pass.observed.secret, pass.signal);
    pass.slots = slots;
  }

  /**
   * Brings the webhooks to what is known, asks for a self-test where only that can tell, and brings them to what it
   * has shown.
   */
  async #testWhenInDoubt(pass: Pass): Promise<KnownReachability> {
    const { clock, client } = this.#deps;
    const { memory } = pass;
    const retryInMs = memory.failure === undefined ? 0 : memory.failure.retryAtMs - clock.monotonicMs();
    const known = this.#reachability(pass, retryInMs > 0 ? memory.failure?.test : undefined);
    await this.#applyState(pass, known);
    if (known.kind !== 'unproven') {
      if (retryInMs > 0) pass.waitsMs.push(retryInMs);
      return known;
    }
    const test = await runSelfTest(client, pass.mesh, pass.signal);
    const shown = this.#reachability(pass, test);
    if (shown.kind === 'unproven') throw new Error('A self-test has shown nothing');
    if (shown.kind === 'reached') {
      memory.isCertificateNew = false;
      memory.failedTests = 0;
      delete memory.failure;
      await this.#applyState(pass, shown, clock.now());
      return shown;
    }
    memory.failedTests += 1;
    const waitMs = backOffMs(memory.failedTests, testBackOff, this.#deps.random);
    memory.failure = { test, retryAtMs: clock.monotonicMs() + waitMs };
    pass.waitsMs.push(waitMs);
    await this.#applyState(pass, shown);
    return shown;
  }

  #reachability(pass: Pass, test: SelfTestResult | undefined): Reachability {
    const { observed, memory } = pass;
    return determineReachability({
      readyReplicas: observed.readyReplicas,
      isConfigured: mainWebhook(pass) !== undefined,
      reachedAt: this.#lastReached(pass),
      lastRefusalAt: observed.lastRefusalAt,
      isCertificateNew: memory.isCertificateNew,
      ...(test === undefined ? {} : { test }),
    });
  }

  #lastReached(pass: Pass): Date | undefined {
    const main = mainWebhook(pass);
    return main === undefined ? undefined : injectorReachedAt(main);
  }

  /** Writes bundle, failure policy and the time of the last success where they differ. */
  async #applyState(pass: Pass, reachability: Reachability, reachedAt?: Date): Promise<void> {
    const { clock, client, informers } = this.#deps;
    const { slots, mesh } = pass;
    const needed = [slots.current, slots.next].flatMap((slot) => (slot === undefined ? [] : [slot.caPem]));
    const isReached = reachability.kind !== 'unreached';
    // Of a tag that is new the others tell: all of them lead to the same injector.
    const lastReached = reachability.kind === 'reached' ? this.#lastReached(pass) : undefined;
    for (const webhook of pass.observed.webhooks) {
      const time = isReached ? (reachedAt ?? injectorReachedAt(webhook) ?? lastReached) : undefined;
      const state: WebhookState = {
        caBundle: determineCaBundle(caBundleOf(webhook), needed, clock.now()),
        failurePolicy: time === undefined ? 'Ignore' : mesh.injector.failurePolicy,
        reachedAt: time,
      };
      if (hasState(webhook, state)) continue;
      const options = { fieldManager: webhookManager, force: true };
      informers.webhooks.observeWrite(await client.apply(statePatch(webhook, state), options, pass.signal));
    }
    this.#rememberTrust(pass);
  }

  /** Notes since when every webhook trusts the successor of the certificate in use. */
  #rememberTrust({ slots: { next }, memory, observed }: Pass): void {
    const { webhooks } = observed;
    if (next === undefined || webhooks.length === 0 || memory.trusted?.fingerprint === next.fingerprint)
      return;
    if (!webhooks.every((webhook) => bundleTrusts(caBundleOf(webhook), next.caPem))) return;
    memory.trusted = { fingerprint: next.fingerprint, sinceMs: this.#deps.clock.monotonicMs() };
  }

  /** Kubelet looks at changed mounts once a minute, unless the pod changes: so the pods do, when what they mount has. */
  async #wakePods(pass: Pass): Promise<void> {
    const { observed, memory, signal, log } = pass;
    const mark = mountedVersion(pass);
    if (memory.mark === mark) return;
    memory.mark = mark;
    const merge = { metadata: { annotations: { [mountedVersionAnnotation]: mark } } };
    const options = { fieldManager: webhookManager };
    const outcomes = await Promise.allSettled(
      observed.pods.map((pod) =>
        this.#deps.client.patch(idOf(pod), { type: 'merge', merge }, options, signal),
      ),
    );
    // Whoever was not told finds it out within a minute.
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') log.debug('Pod not told of its mounts', { error: outcome.reason });
    }
  }

  /** Takes away what an injector needed that the spec no longer asks for. */
  async #withdraw(
    object: KubernetesObject,
    mesh: ResolvedMesh,
    context: ReconcileContext,
  ): Promise<ReconcileResult> {
    const pass = this.#passFor(object, mesh, context);
    const { secret, readyReplicas } = pass.observed;
    this.#memories.forget(pass.key);
    this.#deps.metrics.forgetInjector(pass.key);
    // Not before the Deployment is gone, whose pods mount it.
    if (secret !== undefined && readyReplicas === undefined) {
      await this.#deps.client.delete(idOf(secret), {}, pass.signal);
    }
    await this.#write(pass, []);
    return {};
  }

  async #explain(pass: Pass, error: unknown): Promise<void> {
    // Neither says anything of the injector: the pass runs again at once, or a little later.
    if (error instanceof ConflictError || error instanceof TransientError) return;
    const reason = error instanceof TerminalError ? error.reason : 'ApplyFailed';
    await this.#state(pass, { type: 'InjectorReady', status: 'False', reason, message: messageOf(error) });
  }

  async #state(pass: Pass, statement: InjectorStatement): Promise<void> {
    const own = this.#deps.status.partOf(pass.object).conditions ?? [];
    const before = findCondition(own, statement.type);
    // A mesh that is being installed says so itself.
    if (before === undefined && statement.reason === 'NotDeployed') return;
    const observedGeneration = pass.object.metadata.generation ?? 0;
    const update = { ...statement, observedGeneration };
    await this.#write(pass, setCondition(own, update, this.#deps.clock.now()));
    if (before?.status === statement.status) return;
    if (statement.status === 'True') {
      this.#note(pass, { type: 'Normal', reason: 'InjectorReached', message: statement.message });
    } else if (before?.status === 'True') {
      this.#note(pass, { type: 'Warning', reason: 'InjectorLost', message: statement.message });
    }
  }

  async #write({ object, signal }: Pass, conditions: readonly Condition[]): Promise<void> {
    const part = conditions.length === 0 ? {} : { conditions: [...conditions] };
    const { written } = await this.#deps.status.write(object, part, signal);
    if (written !== undefined) this.#deps.informers.meshes.observeWrite(written);
  }

  #note(pass: Pass, note: EventNote): void {
    void this.#deps.events.record(pass.object, note, pass.signal);
  }

  #passFor(object: KubernetesObject, mesh: ResolvedMesh, context: ReconcileContext): Pass {
    const memory = this.#memories.of(object);
    const observed = new ObservedInjector(this.#deps.informers, mesh);
    return {
      ...{ object, mesh, observed, memory, signal: context.signal, log: context.log },
      key: { namespace: mesh.namespace, name: mesh.name },
      slots: readServingSlots(observed.secret, injectorHost(mesh)),
      waitsMs: [],
    };
  }

  #forget(key: ObjectKey): ReconcileResult {
    this.#resolved.forget(this.#memories.forget(key) ?? '');
    this.#deps.metrics.forgetInjector(key);
    return {};
  }
}

/** The configuration of the revision itself, which self-tests go through. */
function mainWebhook({ observed, mesh }: Pass): KubernetesObject | undefined {
  return observed.webhooks.find(({ metadata }) => metadata.name === webhookConfigurationName(mesh));
}

/** Changes with the certificate and the configuration that the injector's pods mount. */
function mountedVersion({ slots, observed }: Pass): string {
  return `${slots.current?.fingerprint.slice(0, 16) ?? 'none'}.${observed.configurationVersion}`;
}
