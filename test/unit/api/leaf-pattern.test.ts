import { describe, expect, it } from 'vitest';
import { matchesLeafPattern, parseLeafPattern } from '../../../src/api/leaf-pattern.ts';
import { pick, randomNumbers } from '../../support/random.ts';

function matches(pattern: string, text: string): boolean {
  const parsed = parseLeafPattern(pattern);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return matchesLeafPattern(parsed, text);
}

describe('a pattern for an item of a list', () => {
  it('matches what the regular expression does, for random patterns and texts', () => {
    const random = randomNumbers(1);
    const pieces = ['a', 'b', 'ab', '.', '.*', '.+', '\\.', '\\*'];
    for (let round = 0; round < 20_000; round++) {
      const middle = Array.from({ length: Math.floor(random() * 5) }, () => pick(random, pieces)).join('');
      const pattern = `${random() < 0.2 ? '^' : ''}${middle}${random() < 0.2 ? '$' : ''}`;
      const text = Array.from({ length: Math.floor(random() * 7) }, () =>
        pick(random, ['a', 'b', '.', '*']),
      ).join('');

      expect(matches(pattern, text), `${pattern} in ${text}`).toBe(new RegExp(pattern).test(text));
    }
  });

  it.each(['a*', 'a+', 'a?', '(a)', '[a]', 'a|b', 'a{2}', 'a^', 'a$b', '\\d', '\\'])(
    'is refused as %s, with what to write instead',
    (pattern) => {
      expect(parseLeafPattern(pattern)).toHaveProperty('problem');
    },
  );

  it('is looked for in time that grows with both lengths alone', () => {
    const pattern = '.*a'.repeat(300);
    const text = 'a'.repeat(299);

    expect(matches(pattern, text)).toBe(false);
  });
});
