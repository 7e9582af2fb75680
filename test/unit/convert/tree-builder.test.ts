import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../src/convert/ledger.ts';
import { jsonOf, settingsOf, treeOf } from '../../../src/convert/setting-tree.ts';
import { TreeBuilder } from '../../../src/convert/tree-builder.ts';

function aBuilder() {
  const ledger = new Ledger();
  return { ledger, builder: new TreeBuilder(ledger) };
}

describe('an object that grows out of settings', () => {
  it('merges objects key by key, and knows where each part comes from', () => {
    const { builder } = aBuilder();

    builder.carry(['a'], treeOf(0, { x: 1 }));
    builder.carry(['a'], treeOf(1, { y: 2 }));

    expect(jsonOf(builder.root)).toEqual({ a: { x: 1, y: 2 } });
    expect(settingsOf(builder.root).map(({ document, path }) => [document, path])).toEqual([
      [0, ['x']],
      [1, ['y']],
    ]);
  });

  it('lets the later setting win, and names the one that loses', () => {
    const { builder, ledger } = aBuilder();
    const [first, second] = [treeOf(0, { x: 1 }), treeOf(1, { x: 2 })];

    builder.carry(['a'], first);
    const [loser] = settingsOf(first);
    builder.carry(['a'], second);

    expect(builder.peek('a', 'x')).toBe(2);
    expect(loser && ledger.fateOf(loser)).toMatchObject({
      outcome: 'lost',
      reason: 'has no effect, since x wins over it: keep one of them',
    });
  });

  it('lets what is there win over what is put under it', () => {
    const { builder } = aBuilder();

    builder.carry(['a'], treeOf(0, [1]));
    builder.carryUnder(['a'], treeOf(1, [2, 3]));

    expect(builder.peek('a')).toEqual([1]);
  });

  it('takes two settings of one value for one that both stand for', () => {
    const { builder, ledger } = aBuilder();
    const trees = [treeOf(0, 'same'), treeOf(1, 'same')];

    for (const tree of trees) builder.carry(['a'], tree);

    expect(settingsOf(builder.root)).toHaveLength(2);
    expect(settingsOf(builder.root).map((setting) => ledger.fateOf(setting))).toEqual([undefined, undefined]);
  });

  it('keeps the setting of an empty object that others come into', () => {
    const { builder } = aBuilder();

    builder.carry(['a'], treeOf(0, {}));
    builder.carry(['a', 'b'], treeOf(1, 1));
    builder.carry(['a'], treeOf(2, {}));

    expect(jsonOf(builder.root)).toEqual({ a: { b: 1 } });
    expect(
      settingsOf(builder.root)
        .map(({ document }) => document)
        .sort(),
    ).toEqual([0, 1, 2]);
  });

  it('puts items behind those of a list', () => {
    const { builder } = aBuilder();

    builder.carry(['list'], treeOf(0, [1]));
    builder.append(['list'], [treeOf(1, 2)]);
    builder.append(['other'], [treeOf(1, 3)]);
    builder.append(['none'], []);

    expect(jsonOf(builder.root)).toEqual({ list: [1, 2], other: [3] });
  });
});
