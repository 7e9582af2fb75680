import { findCondition, setCondition } from '../../api/conditions.ts';
import { idOf, type KubernetesObject, keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import { meshStanding } from '../../api/mesh-standing.ts';
import { type ResolvedMesh, revisionLabel } from '../../api/resolved-mesh.ts';
import { type MayAct, ResolvedMeshCache } from '../../api/resolved-mesh-cache.ts';
import type { Clock } from '../../base/clock.ts';
import { NotFoundError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventNote, EventRecorder } from '../../kube/event-recorder.ts';
import type { StatusPart, StatusWriter } from '../../kube/status-writer.ts';
import type { DataPlaneMetrics } from '../../observability/metrics.ts';
import type { Informer } from '../../runtime/informer.ts';
import { ObjectMemory } from '../../runtime/object-memory.ts';
import {
  type ReconcileContext,
  type ReconcileResult,
  type Reconciler,
  requeueAfter,
} from '../../runtime/reconciler.ts';
import { dataPlaneStatus, proxiesStatement } from './data-plane-status.ts';
import { EvictionMemory } from './eviction-memory.ts';
import { type Findings, gatherFindings, podText } from './findings.ts';
import {
  candidatePods,
  controllersOf,
  podsFollowing,
  podsOfController,
  proxyRevision,
} from './observed-pods.ts';
import { planEvictions } from './plan-evictions.ts';

/** The caches that the data-plane controller decides from. */
export interface DataPlaneInformers {
  readonly meshes: Informer;
  readonly pods: Informer;
  readonly namespaces: Informer;
}

export interface DataPlaneReconcilerDeps {
  readonly client: KubeClient;
  readonly informers: DataPlaneInformers;
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: DataPlaneMetrics;
  /** Whether what a spec asks for may be done. */
  readonly mayAct: MayAct;
}

/** What one process remembers of a mesh's pods. Losing it costs an Event, or one eviction too many. */
interface Memory {
  /** Bare pods (uids) of the last pass, so that each is told of once. */
  bare: ReadonlySet<string>;
  readonly evictions: EvictionMemory;
}

/** More Events in one pass would say nothing new. */
const maxPodEvents = 20;
/** How soon to look again while pods are being evicted. */
const evictionIntervalMs = 5_000;

/**
 * Finds the pods of one mesh that should have a sidecar and have none, or have one that is older than the control plane;
 * reports them, and evicts bare ones where the spec says so. Decides from caches alone: a pass that finds what the last
 * one found costs no request.
 */
export class DataPlaneReconciler implements Reconciler {
  readonly #deps: DataPlaneReconcilerDeps;
  readonly #resolved: ResolvedMeshCache;
  readonly #memories = new ObjectMemory<Memory>(() => ({ bare: new Set(), evictions: new EvictionMemory() }));

  constructor(deps: DataPlaneReconcilerDeps) {
    this.#deps = deps;
    this.#resolved = new ResolvedMeshCache(deps.mayAct);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> {
    const { informers, clock, metrics } = this.#deps;
    const seen = meshStanding(informers.meshes.get(key.namespace, key.name), this.#resolved, clock.now());
    if (seen.standing === 'Gone') return this.#forget(key);
    if (seen.standing === 'AtRest') return requeueAfter(seen.endsInMs);
    const { object, mesh } = seen;
    if (!mesh.injector.enabled || !holdsRevision(object)) {
      metrics.forgetPods(key);
      return this.#write(object, {}, context.signal);
    }
    const findings = await gatherFindings(mesh, {
      candidates: candidatePods(mesh, informers.pods, informers.namespaces),
      followers: followers(key, mesh, informers.pods),
    });
    metrics.pods(key, { ...findings, bare: findings.bare.length });
    const memory = this.#memories.of(object);
    await this.#tell(object, findings, memory, context);
    const eviction = await this.#evict({ object, mesh, findings, memory, context });
    const written = await this.#report(object, findings, eviction.refused, context);
    return requeueAfter(written.requeueAfterMs, eviction.againInMs);
  }

  /** An Event on each pod that is newly found bare, and on the mesh when there are some and when there are none again. */
  async #tell(
    object: KubernetesObject,
    { bare }: Findings,
    memory: Memory,
    { signal }: ReconcileContext,
  ): Promise<void> {
    const known = memory.bare;
    memory.bare = new Set(bare.map(uidOf));
    const added = bare.filter((pod) => !known.has(uidOf(pod)));
    const mesh = `${object.metadata.namespace}/${object.metadata.name}`;
    const message = `The pod should have a sidecar of mesh ${mesh} and has none; it gets one when it is created anew`;
    for (const pod of added.slice(0, maxPodEvents)) {
      await this.#deps.events.record(pod, { type: 'Warning', reason: 'MissingSidecar', message }, signal);
    }
  }

  /** Evicts what may be evicted now; says what a disruption budget keeps, and when to look again. */
  async #evict({ object, mesh, findings, memory, context }: EvictionPass): Promise<EvictionResult> {
    const { conditions = [] } = (object.status ?? {}) as MeshOperatorStatus;
    const reached = findCondition(conditions, 'InjectorReady');
    const mayEvict = mesh.injector.barePods === 'Evict' && reached?.status === 'True';
    if (!mayEvict || findings.bare.length === 0) return { refused: [] };
    const { clock, metrics, informers } = this.#deps;
    const { evictions } = memory;
    const nowMs = clock.monotonicMs();
    evictions.update(nowMs, reached.lastTransitionTime);
    const { evict, comesBackBare } = planEvictions({
      bare: findings.bare,
      siblings: (uid) => podsOfController(informers.pods, uid),
      evicted: evictions.knownPods,
      refused: evictions.refusedPods,
    });
    for (const pod of comesBackBare) this.#note(object, comesBackNote(pod), context.signal);
    for (const pod of evict) {
      if (await this.#evictOne(pod, findings, evictions, context)) metrics.evicted(keyOf(mesh));
      else evictions.refused(uidOf(pod), nowMs);
    }
    const { refusedPods } = evictions;
    const refused = findings.bare.filter((pod) => refusedPods.has(uidOf(pod))).map(podText);
    const waits = [evictions.nextInMs(nowMs), evict.length === 0 ? undefined : evictionIntervalMs];
    const { requeueAfterMs } = requeueAfter(...waits);
    return requeueAfterMs === undefined ? { refused } : { refused, againInMs: requeueAfterMs };
  }

  /** False when it was refused: by a disruption budget as a rule. */
  async #evictOne(
    pod: KubernetesObject,
    { bare }: Findings,
    evictions: EvictionMemory,
    { signal, log }: ReconcileContext,
  ): Promise<boolean> {
    try {
      await this.#deps.client.evict(idOf(pod), uidOf(pod), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (!(error instanceof NotFoundError)) {
        // The status names it; one pod that may not go must not keep others.
        log.info('Bare pod not evicted', { pod: podText(pod), error });
        return false;
      }
    }
    log.info('Evicted bare pod', { pod: podText(pod) });
    for (const { uid } of controllersOf(pod)) {
      const same = bare.filter((other) => controllersOf(other).some((controller) => controller.uid === uid));
      evictions.evicted(uid, same.map(uidOf));
    }
    return true;
  }

  async #report(
    object: KubernetesObject,
    findings: Findings,
    refused: readonly string[],
    { signal }: ReconcileContext,
  ): Promise<ReconcileResult> {
    const own = this.#deps.status.partOf(object).conditions ?? [];
    const statement = proxiesStatement(findings, refused);
    const before = findCondition(own, statement.type);
    const update = { ...statement, observedGeneration: object.metadata.generation ?? 0 };
    const conditions = [...setCondition(own, update, this.#deps.clock.now())];
    const result = await this.#write(object, { dataPlane: dataPlaneStatus(findings), conditions }, signal);
    if (result.requeueAfterMs === undefined && before?.reason !== statement.reason) {
      if (statement.reason === 'BarePods') {
        this.#note(object, { type: 'Warning', reason: 'BarePods', message: statement.message }, signal);
      } else if (before?.reason === 'BarePods') {
        const message = 'Every pod that should have a sidecar has one again';
        this.#note(object, { type: 'Normal', reason: 'NoBarePods', message }, signal);
      }
    }
    return result;
  }

  async #write(object: KubernetesObject, part: StatusPart, signal: AbortSignal): Promise<ReconcileResult> {
    const { written, dueInMs } = await this.#deps.status.write(object, part, signal);
    if (written !== undefined) this.#deps.informers.meshes.observeWrite(written);
    return requeueAfter(dueInMs);
  }

  #note(object: KubernetesObject, note: EventNote, signal: AbortSignal): void {
    void this.#deps.events.record(object, note, signal);
  }

  #forget(key: ObjectKey): ReconcileResult {
    this.#resolved.forget(this.#memories.forget(key) ?? '');
    this.#deps.metrics.forgetPods(key);
    return {};
  }
}

