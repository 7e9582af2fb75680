import { describe, expect, it } from 'vitest';
import type { ObjectId } from '../../../../src/api/kubernetes-object.ts';
import {
  type DriftLedger,
  fightMessage,
  fightOver,
  leftForMs,
  recordRepair,
  recordYielded,
} from '../../../../src/controllers/mesh/drift-ledger.ts';
import type { Drift } from '../../../../src/kube/diff/drift.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const id: ObjectId = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'a', name: 'istiod' };
const drift: Drift = { path: 'spec.replicas', kind: 'changed', manager: 'kubectl-edit' };

describe('the ledger of what others changed', () => {
  it('says what, by whom, how often in a row, and when last', () => {
    expect(repaired([0, 1])).toEqual([
      {
        ...{ object: 'Deployment a/istiod', path: 'spec.replicas', manager: 'kubectl-edit' },
        ...{ action: 'SetBack', times: 2, lastAt: at(1).toISOString() },
      },
    ]);
  });

  it('counts anew after ten quiet minutes', () => {
    expect(repaired([0, 1, 11])).toMatchObject([{ times: 1 }]);
  });

  it('keeps an object that was made again, and the last twenty of all', () => {
    let ledger: DriftLedger = recordRepair([], id, [], at(0));
    expect(ledger).toMatchObject([{ path: '', action: 'Recreated', times: 1 }]);

    for (let index = 0; index < 30; index += 1) {
      ledger = recordRepair(ledger, { ...id, name: `d${index}` }, [drift], at(index));
    }
    expect(ledger).toHaveLength(20);
    expect(ledger[0]?.object).toBe('Deployment a/d29');
  });
});

describe('a fight over a field', () => {
  it('is one after five times in a row, and is left for ten minutes', () => {
    expect(fightOver(repaired([0, 1, 2, 3]), id, () => [drift], at(4))).toBeUndefined();

    const ledger = repaired([0, 1, 2, 3, 4]);
    const fight = fightOver(ledger, id, () => [drift], at(5));
    expect(fight).toMatchObject({ times: 5, manager: 'kubectl-edit' });
    expect(fight === undefined ? '' : fightMessage(fight)).toMatch(
      /^Deployment a\/istiod: spec\.replicas was changed by kubectl-edit and set back 5 times/,
    );
    expect(fight === undefined ? 0 : leftForMs(fight, at(5))).toBe(9 * 60_000);
    expect(fightOver(ledger, id, () => [drift], at(14))).toBeUndefined();
  });

  it('is with one manager about one field of one object', () => {
    const ledger = repaired([0, 1, 2, 3, 4]);
    const others: Drift[] = [
      { ...drift, manager: 'somebody' },
      { ...drift, path: 'spec.paused' },
    ];

    expect(others.map((other) => fightOver(ledger, id, () => [other], at(5)))).toEqual([
      undefined,
      undefined,
    ]);
    expect(fightOver(ledger, { ...id, name: 'other' }, () => [drift], at(5))).toBeUndefined();
  });

  it('ends when the other one has the value that it should have', () => {
    const agreed: Drift = { ...drift, desired: 2, observed: 2 };
    const differs: Drift = { ...drift, desired: 2, observed: 3 };
    const ledger = repaired([0, 1, 2, 3, 4]);

    expect(fightOver(ledger, id, () => [agreed], at(5))).toBeUndefined();
    expect(fightOver(ledger, id, () => [differs], at(5))).toBeDefined();
  });

  it('is said once to be left to the other one', () => {
    const ledger = repaired([0, 1, 2, 3, 4]);
    const fight = fightOver(ledger, id, () => [drift], at(5));

    expect(fight === undefined ? [] : recordYielded(ledger, fight)).toMatchObject([{ action: 'LeftAlone' }]);
  });
});

function repaired(minutes: readonly number[]): DriftLedger {
  return minutes.reduce<DriftLedger>((ledger, minute) => recordRepair(ledger, id, [drift], at(minute)), []);
}

function at(minutes: number): Date {
  return new Date(start + minutes * 60_000);
}
