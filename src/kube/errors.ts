import {
  ConflictError,
  NotFoundError,
  type ReasonOptions,
  TerminalError,
  TransientError,
} from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';

/** The resource version asked for is no longer kept by the API server (HTTP 410): list again. */
export class GoneError extends TransientError {}

/** One field that server-side apply would take from another writer. */
export interface FieldConflict {
  /** Field path as the API server prints it, such as `.spec.replicas`. */
  readonly field: string;
  /** The other writer, such as `kubectl-edit`. */
  readonly manager: string;
}

/** Server-side apply was refused because other managers own fields with other values (HTTP 409). */
export class FieldConflictError extends ConflictError {
  readonly conflicts: readonly FieldConflict[];

  constructor(message: string, options: ReasonOptions & { readonly conflicts: readonly FieldConflict[] }) {
    super(message, options);
    this.conflicts = options.conflicts;
  }
}

/** What the API server answered, as far as it decides the class of the error. */
export interface FailedAnswer {
  readonly code: number;
  /** The body's `Status` object; undefined when the body was something else. */
  readonly status: Record<string, unknown> | undefined;
  /** The first part of a body that was no `Status`. */
  readonly text: string;
  /** `Retry-After` in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * The error class for an HTTP answer of the API server that is not a success.
 * `action` names what was tried and on what, such as `apply Deployment istio-system/istiod`.
 */
export function errorOfAnswer(action: string, answer: FailedAnswer): Error {
  const reason = textOf(answer.status?.reason) || `HTTP${answer.code}`;
  const serverSays = textOf(answer.status?.message) || answer.text.trim() || `HTTP status ${answer.code}`;
  const message = `Cannot ${action}: ${serverSays}`;
  const causes = causesOf(answer.status);

  if (answer.code === 410 || causes.some((cause) => cause.reason === 'ResourceVersionTooLarge')) {
    return new GoneError(message, { reason, retryAfterMs: answer.retryAfterMs });
  }
  if (answer.code === 404) return new NotFoundError(message, { reason });
  if (answer.code === 409) return conflictOf(message, reason, causes);
  if (answer.code === 500 && serverSays.startsWith(refusedApplyText)) {
    return new TerminalError(message, { reason: 'Invalid' });
  }
  if (isTransient(answer.code) || causes.some((cause) => cause.reason === 'NamespaceTerminating')) {
    return new TransientError(message, { reason, retryAfterMs: answer.retryAfterMs });
  }
  const immutable = causes.filter((cause) => immutableText.test(cause.message)).map((cause) => cause.field);
  if (immutable.length > 0) {
    return new TerminalError(
      `Cannot ${action}: ${immutable.join(', ')} cannot be changed; delete the object to have it created anew`,
      { reason: 'ImmutableField' },
    );
  }
  return new TerminalError(message, { reason });
}

/** What the API server says, with code 500, of an applied object whose fields do not fit the schema. */
const refusedApplyText = 'failed to create typed patch object';

/** Whether the API server did not accept who was asking (HTTP 401, Kubernetes metav1.StatusReasonUnauthorized). */
export function isUnauthorized(error: unknown): boolean {
  return error instanceof TransientError && error.reason === 'Unauthorized';
}

/** How the API server says that a field keeps its first value; there is no reason of its own for it. */
const immutableText = /immutable|may not (be )?change|cannot (be )?change/;

/**
 * The error class for a request that got no answer. Always transient: connection refused, reset, a name that does
 * not resolve, a TLS failure (the certificate may be rotating), a broken body.
 */
export function errorOfTransport(action: string, cause: unknown): TransientError {
  return new TransientError(`Cannot ${action}: ${transportText(cause)}`, {
    reason: 'ApiServerUnreachable',
    cause,
  });
}

/** The error class for an API server that did not answer in time. */
export function errorOfTimeout(action: string, timeoutMs: number): TransientError {
  return new TransientError(`Cannot ${action}: no answer within ${timeoutMs / 1000} s`, {
    reason: 'ApiServerTimeout',
  });
}

/**
 * Milliseconds of a `Retry-After` header, which Kubernetes sends in seconds; undefined when absent or a date.
 */
export function parseRetryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d+$/.test(header)) return undefined;
  return Number(header) * 1000;
}

interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

function causesOf(status: Record<string, unknown> | undefined): StatusCause[] {
  const details = status?.details;
  const causes = isRecord(details) && Array.isArray(details.causes) ? details.causes : [];
  return causes.filter(isRecord).map((cause) => ({
    reason: textOf(cause.reason),
    message: textOf(cause.message),
    field: textOf(cause.field),
  }));
}

function conflictOf(message: string, reason: string, causes: readonly StatusCause[]): ConflictError {
  const conflicts = causes
    .filter((cause) => cause.reason === 'FieldManagerConflict')
    .map((cause) => ({ field: cause.field, manager: managerOf(cause.message) }));
  return conflicts.length === 0
    ? new ConflictError(message, { reason })
    : new FieldConflictError(message, { reason: 'FieldConflict', conflicts });
}

/** The API server writes `conflict with "name" using apps/v1 at ...`; the name is in no field of its own. */
function managerOf(message: string): string {
  return /^conflict with "([^"]*)"/.exec(message)?.[1] ?? message;
}

/** 401 is in: a token that just expired is read again before the next try. */
function isTransient(code: number): boolean {
  return code === 401 || code === 408 || code === 425 || code === 429 || code >= 500;
}

function transportText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause instanceof Error ? cause.cause : cause;
  if (inner instanceof AggregateError && inner.errors.length > 0) return transportText(inner.errors[0]);
  return inner.message || inner.name;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
