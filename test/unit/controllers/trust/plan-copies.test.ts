import { describe, expect, test } from 'vitest';
import {
  type CopyQuestion,
  type CopyWrites,
  planCopies,
  recordWrite,
} from '../../../../src/controllers/trust/plan-copies.ts';
import type { RootConfigMap } from '../../../../src/controllers/trust/root-config-map.ts';

const minuteMs = 60_000;

function aCopy(changes: Partial<RootConfigMap> = {}): RootConfigMap {
  const right = {
    namespace: 'shop',
    name: 'istio-ca-root-cert',
    roots: new Set<string>(),
    digest: 'new',
    hasLabel: true,
  };
  return { ...right, owner: 'istio-system', ...changes };
}

/** About the copy in namespace `shop` alone. */
function plan(copy: RootConfigMap | undefined, changes: Partial<CopyQuestion> = {}) {
  return planCopies({
    namespaces: ['shop'],
    copyIn: () => copy,
    digest: 'new',
    owner: 'istio-system',
    rivals: new Set(),
    writesIn: () => undefined,
    nowMs: 100 * minuteMs,
    ...changes,
  });
}

/** What is remembered after writes at these minutes. */
function written(digest: string, ...minutes: readonly number[]): CopyWrites | undefined {
  return minutes.reduce<CopyWrites | undefined>(
    (before, minute) => recordWrite(before, digest, minute * minuteMs),
    undefined,
  );
}

describe('a copy of a bundle', () => {
  test('that is right is left alone', () => {
    expect(plan(aCopy())).toEqual({ write: [], contested: [] });
  });

  test.each([
    { what: 'that is missing', copy: undefined },
    { what: 'that holds something else', copy: aCopy({ digest: 'old', writer: 'pilot-discovery' }) },
    { what: 'without the label by which Istio finds it', copy: aCopy({ hasLabel: false }) },
    { what: 'that a mesh made which has gone', copy: aCopy({ owner: 'gone' }) },
  ])('$what is written', ({ copy }) => {
    expect(plan(copy)).toEqual({ write: ['shop'], contested: [] });
  });

  test('that another mesh keeps stays its own', () => {
    const { write, contested } = plan(aCopy({ owner: 'other-mesh' }), { rivals: new Set(['other-mesh']) });

    expect(write).toEqual([]);
    expect(contested).toEqual([{ namespace: 'shop', by: 'the mesh of namespace other-mesh' }]);
  });

  const changedBack = aCopy({ digest: 'old', writer: 'istio-csr' });

  test('that somebody has changed back twice is written once more', () => {
    const writesIn = () => written('new', 95, 99);

    expect(plan(changedBack, { writesIn }).write).toEqual(['shop']);
  });

  test('that somebody has changed back three times within ten minutes is left to them until those end', () => {
    const writesIn = () => written('new', 95, 97, 99);

    expect(plan(changedBack, { writesIn })).toEqual({
      write: [],
      contested: [{ namespace: 'shop', by: 'istio-csr', againInMs: 5 * minuteMs }],
    });
    expect(plan(changedBack, { writesIn, nowMs: 105 * minuteMs }).write).toEqual(['shop']);
  });

  test('that somebody keeps deleting is left to them as well', () => {
    const writesIn = () => written('new', 98, 99, 99);

    expect(plan(undefined, { writesIn }).contested.map(({ by }) => by)).toEqual(['somebody who deletes it']);
  });

  test('of another bundle is written whatever became of the last one', () => {
    const writesIn = () => written('old', 95, 97, 99);

    expect(plan(changedBack, { writesIn }).write).toEqual(['shop']);
  });

  test('that people edit now and then never counts as contested', () => {
    const writesIn = () => written('new', 10, 30, 50, 70, 99);

    expect(plan(changedBack, { writesIn }).write).toEqual(['shop']);
  });
});
