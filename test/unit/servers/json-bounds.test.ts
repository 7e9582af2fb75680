import { describe, expect, test } from 'vitest';
import { excessOf } from '../../../src/servers/json-bounds.ts';

const bounds = { depth: 3, parts: 6 };

describe('the bounds of a JSON text', () => {
  test.each([
    ['a scalar', '1'],
    ['as deep as allowed', '[[[1]]]'],
    ['brackets in strings', '{"a":"[[[[[{{{{{,,,,,,,,"}'],
    ['an escaped quote before brackets', '{"a":"\\"[[[[["}'],
    ['an escaped backslash before the end of a string', '["\\\\",1]'],
    ['a string without end', '["abc'],
    ['as many parts as allowed', '[1,2,3,4,5,6]'],
  ])('hold %s', (_name, text) => {
    expect(excessOf(Buffer.from(text), bounds)).toBeUndefined();
  });

  test.each([
    ['lists', '[[[[1]]]]', 'is nested deeper than 3 levels'],
    ['objects', '{"a":{"a":{"a":{}}}}', 'is nested deeper than 3 levels'],
    ['a depth after an escaped backslash', '["\\\\",[[[1]]]]', 'is nested deeper than 3 levels'],
    ['no JSON at all', '[[[[[[[[', 'is nested deeper than 3 levels'],
    ['items', '[1,2,3,4,5,6,7]', 'has more than 6 parts'],
    ['empty lists', '[[],[],[],[]]', 'has more than 6 parts'],
  ])('refuse too many %s', (_name, text, excess) => {
    expect(excessOf(Buffer.from(text), bounds)).toBe(excess);
  });
});
