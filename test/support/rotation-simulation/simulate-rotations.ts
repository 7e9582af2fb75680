import { lapseOf } from '../../../src/pki/authority-life.ts';
import type { RotationReason } from '../../../src/pki/authority-state.ts';
import type { RotationKind } from '../../../src/pki/rotation-policy.ts';
import { anAuthority, dayMs, firstDay } from '../authority-states.ts';
import { type CaseSettings, patienceOf, settingsOf } from './case-settings.ts';
import { Chance } from './chance.ts';
import { EventTrace } from './event-trace.ts';
import { Mishaps } from './mishaps.ts';
import { OperatorDeployment } from './operator-deployment.ts';
import { type RotationLogic, rotationLogic } from './rotation-logic.ts';
import { SimulatedCluster, type SimulatedClusterParts } from './simulated-cluster.ts';
import { SimulatedFollower } from './simulated-follower.ts';
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
  /** Pairs of clusters that have exchanged their roots, and all that has happened since. */
  readonly joined: number;
  /** How often a cluster went on without another one by its policy, so that their proxies need not verify each other. */
  readonly parted: number;
}

/** Ten years. */
export const caseMs = 3_652 * dayMs;
/** What has happened by the end runs its course. */
const quietMs = 30 * dayMs;

/** One case from its seed to its end, or to the first instant at which what must hold does not. */
export function simulateRotations(
  seed: number,
  logic: RotationLogic = rotationLogic,
  clusterNames: readonly string[] = ['only'],
  followerNames: readonly string[] = [],
): SimulatedCase {
  const chance = new Chance(seed);
  const time = new VirtualTime(firstDay);
  const trace = new EventTrace();
  const settings = settingsOf(chance);
  const clusters = clusterNames.map((clusterName, index) => {
    const own = index === 0 ? settings : settingsOf(chance);
    const isAlone = clusterNames.length + followerNames.length === 1;
    const patience = isAlone ? {} : patienceOf(chance);
    const lived = { ...own, policy: { ...own.policy, ...patience } };
    return newCluster({ time, chance, trace, settings: lived, clusterName });
  });
  for (const cluster of clusters) cluster.others.push(...clusters.filter((other) => other !== cluster));
  const [first] = clusters;
  if (first !== undefined) {
    for (const name of followerNames) first.followers.push(new SimulatedFollower(first, name));
  }
  const parts = clusters.map((cluster) => inhabited(cluster, logic));
  for (const { invariants } of parts) invariants.watchPartings(parts.map((part) => part.invariants));
  const rotations = { root: 0, intermediate: 0 };
  const reasons: Partial<Record<RotationReason, number>> = {};
  const wasStableMs = new Map<SimulatedCluster, number>();
  for (const cluster of clusters) {
    cluster.authority.whenWritten((after, before) => {
      cluster.note(
        `-- ${before.phase} -> ${after.phase} (${after.rotation?.kind ?? ''} ${after.rotation?.reason ?? ''})`,
      );
      if (after.phase !== 'Stable' || before.phase === 'Stable' || after.lastRotation === undefined) return;
      wasStableMs.set(cluster, time.nowMs);
      const { kind, reason } = after.lastRotation;
      rotations[kind] += 1;
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    });
  }
  const failed = (what: string) =>
    `seed ${seed} at ${new Date(time.nowMs).toISOString()}: ${what}\n${JSON.stringify(settings)}\n${trace.text}`;
  const joined = () => parts.reduce((sum, { invariants }) => sum + invariants.joined, 0) / 2;
  const parted = () => parts.reduce((sum, { invariants }) => sum + invariants.parted, 0);
  const result = () => ({
    ...{ settings, events: time.happened, rotations, reasons },
    ...{ joined: joined(), parted: parted() },
  });
  const check = () => {
    for (const { invariants } of parts) invariants.check();
  };
  try {
    const endMs = firstDay.getTime() + caseMs;
    time.runUntil(endMs, check);
    for (const { mishaps, wishes } of parts) {
      mishaps.end();
      wishes.end();
    }
    time.runUntil(endMs + quietMs, check);
    for (const cluster of clusters) {
      const { value } = cluster.authority.latest;
      const isStill = value.phase === 'Stable' || (wasStableMs.get(cluster) ?? 0) > endMs;
      if (!isStill || lapseOf(value, new Date(time.nowMs)) !== undefined) {
        return { ...result(), failure: failed(`${cluster.clusterName} ends in ${value.phase}`) };
      }
    }
    if (parts.some(({ invariants }) => invariants.behind > 0)) {
      return { ...result(), failure: failed('a cluster that follows has never caught up') };
    }
    return result();
  } catch (error) {
    return { ...result(), failure: failed(error instanceof Error ? (error.stack ?? '') : String(error)) };
  }
}

function newCluster(parts: Omit<SimulatedClusterParts, 'state'>): SimulatedCluster {
  const { root, intermediate } = parts.settings.policy;
  const state = anAuthority({
    madeAt: firstDay,
    rootLifetimeMs: root.lifetimeMs,
    intermediateLifetimeMs: intermediate.lifetimeMs,
  });
  return new SimulatedCluster({ ...parts, state });
}

/** With all that runs in it and happens to it. */
function inhabited(cluster: SimulatedCluster, logic: RotationLogic) {
  const { replicas, proxies } = cluster.settings;
  for (let left = replicas; left > 0; left -= 1) new SimulatedIstiod(cluster, 1_000);
  for (let left = proxies; left > 0; left -= 1) new SimulatedProxy(cluster, 10_000);
  const operators = new OperatorDeployment(cluster, logic);
  const invariants = new TrustInvariants(cluster);
  const mishaps = new Mishaps(cluster, operators);
  return { invariants, mishaps, wishes: new Wishes(cluster, operators, mishaps) };
}
