import { describe, expect, it } from 'vitest';
import { envResource, envValue, literalEnv, mergeEnv } from '../../../src/render/environment.ts';

describe('mergeEnv', () => {
  it('keeps our order, replaces by name, and adds the rest in the user’s order', () => {
    const merged = mergeEnv(
      [envValue('A', '1'), envValue('B', '2')],
      [envValue('Z', '3'), envValue('A', 'mine'), envValue('C', '4')],
    );

    expect(merged.map(({ name, value }) => `${name}=${value}`)).toEqual(['A=mine', 'B=2', 'Z=3', 'C=4']);
  });

  it('takes the last of a name that the user gives twice', () => {
    expect(mergeEnv([], [envValue('A', '1'), envValue('A', '2')])).toEqual([{ name: 'A', value: '2' }]);
  });

  it('replaces a reference to a field as a whole', () => {
    expect(mergeEnv([envResource('GOMAXPROCS', 'limits.cpu')], [envValue('GOMAXPROCS', '2')])).toEqual([
      { name: 'GOMAXPROCS', value: '2' },
    ]);
  });

  it('writes an empty value as the API server hands it back', () => {
    expect(mergeEnv([], [{ name: 'A', value: '' }])).toEqual([{ name: 'A' }]);
  });
});

describe('literalEnv', () => {
  it('finds literal values only', () => {
    const env = [envValue('A', 'x'), envResource('B', 'limits.cpu'), envValue('C', '')];

    expect(['A', 'B', 'C', 'D'].map((name) => literalEnv(env, name))).toEqual([
      'x',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
