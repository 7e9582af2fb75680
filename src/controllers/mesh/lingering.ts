import { idText, type ObjectId } from '../../api/kubernetes-object.ts';
import { messageOf, TransientError } from '../../base/errors.ts';

/** An object that is to go and is not gone. */
export interface Lingering {
  readonly id: ObjectId;
  /** Whose owners have to let go of it before it goes. */
  readonly finalizers: readonly string[];
  /** What the API server said when it refused the deletion. */
  readonly refusal?: string;
  /**
   * True when the mesh may go without it: nothing calls it, nothing waits for it. Not so for a webhook configuration
   * that API servers still act by, nor for a control plane of the mesh, which has a removal of its own.
   */
  readonly mayBeLeft: boolean;
}

/** `ConfigMap a/b (finalizers example.com/hold)`, or what the API server said. */
export function lingeringText({ id, finalizers, refusal }: Lingering): string {
  const held = finalizers.length === 0 ? '' : ` (finalizers ${finalizers.join(', ')})`;
  return refusal === undefined ? `${idText(id)}${held}` : `${idText(id)}${held} (${refusal})`;
}

/**
 * What the API server said when it refused something for good, or for as long as somebody stands in the way: rights,
 * policies, webhooks, also those that do not answer. Rethrows what says nothing of the object, such as an API server that is
 * overloaded or not reached.
 */
export function refusalOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) throw error;
  // The API server's word for a webhook that it could not call.
  if (error instanceof TransientError && error.reason !== 'InternalError') throw error;
  return messageOf(error);
}