/** False while another mesh has the revision: then pods that ask for it are that mesh's. */
function holdsRevision({ status }: KubernetesObject): boolean {
  const { conditions = [] } = (status ?? {}) as MeshOperatorStatus;
  return findCondition(conditions, 'Stalled')?.reason !== 'RevisionConflict';
}

/** Pods of the mesh's own, and those that its control plane serves, whatever labels say by now. */
function* followers(key: ObjectKey, { revision }: ResolvedMesh, pods: Informer): Generator<KubernetesObject> {
  yield* pods.byGroup(keyText(key));
  const own = revisionLabel(revision);
  for (const pod of podsFollowing(pods, own)) if (proxyRevision(pod) === own) yield pod;
}

function uidOf({ metadata }: KubernetesObject): string {
  return metadata.uid ?? '';
}

interface EvictionPass {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
  readonly findings: Findings;
  readonly memory: Memory;
  readonly context: ReconcileContext;
}

interface EvictionResult {
  /** Pods that a disruption budget keeps. */
  readonly refused: readonly string[];
  readonly againInMs?: number;
}

function keyOf({ namespace, name }: ResolvedMesh): ObjectKey {
  return { namespace, name };
}

function comesBackNote(pod: KubernetesObject): EventNote {
  const [controller] = controllersOf(pod);
  const whose = `${controller?.kind} ${pod.metadata.namespace}/${controller?.name}`;
  return {
    type: 'Warning',
    reason: 'ComesBackBare',
    message: `${whose} has made pods without a sidecar again after one was evicted; they are left alone: look at what else changes or selects its pods`,
  };
}
