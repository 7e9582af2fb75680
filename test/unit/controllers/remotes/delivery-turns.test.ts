import { expect, test } from 'vitest';
import { DeliveryTurns } from '../../../../src/controllers/remotes/delivery-turns.ts';

const mesh = { namespace: 'istio-system', name: 'mesh' };
const of = (clusterName: string) => ({ mesh, clusterName });

function someTurns() {
  const called: string[] = [];
  return { turns: new DeliveryTurns(({ clusterName }) => called.push(clusterName)), called };
}

test('one that must be alone waits for all others, and they for it', () => {
  const { turns } = someTurns();
  const end = turns.take(of('west'), true);
  expect([turns.take(of('north'), true), turns.take(of('south'), false)]).toEqual([undefined, undefined]);
  end?.();
  const together = [turns.take(of('south'), false), turns.take(of('east'), false)];
  expect(together).toEqual([expect.any(Function), expect.any(Function)]);
  expect(turns.take(of('north'), true)).toBeUndefined();
  together[0]?.();
  expect(turns.take(of('north'), true)).toBeUndefined();
  together[1]?.();
  expect(turns.take(of('north'), true)).toBeDefined();
});

test('who waits is called one after the other, first come, first served', () => {
  const { turns, called } = someTurns();
  const end = turns.take(of('west'), true);
  for (const name of ['north', 'south', 'north']) turns.take(of(name), true);
  end?.();
  expect(called).toEqual(['north']);
  turns.take(of('north'), true)?.();
  expect(called).toEqual(['north', 'south']);
  turns.take(of('south'), true)?.();
  expect(called).toEqual(['north', 'south']);
});

test('meshes do not wait for each other', () => {
  const { turns } = someTurns();
  turns.take(of('west'), true);
  const other = { mesh: { ...mesh, namespace: 'other' }, clusterName: 'west' };
  expect(turns.take(other, true)).toBeDefined();
});
