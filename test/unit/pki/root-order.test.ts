import { describe, expect, test } from 'vitest';
import { isShown, nextOrder, type RootOrder, turnedOrder, without } from '../../../src/pki/root-order.ts';
import { dayMs, firstDay } from '../../support/authority-states.ts';
import { FastAuthority } from '../../support/fast-authority.ts';
import { pick, randomNumbers } from '../../support/random.ts';

const issuer = new FastAuthority();
const aRoot = (days: number) => issuer.root({ now: firstDay, lifetimeMs: days * dayMs }).certPem;

/** Two that end together in each of three seconds. */
const pool = [1, 1, 2, 2, 3, 3].map(aRoot);
const [one = '', alsoOne = '', two = '', , three = ''] = pool;

const textOf = (order: RootOrder) => order.join('');
const isPartOf = (a: RootOrder, b: RootOrder) =>
  textOf(a).includes(textOf(b)) || textOf(b).includes(textOf(a));
const isSame = (a: RootOrder, b: RootOrder) => without(a, b).length === 0 && without(b, a).length === 0;

/** The texts that lead from one to the wanted roots. */
function wayTo(present: RootOrder, wanted: RootOrder): RootOrder[] {
  const way: RootOrder[] = [];
  for (let at = nextOrder(present, wanted); at !== undefined; at = nextOrder(at, wanted)) {
    way.push(at);
    if (way.length > 4) throw new Error(`no end after ${way.length} steps`);
  }
  return way;
}

describe('the text of the roots', () => {
  test('stays when it holds what is wanted', () => {
    expect(nextOrder([one, two, one], [two, one])).toBeUndefined();
  });

  test('begins with a root that comes', () => {
    expect(wayTo([one], [one, two])).toEqual([[two, one]]);
  });

  test('begins with the others again when that root goes', () => {
    expect(wayTo([two, one], [one])).toEqual([[one]]);
  });

  test('takes two steps to drop what is not at its start', () => {
    const way = wayTo([one, two], [one]);

    expect(way).toHaveLength(2);
    expect(way.at(-1)).toEqual([one]);
  });

  test('never loses a root before the one that comes is there', () => {
    const [first, ...others] = wayTo([one], [two]);

    expect(new Set(first)).toEqual(new Set([one, two]));
    expect(others.at(-1)).toEqual([two]);
  });

  test('does not show a root beside one that ends in the same second and no other', () => {
    expect(isShown([one], nextOrder([one], [one, alsoOne]) ?? [])).toBe(false);
    expect(isShown([one, three], nextOrder([one, three], [one, alsoOne, three]) ?? [])).toBe(true);
  });

  test('is another one of the same roots when proxies should ask anew, and does not grow for ever', () => {
    let order: RootOrder = [one, two];
    for (let count = 0; count < 20; count += 1) {
      const turned = turnedOrder(order);
      expect(isPartOf(order, turned)).toBe(true);
      expect(isSame(order, turned)).toBe(true);
      expect(textOf(turned)).not.toBe(textOf(order));
      order = turned;
    }
    expect(order.length).toBeLessThan(5);
  });

  test('gets from any set to any other by texts of which one is a part of the other, each of them shown', () => {
    const random = randomNumbers(5);
    const some = () => {
      const roots = pool.filter(() => random() < 0.5);
      return roots.length === 0 ? [pick(random, pool)] : roots;
    };
    let order: RootOrder = [one, three];
    for (let count = 0; count < 2_000; count += 1) {
      const wanted = some();
      for (const next of wayTo(order, wanted)) {
        expect(isPartOf(order, next)).toBe(true);
        const before = order;
        const isDistinct = [...before, ...wanted].some((root) => isShown(before, [root]));
        if (isDistinct) expect(isShown(before, next)).toBe(true);
        order = next;
      }
      expect(isSame(order, wanted)).toBe(true);
      expect(order.length).toBeLessThan(60);
    }
  });
});
