import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { TrustMetrics } from './trust-metrics.ts';

/** What one workqueue reports. Durations in seconds. */
export interface WorkqueueMetrics {
  added(): void;
  retried(): void;
  depth(keys: number): void;
  /** A key was taken after this long in the line. */
  waited(seconds: number): void;
  /** A pass ended after this long. */
  worked(seconds: number): void;
}

/** How a pass ended; the values of label `result`. */
export type ReconcileOutcome =
  | 'success'
  | 'requeue_after'
  | 'waiting'
  | 'conflict'
  | 'error'
  | 'terminal'
  | 'aborted';

/** What one controller reports. Durations in seconds. */
export interface ControllerMetrics {
  started(): void;
  ended(outcome: ReconcileOutcome, seconds: number): void;
  readonly workqueue: WorkqueueMetrics;
}

/** The mesh that a figure is about. */
export interface MeshName {
  readonly namespace: string;
  readonly name: string;
}

/** What the admission controller reports of each mesh's injector. */
export interface InjectorMetrics {
  injector(
    mesh: MeshName,
    state: { readonly isReached: boolean; readonly certificateNotAfter: Date | undefined },
  ): void;
  /** Takes back what was reported of a mesh that has no injector any more. */
  forgetInjector(mesh: MeshName): void;
}

/** What the data-plane controller reports of each mesh's pods. */
export interface DataPlaneMetrics {
  pods(
    mesh: MeshName,
    counts: { readonly injected: number; readonly outdated: number; readonly bare: number },
  ): void;
  evicted(mesh: MeshName): void;
  /** Takes back what was reported of a mesh that has no injector any more. */
  forgetPods(mesh: MeshName): void;
}

/** What became of a MeshOperator that a webhook was asked about; `failed` where nothing could be decided. */
export type ReviewResult = 'allowed' | 'refused' | 'failed';

/** One answered or failed request to an API server. */
export interface ApiRequestSample {
  readonly verb: string;
  readonly kind: string;
  readonly code: string;
  readonly durationMs: number;
}

/**
 * The process's metrics. Names and labels are those of controller-runtime and client-go where the same thing is
 * meant, so that dashboards made for any operator work.
 */
