import type { MeshOperator } from './mesh-operator.ts';
import type { PauseSpec } from './spec/pause.ts';

/** A pause that is in force. */
export interface Pause {
  readonly reason: string;
  /** When it ends by itself; undefined when it lasts until it is removed. */
  readonly until: Date | undefined;
}

/** The pause of a whole mesh that is in force at `now`; undefined when there is none or it has ended. */
export function pauseAt(mesh: MeshOperator, now: Date): Pause | undefined {
  return pauseInForce(mesh.spec?.paused, now);
}

/** What of a pause is in force at `now`; undefined when there is none or it has ended. */
export function pauseInForce(paused: PauseSpec | undefined, now: Date): Pause | undefined {
  if (paused === undefined) return undefined;
  if (paused.until === undefined) return { reason: paused.reason, until: undefined };
  const until = new Date(paused.until);
  return until.getTime() > now.getTime() ? { reason: paused.reason, until } : undefined;
}

/** Milliseconds until a pause ends by itself; undefined when somebody has to end it. */
export function pauseEndsInMs({ until }: Pause, now: Date): number | undefined {
  return until === undefined ? undefined : Math.max(0, until.getTime() - now.getTime());
}
