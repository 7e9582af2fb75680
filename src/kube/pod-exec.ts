import { Writable } from 'node:stream';
import { Exec, type V1Status } from '@kubernetes/client-node';
import type { Clock } from '../base/clock.ts';
import { messageOf, NotFoundError, TransientError } from '../base/errors.ts';
import type { ApiConnection } from './api-connection.ts';

/** A container of a running pod. */
export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface PodExecDeps {
  readonly connection: ApiConnection;
  readonly clock: Clock;
  /** Bound of one command; default 10 s. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;
const maxOutputBytes = 16 * 1024 * 1024;

/**
 * Runs commands in containers through the API server and kubelet, as `kubectl exec` does: it reaches what listens on a
 * pod's loopback alone, wherever we run and whatever NetworkPolicies say.
 */
export class PodExec {
  readonly #deps: PodExecDeps;
  readonly #exec: Exec;

  constructor(deps: PodExecDeps) {
    this.#deps = deps;
    this.#exec = new Exec(deps.connection.config);
  }

  /**
   * What a command prints to its standard output. Throws NotFoundError when pod or container are not there, and
   * TransientError when the command fails, prints more than 16 MiB, or takes too long.
   */
  async run(target: ExecTarget, command: readonly string[], signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const what = `${command[0]} in container ${target.container} of pod ${target.namespace}/${target.pod}`;
    const output = new BoundedOutput(() => reject(failed(what, 'it prints too much')));
    const errors = new BoundedOutput(() => undefined);
    const onStatus = (status: V1Status) => {
      if (status.status === 'Success') resolve(output.text());
      else reject(failed(what, errors.text().trim().slice(0, 200) || (status.message ?? 'no reason given')));
    };
    const timeoutMs = this.#deps.timeoutMs ?? defaultTimeoutMs;
    const cancelTimer = this.#deps.clock.setTimer(timeoutMs, () =>
      reject(failed(what, `no answer within ${timeoutMs / 1000} s`)),
    );
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const { namespace, pod, container } = target;
      const words = [...command];
      const opening = this.#exec.exec(
        namespace,
        pod,
        container,
        words,
        output,
        errors,
        null,
        false,
        onStatus,
      );
      opening.then(
        (socket) => {
          socket.onclose = () => reject(failed(what, 'the connection was closed'));
          // Whoever has the answer, or has given up on it, needs the connection no longer.
          void promise.catch(() => undefined).finally(() => socket.close());
        },
        (error: unknown) => reject(refusal(what, error)),
      );
      return await promise;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function failed(what: string, why: string): TransientError {
  return new TransientError(`Cannot run ${what}: ${why}`, { reason: 'ExecFailed' });
}

/** The library passes on an event that holds the error of the handshake. */
function refusal(what: string, event: unknown): Error {
  const message = messageOf(event instanceof Error ? event : ((event as { error?: unknown }).error ?? event));
  if (message.includes('404')) {
    return new NotFoundError(`Cannot run ${what}: it is not there`, { reason: 'NotFound' });
  }
  return failed(what, message);
}

/** Keeps what is written to it, up to a bound. */
class BoundedOutput extends Writable {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #onExcess: () => void;

  constructor(onExcess: () => void) {
    super();
    this.#onExcess = onExcess;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxOutputBytes) this.#onExcess();
    else this.#chunks.push(chunk);
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