export class Metrics implements InjectorMetrics, DataPlaneMetrics {
  readonly registry = new Registry();
  /** What the trust controller reports. */
  readonly trust = new TrustMetrics(this.registry);
  readonly #reconciles = this.#counter('controller_runtime_reconcile_total', 'Passes by result', [
    'controller',
    'result',
  ]);
  readonly #reconcileErrors = this.#counter(
    'controller_runtime_reconcile_errors_total',
    'Passes that threw',
    ['controller'],
  );
  readonly #reconcileSeconds = this.#histogram(
    'controller_runtime_reconcile_time_seconds',
    'Duration of a pass',
    ['controller'],
  );
  readonly #activeWorkers = this.#gauge('controller_runtime_active_workers', 'Passes under way', [
    'controller',
  ]);
  readonly #depth = this.#gauge('workqueue_depth', 'Keys waiting for a pass', ['name']);
  readonly #adds = this.#counter('workqueue_adds_total', 'Keys added', ['name']);
  readonly #retries = this.#counter('workqueue_retries_total', 'Keys added again after a failure', ['name']);
  readonly #queueSeconds = this.#histogram('workqueue_queue_duration_seconds', 'Time in the line', ['name']);
  readonly #workSeconds = this.#histogram('workqueue_work_duration_seconds', 'Time from taken to done', [
    'name',
  ]);
  readonly #requests = this.#counter('rest_client_requests_total', 'Requests to the API server', [
    'verb',
    'kind',
    'code',
  ]);
  readonly #requestSeconds = this.#histogram(
    'rest_client_request_duration_seconds',
    'Duration of a request',
    ['verb'],
  );
  readonly #injectorReached = this.#gauge(
    'mesh_operator_injector_reached',
    '1 while the API server is known to reach the sidecar injector of a mesh',
    ['namespace', 'mesh'],
  );
  readonly #injectorCertificate = this.#gauge(
    'mesh_operator_injector_certificate_expiry_timestamp_seconds',
    "End of the serving certificate of a mesh's sidecar injector",
    ['namespace', 'mesh'],
  );
  readonly #pods = this.#gauge(
    'mesh_operator_pods',
    'Pods of a mesh that should have a sidecar: injected (of the current version), outdated, or bare',
    ['namespace', 'mesh', 'state'],
  );
  readonly #evictions = this.#counter(
    'mesh_operator_bare_pod_evictions_total',
    'Bare pods that were evicted so that their successors are injected',
    ['namespace', 'mesh'],
  );
  readonly #reviews = this.#counter(
    'mesh_operator_reviews_total',
    'MeshOperators that a webhook of the operator was asked about: allowed, refused, or failed (nothing decided)',
    ['webhook', 'result'],
  );
  readonly #webhookCertificate = this.#gauge(
    'mesh_operator_webhook_certificate_expiry_timestamp_seconds',
    "End of the serving certificate of the operator's webhooks that this replica shows",
    [],
  );
  readonly #leader = this.#gauge('leader_election_master_status', '1 while this process leads', ['name']);

  /** Adds figures of the Node.js process (memory, event loop lag, CPU); starts no timer. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  controller(name: string): ControllerMetrics {
    const labels = { controller: name };
    return {
      workqueue: this.workqueue(name),
      started: () => this.#activeWorkers.inc(labels),
      ended: (outcome, seconds) => {
        this.#activeWorkers.dec(labels);
        this.#reconciles.inc({ ...labels, result: outcome });
        if (outcome === 'error' || outcome === 'terminal') this.#reconcileErrors.inc(labels);
        this.#reconcileSeconds.observe(labels, seconds);
      },
    };
  }

  workqueue(name: string): WorkqueueMetrics {
    const labels = { name };
    return {
      added: () => this.#adds.inc(labels),
      retried: () => this.#retries.inc(labels),
      depth: (keys) => this.#depth.set(labels, keys),
      waited: (seconds) => this.#queueSeconds.observe(labels, seconds),
      worked: (seconds) => this.#workSeconds.observe(labels, seconds),
    };
  }

  /** Fits `KubeClientDeps.onRequest`. */
  readonly recordRequest = (sample: ApiRequestSample): void => {
    this.#requests.inc({ verb: sample.verb, kind: sample.kind, code: sample.code });
    this.#requestSeconds.observe({ verb: sample.verb }, sample.durationMs / 1000);
  };

  recordReview(webhook: string, result: ReviewResult): void {
    this.#reviews.inc({ webhook, result });
  }

  recordWebhookCertificate(notAfter: Date): void {
    this.#webhookCertificate.set(notAfter.getTime() / 1000);
  }

  recordLeading(name: string, isLeading: boolean): void {
    this.#leader.set({ name }, isLeading ? 1 : 0);
  }

  injector(
    mesh: MeshName,
    { isReached, certificateNotAfter }: Parameters<InjectorMetrics['injector']>[1],
  ): void {
    this.#injectorReached.set(labelsOf(mesh), isReached ? 1 : 0);
    if (certificateNotAfter !== undefined) {
      this.#injectorCertificate.set(labelsOf(mesh), certificateNotAfter.getTime() / 1000);
    }
  }

  forgetInjector(mesh: MeshName): void {
    this.#injectorReached.remove(labelsOf(mesh));
    this.#injectorCertificate.remove(labelsOf(mesh));
  }

  pods(mesh: MeshName, counts: Parameters<DataPlaneMetrics['pods']>[1]): void {
    for (const state of podStates) this.#pods.set({ ...labelsOf(mesh), state }, counts[state]);
  }

  evicted(mesh: MeshName): void {
    this.#evictions.inc(labelsOf(mesh));
  }

  forgetPods(mesh: MeshName): void {
    for (const state of podStates) this.#pods.remove({ ...labelsOf(mesh), state });
  }

  /** The text a Prometheus server reads. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }
}

const podStates = ['injected', 'outdated', 'bare'] as const;

function labelsOf({ namespace, name }: MeshName): { namespace: string; mesh: string } {
  return { namespace, mesh: name };
}
