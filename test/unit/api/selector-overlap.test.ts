import { describe, expect, test } from 'vitest';
import type { LabelSelector } from '../../../src/api/resolved-injection.ts';
import { canMatchTogether } from '../../../src/api/selector-overlap.ts';
import { matchesSelector } from '../../../src/injection/label-selector.ts';
import { pick, randomNumbers } from '../../support/random.ts';

const keys = ['a', 'b'] as const;
const values = ['1', '2'] as const;
/** Every label may be absent, have a value that selectors name, or another one. */
const choices = [undefined, ...values, 'other'];
const everyLabels = choices.flatMap((a) =>
  choices.map((b) => ({ ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })),
);

describe('two selectors', () => {
  test('can match together exactly when some labels match both', () => {
    const random = randomNumbers(7);
    const aSelector = (): LabelSelector => ({
      ...(random() < 0.3 ? { matchLabels: { [pick(random, keys)]: pick(random, values) } } : {}),
      matchExpressions: Array.from({ length: Math.floor(random() * 3) }, () => {
        const operator = pick(random, ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const);
        const listed = random() < 0.5 ? [pick(random, values)] : [...values];
        return {
          key: pick(random, keys),
          operator,
          values: operator === 'In' || operator === 'NotIn' ? listed : [],
        };
      }),
    });
    const found = { true: 0, false: 0 };

    for (let round = 0; round < 3000; round++) {
      const [left, right] = [aSelector(), aSelector()];
      const isPossible = everyLabels.some(
        (labels) => matchesSelector(left, labels) && matchesSelector(right, labels),
      );
      expect(canMatchTogether(left, right), JSON.stringify([left, right])).toBe(isPossible);
      found[isPossible ? 'true' : 'false'] += 1;
    }
    expect(Math.min(found.true, found.false)).toBeGreaterThan(300);
  });

  test('cannot match a namespace without the label that all namespaces have', () => {
    const key = 'kubernetes.io/metadata.name';

    expect(canMatchTogether({ matchExpressions: [{ key, operator: 'DoesNotExist' }] })).toBe(false);
    expect(canMatchTogether({ matchExpressions: [{ key, operator: 'NotIn', values: ['web'] }] })).toBe(true);
  });
});
