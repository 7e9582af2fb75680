import { idText, type ObjectId } from '../../api/kubernetes-object.ts';
import type { DriftRecord } from '../../api/mesh-operator-status.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { Drift } from '../../kube/diff/drift.ts';

/** So often within the window somebody and we have to change a field for it to be a fight. */
export const fightsAfter = 5;
/** Changes further apart than this are no fight; and so long a field is left to the other one. */
export const fightWindowMs = 10 * 60_000;

const maxRecords = 20;

/** What was done about changes of others, the last first; what `status.drift` says. */
export type DriftLedger = readonly DriftRecord[];

/** The ledger after an object was set back, or made again where `drift` is empty. */
export function recordRepair(
  ledger: DriftLedger,
  id: ObjectId,
  drift: readonly Drift[],
  now: Date,
): DriftLedger {
  const object = idText(id);
  const places = drift.length === 0 ? [{ path: '', manager: undefined }] : drift;
  const added = places.map(({ path, manager }): DriftRecord => {
    const before = ledger.find((record) => isOf(record, object, path));
    const isSeries = before !== undefined && now.getTime() - Date.parse(before.lastAt) < fightWindowMs;
    return {
      object,
      path,
      ...(manager === undefined ? {} : { manager }),
      action: path === '' ? 'Recreated' : 'SetBack',
      times: isSeries ? before.times + 1 : 1,
      lastAt: now.toISOString(),
    };
  });
  const others = ledger.filter((record) => !added.some(({ path }) => isOf(record, object, path)));
  return [...added, ...others].slice(0, maxRecords);
}

/**
 * The record of a fight over one of the fields that differ now; undefined when they may be set back. `driftNow` is asked
 * only where there has been one. A fight needs somebody: who deletes an object, or changes a field under no name, is not
 * left to it.
 */
export function fightOver(
  ledger: DriftLedger,
  id: ObjectId,
  driftNow: () => readonly Drift[],
  now: Date,
): DriftRecord | undefined {
  const object = idText(id);
  const fights = ledger.filter(
    (record) =>
      record.object === object &&
      record.manager !== undefined &&
      record.times >= fightsAfter &&
      leftForMs(record, now) > 0,
  );
  if (fights.length === 0) return undefined;
  const disputed = driftNow().filter((drift) => !isAgreed(drift));
  return fights.find((record) =>
    disputed.some(({ path, manager }) => isOf(record, object, path) && manager === record.manager),
  );
}

/** The ledger in which a fight is said to be left to the other one. */
export function recordYielded(ledger: DriftLedger, fight: DriftRecord): DriftLedger {
  return ledger.map((record) => (record === fight ? { ...record, action: 'LeftAlone' } : record));
}

/** How much longer a field is left alone, in milliseconds. */
export function leftForMs({ lastAt }: DriftRecord, now: Date): number {
  return Date.parse(lastAt) + fightWindowMs - now.getTime();
}

/** What a person reads of a fight. */
export function fightMessage({ object, path, manager, times }: DriftRecord): string {
  return `${object}: ${path} was changed by ${manager} and set back ${times} times within ten minutes each; it is left alone for ten minutes. Have ${manager} leave the field alone, or give the mesh its value`;
}

/** True when somebody else has a field, with the value that it should have: nobody minds who holds it. */
function isAgreed({ desired, observed }: Drift): boolean {
  return observed !== undefined && stableJson(desired) === stableJson(observed);
}

function isOf(record: DriftRecord, object: string, path: string): boolean {
  return record.object === object && record.path === path;
}
