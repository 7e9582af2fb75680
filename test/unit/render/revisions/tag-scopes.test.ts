import { describe, expect, it } from 'vitest';
import {
  allBut,
  allNamespaces,
  hasNamespace,
  type NamespaceSet,
  namespacesOf,
  noNamespaces,
  onlyNamespaces,
  scopeOf,
  unite,
  without,
} from '../../../../src/render/revisions/namespace-set.ts';
import { handedOver, movedTo, nextHoldings } from '../../../../src/render/revisions/tag-scopes.ts';
import { pick, randomNumbers } from '../../../support/random.ts';

const names = ['a', 'b', 'c'];

describe('a set of namespaces', () => {
  const sets = [
    noNamespaces,
    allNamespaces,
    ...subsets().flatMap((some) => [onlyNamespaces(some), allBut(some)]),
  ];

  it('unites and subtracts as its members do', () => {
    for (const a of sets) {
      for (const b of sets) {
        for (const name of [...names, 'other']) {
          expect(hasNamespace(unite(a, b), name)).toBe(hasNamespace(a, name) || hasNamespace(b, name));
          expect(hasNamespace(without(a, b), name)).toBe(hasNamespace(a, name) && !hasNamespace(b, name));
        }
      }
    }
  });

  it('is the same after it was written into a spec and read again', () => {
    for (const set of sets) expect(namespacesOf(scopeOf(set))).toEqual(set);
  });
});

describe('namespaces that move between two control planes', () => {
  it('always have the webhook of one of them, and in the end that of the one they should have', () => {
    for (let seed = 1; seed <= 300; seed += 1) moveAtRandom(seed);
  });

  it('would be without one for a moment if each got at once what it should have', () => {
    expect(() => {
      for (let seed = 1; seed <= 300; seed += 1) moveAtRandom(seed, ({ wish }) => wish);
    }).toThrow(/has no webhook/);
  });
});

interface Plane {
  written: NamespaceSet;
  /** What its webhooks select: what was written when its controllers last looked. */
  inForce: NamespaceSet;
}

type Next = (facts: {
  wish: ReturnType<typeof movedTo>;
  active: Plane;
  target: Plane;
}) => ReturnType<typeof movedTo>;

function holdingsOf({ active, target, wish }: Parameters<Next>[0]) {
  return nextHoldings(wish, holdingOf(active), holdingOf(target));
}

/** Wishes change and controllers act in any order; throws when a namespace is nobody's. */
function moveAtRandom(seed: number, next: Next = holdingsOf): void {
  const random = randomNumbers(seed);
  const active: Plane = { written: allNamespaces, inForce: allNamespaces };
  const target: Plane = { written: noNamespaces, inForce: noNamespaces };
  let wish = movedTo([]);
  const step = (action: string) => {
    if (action === 'wish')
      wish = pick(random, [movedTo([]), movedTo(['a']), movedTo(['a', 'b']), handedOver]);
    if (action === 'write') {
      const holdings = next({ wish, active, target });
      active.written = holdings.active;
      target.written = holdings.target;
    }
    if (action === 'active') active.inForce = active.written;
    if (action === 'target') target.inForce = target.written;
    for (const name of [...names, 'other']) {
      if (!hasNamespace(active.inForce, name) && !hasNamespace(target.inForce, name)) {
        throw new Error(`Seed ${seed}: namespace ${name} has no webhook after ${action}`);
      }
    }
  };
  for (let count = 0; count < 60; count += 1) step(pick(random, ['wish', 'write', 'active', 'target']));
  for (let count = 0; count < 4; count += 1) for (const action of ['write', 'active', 'target']) step(action);
  expect({ active: active.inForce, target: target.inForce }).toEqual(wish);
}

function holdingOf({ written, inForce }: Plane) {
  return {
    hasTagWebhooks: true,
    scope: scopeOf(written),
    isSettled: JSON.stringify(scopeOf(written)) === JSON.stringify(scopeOf(inForce)),
  };
}

function subsets(): string[][] {
  return [[], ['a'], ['b'], ['a', 'b'], ['a', 'b', 'c']];
}
