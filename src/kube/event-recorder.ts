import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { Clock } from '../base/clock.ts';
import { stableHash } from '../base/stable-json.ts';
import type { KubeClient } from './client.ts';

export type EventType = 'Normal' | 'Warning';

/** What happened, for a person who runs `kubectl describe`. */
export interface EventNote {
  readonly type: EventType;
  /** One PascalCase word. */
  readonly reason: string;
  /** A sentence; cut at 1,024 bytes, which is what the API server takes. */
  readonly message: string;
}

export interface EventRecorderDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** `reportingComponent`, such as `mesh-operator`. */
  readonly component: string;
  /** `reportingInstance`: the pod, or the host. */
  readonly instance: string;
  /** Called when an Event could not be written; an Event is a courtesy, so nothing else depends on it. */
  readonly onFailure: (error: unknown) => void;
}

/** Equal notes on one object within this time are written once. */
const repeatWindowMs = 10 * 60_000;
const maxMessageLength = 1024;
/** Remembered notes; the oldest are forgotten first, which at worst writes one again. */
const maxRemembered = 2048;

/** Writes Kubernetes Events about objects, each note once in ten minutes. Never throws and never blocks a pass. */
export class EventRecorder {
  readonly #deps: EventRecorderDeps;
  readonly #lastWrittenMs = new Map<string, number>();

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps;
  }

  /** Resolves when the Event is written, left out as a repetition, or has failed (`onFailure`). */
  async record(about: KubernetesObject, note: EventNote, signal: AbortSignal): Promise<void> {
    const fingerprint = stableHash([about.metadata.uid, note]);
    const nowMs = this.#deps.clock.now().getTime();
    if (nowMs - (this.#lastWrittenMs.get(fingerprint) ?? Number.NEGATIVE_INFINITY) < repeatWindowMs) return;
    this.#remember(fingerprint, nowMs);
    try {
      const options = { fieldManager: this.#deps.component };
      await this.#deps.client.create(this.#event(about, note, nowMs, fingerprint), options, signal);
    } catch (error) {
      this.#lastWrittenMs.delete(fingerprint);
      this.#deps.onFailure(error);
    }
  }

  #event(about: KubernetesObject, note: EventNote, nowMs: number, fingerprint: string): KubernetesObject {
    const namespace = about.metadata.namespace ?? 'default';
    const time = new Date(nowMs).toISOString();
    return {
      apiVersion: 'v1',
      kind: 'Event',
      // Event names are unique by time, as client-go makes them.
      metadata: { name: `${about.metadata.name}.${nowMs.toString(16)}${fingerprint.slice(0, 6)}`, namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name: about.metadata.name,
        namespace: about.metadata.namespace,
        uid: about.metadata.uid,
        resourceVersion: about.metadata.resourceVersion,
      },
      type: note.type,
      reason: note.reason,
      message: note.message.slice(0, maxMessageLength),
      eventTime: time.replace('Z', '000Z'),
      firstTimestamp: time.replace(/\.\d+Z/, 'Z'),
      lastTimestamp: time.replace(/\.\d+Z/, 'Z'),
      count: 1,
      action: note.reason,
      reportingComponent: this.#deps.component,
      reportingInstance: this.#deps.instance,
      source: { component: this.#deps.component },
    };
  }

  #remember(fingerprint: string, nowMs: number): void {
    this.#lastWrittenMs.delete(fingerprint);
    this.#lastWrittenMs.set(fingerprint, nowMs);
    if (this.#lastWrittenMs.size > maxRemembered) {
      const [oldest] = this.#lastWrittenMs.keys();
      if (oldest !== undefined) this.#lastWrittenMs.delete(oldest);
    }
  }
}
