import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How one request to the injector ended; `reason` is a code from a fixed list. */
export type InjectionResult =
  | { readonly kind: 'inject' }
  | { readonly kind: 'skip' | 'reject' | 'error'; readonly reason: string };

/**
 * The injector's metrics. `sidecar_injection_*` are Istio's own names, so that dashboards and alerts made for istiod
 * work; what they do not tell has names of ours.
 */
export class InjectionMetrics {
  readonly registry = new Registry();
  readonly #requests = this.#counter('sidecar_injection_requests_total', 'Requests to the injector');
  readonly #successes = this.#counter('sidecar_injection_success_total', 'Pods that were injected');
  readonly #failures = this.#counter(
    'sidecar_injection_failure_total',
    'Requests that were refused, malformed, or failed',
  );
  readonly #skips = this.#counter('sidecar_injection_skip_total', 'Pods that were let through unchanged');
  readonly #seconds = new Histogram({
    name: 'sidecar_injection_time_seconds',
    help: 'Duration of a decision, from the complete request to the answer',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });
  readonly #skipReasons = new Counter({
    name: 'mesh_operator_injection_skips_total',
    help: 'Pods that were let through unchanged, by reason',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly #failureReasons = new Counter({
    name: 'mesh_operator_injection_failures_total',
    help: 'Requests that were refused, malformed, or failed, by reason',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly #loads = new Counter({
    name: 'mesh_operator_injector_loads_total',
    help: 'Certificates and configurations read, by result: loaded, or refused while the one before stays',
    labelNames: ['what', 'result'],
    registers: [this.registry],
  });
  readonly #notAfter = new Gauge({
    name: 'mesh_operator_injector_certificate_not_after_seconds',
    help: 'End of the serving certificate in use, in seconds since 1970',
    registers: [this.registry],
  });

  /** Adds figures of the Node.js process (memory, event loop lag, CPU); starts no timer. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  started(): void {
    this.#requests.inc();
  }

  ended(result: InjectionResult, seconds: number): void {
    this.#seconds.observe(seconds);
    if (result.kind === 'inject') this.#successes.inc();
    else if (result.kind === 'skip') {
      this.#skips.inc();
      this.#skipReasons.inc({ reason: result.reason });
    } else {
      this.#failures.inc();
      this.#failureReasons.inc({ reason: result.reason });
    }
  }

  read(what: string, result: 'loaded' | 'refused'): void {
    this.#loads.inc({ what, result });
  }

  certificateInUse(notAfter: Date): void {
    this.#notAfter.set(notAfter.getTime() / 1000);
  }

  /** The text a Prometheus server reads. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }
}
