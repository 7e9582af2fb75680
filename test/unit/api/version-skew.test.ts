import { describe, expect, it } from 'vitest';
import { skewProblem } from '../../../src/api/version-skew.ts';

describe('a control plane that is replaced by one of another version', () => {
  it.each([
    ['the same', '1.31.1', '1.31.1'],
    ['another patch', '1.31.0', '1.31.1'],
    ['the next minor', '1.30.3', '1.31.1'],
    ['the minor before', '1.31.1', '1.30.3'],
  ])('may be %s', (_what, from, to) => {
    expect(skewProblem(from, { minor: to.slice(0, 4), patch: to })).toBeUndefined();
  });

  it.each([
    ['two minors on', '1.29.6', '1.31.1', 'Set 1.30 first'],
    ['two minors back', '1.31.1', '1.29.6', 'Set 1.30 first'],
    ['from long ago', '1.26.0', '1.31.1', 'Set 1.27 first'],
  ])('must not be %s', (_what, from, to, remedy) => {
    expect(skewProblem(from, { minor: to.slice(0, 4), patch: to })).toContain(remedy);
  });
});
