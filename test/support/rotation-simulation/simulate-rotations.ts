import { lapseOf } from '../../../src/pki/authority-life.ts';
import type { RotationReason } from '../../../src/pki/authority-state.ts';
import type { RotationKind } from '../../../src/pki/rotation-policy.ts';
import { anAuthority, dayMs, firstDay } from '../authority-states.ts';
import { type CaseSettings, settingsOf } from './case-settings.ts';
import { Chance } from './chance.ts';
import { EventTrace } from './event-trace.ts';
import { Mishaps } from './mishaps.ts';
import { OperatorDeployment } from './operator-deployment.ts';
import { type RotationLogic, rotationLogic } from './rotation-logic.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import { SimulatedIstiod } from './simulated-istiod.ts';
import { SimulatedProxy } from './simulated-proxy.ts';
import { TrustInvariants } from './trust-invariants.ts';
import { VirtualTime } from './virtual-time.ts';
import { Wishes } from './wishes.ts';

/** What came of one case. */
export interface SimulatedCase {
  readonly settings: CaseSettings;
  readonly events: number;
  readonly rotations: Readonly<Record<RotationKind, number>>;
  readonly reasons: Readonly<Partial<Record<RotationReason, number>>>;
  /** Why it is no proof; undefined when all that must hold has held. */
  readonly failure?: string;
}

/** Ten years. */
export const caseMs = 3_652 * dayMs;
/** What has happened by the end runs its course. */
const quietMs = 30 * dayMs;

/** One case from its seed to its end, or to the first instant at which what must hold does not. */
export function simulateRotations(seed: number, logic: RotationLogic = rotationLogic): SimulatedCase {
  const chance = new Chance(seed);
  const settings = settingsOf(chance);
  const time = new VirtualTime(firstDay);
  const trace = new EventTrace();
  const state = anAuthority({
    madeAt: firstDay,
    rootLifetimeMs: settings.policy.root.lifetimeMs,
    intermediateLifetimeMs: settings.policy.intermediate.lifetimeMs,
  });
  const cluster = new SimulatedCluster({ time, chance, trace, settings, state });
  for (let left = settings.replicas; left > 0; left -= 1) new SimulatedIstiod(cluster, 1_000);
  for (let left = settings.proxies; left > 0; left -= 1) new SimulatedProxy(cluster, 10_000);
  const operators = new OperatorDeployment(cluster, logic);
  const invariants = new TrustInvariants(cluster);
  const mishaps = new Mishaps(cluster, operators);
  const wishes = new Wishes(cluster, operators, mishaps);
  const rotations = { root: 0, intermediate: 0 };
  const reasons: Partial<Record<RotationReason, number>> = {};
  let wasStableMs = 0;
  cluster.authority.whenWritten((after, before) => {
    cluster.note(
      `-- ${before.phase} -> ${after.phase} (${after.rotation?.kind ?? ''} ${after.rotation?.reason ?? ''})`,
    );
    if (after.phase !== 'Stable' || after.lastRotation === undefined) return;
    wasStableMs = time.nowMs;
    const { kind, reason } = after.lastRotation;
    rotations[kind] += 1;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  });
  const failed = (what: string) =>
    `seed ${seed} at ${new Date(time.nowMs).toISOString()}: ${what}\n${JSON.stringify(settings)}\n${trace.text}`;
  const result = () => ({ settings, events: time.happened, rotations, reasons });
  try {
    const endMs = firstDay.getTime() + caseMs;
    time.runUntil(endMs, () => invariants.check());
    mishaps.end();
    wishes.end();
    time.runUntil(endMs + quietMs, () => invariants.check());
    const { value } = cluster.authority.latest;
    const isStill = value.phase === 'Stable' || wasStableMs > endMs;
    if (!isStill || lapseOf(value, new Date(time.nowMs)) !== undefined) {
      return { ...result(), failure: failed(`it ends in ${value.phase}`) };
    }
    return result();
  } catch (error) {
    return { ...result(), failure: failed(error instanceof Error ? (error.stack ?? '') : String(error)) };
  }
}
