/** What every error of ours carries beside its message: the condition reason it becomes in status. */
export interface ReasonOptions {
  /** One PascalCase word, used as the `reason` of a condition and of an Event. */
  readonly reason: string;
  readonly cause?: unknown;
}

abstract class ReasonedError extends Error {
  readonly reason: string;

  constructor(message: string, options: ReasonOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = options.reason;
  }
}

/** A person must change the spec or the installation: no retry until something changes. */
export class TerminalError extends ReasonedError {}

/** An expected thing is not there yet: come back at `retryAfterMs`, without back-off. */
export class WaitingError extends ReasonedError {
  readonly retryAfterMs: number;

  constructor(message: string, options: ReasonOptions & { readonly retryAfterMs: number }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Someone wrote first (optimistic lock, or a field that another manager owns). */
export class ConflictError extends ReasonedError {}

/** May pass by itself; retried with back-off, not before `retryAfterMs` when the server named one. */
export class TransientError extends ReasonedError {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: ReasonOptions & { readonly retryAfterMs?: number | undefined }) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The object that was asked for does not exist (HTTP 404). */
export class NotFoundError extends ReasonedError {}

/** The message of anything thrown, for logs and status; never its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
