import type { RotationPolicy } from '../../../src/pki/rotation-policy.ts';
import { dayMs, hourMs, minuteMs } from '../authority-states.ts';
import type { Chance } from './chance.ts';

/** A mesh and its policy, as a case begins. */
export interface CaseSettings {
  readonly policy: Omit<RotationPolicy, 'isPaused'>;
  readonly replicas: number;
  /** istiod 1.29, which compares bundles as texts. */
  readonly comparesTexts: boolean;
  readonly proxies: number;
  /** The part of the proxies that were injected without `PROXY_CONFIG_XDS_AGENT`, and are pushed no roots. */
  readonly partWithoutPush: number;
  readonly namespaces: number;
  readonly leafTtlMs: number;
  /** How many times as often as elsewhere things happen, and people ask. */
  readonly turmoil: number;
}

const yearMs = 365 * dayMs;

/** How long a cluster of several waits for the others: `certificateAuthority.rotation.absentMembers`. */
export function patienceOf(chance: Chance): Pick<RotationPolicy, 'proceedAfterMs'> {
  const proceedAfterMs = chance.pick([undefined, hourMs, hourMs, 12 * hourMs]);
  return proceedAfterMs === undefined ? {} : { proceedAfterMs };
}

/** One of the many that people run. */
export function settingsOf(chance: Chance): CaseSettings {
  const rootLifetimeMs = chance.pick([yearMs, 2 * yearMs, 5 * yearMs, 10 * yearMs]);
  const intermediateLifetimeMs = chance.pick([30 * dayMs, 90 * dayMs, 180 * dayMs, yearMs]);
  const rootSchedule = chance.pick([undefined, undefined, '0 2 1 1 *', '30 3 1 */6 *']);
  const schedule = chance.pick([undefined, undefined, '0 3 1 * *', '15 4 * * 1', '0 0 1 */3 *']);
  return {
    policy: {
      root: {
        lifetimeMs: rootLifetimeMs,
        threshold: chance.pick([0.2, 0.33, 0.5]),
        ...(rootSchedule === undefined ? {} : { schedule: rootSchedule }),
      },
      intermediate: {
        lifetimeMs: intermediateLifetimeMs,
        threshold: chance.pick([0.2, 0.33, 0.5]),
        ...(schedule === undefined ? {} : { schedule }),
      },
      soakMs: chance.pick([30_000, 2 * minuteMs, 2 * minuteMs, 10 * minuteMs, hourMs]),
    },
    replicas: chance.whole(1, 3),
    comparesTexts: chance.isTrue(0.4),
    proxies: chance.whole(3, 12),
    partWithoutPush: chance.pick([0, 0, 0.2, 0.5]),
    namespaces: chance.whole(1, 3),
    leafTtlMs: chance.pick([12 * hourMs, 24 * hourMs, 24 * hourMs, 72 * hourMs]),
    turmoil: chance.pick([1, 1, 3]),
  };
}
