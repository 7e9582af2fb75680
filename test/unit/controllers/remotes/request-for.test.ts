import { expect, test } from 'vitest';
import { requestFor, requestText } from '../../../../src/controllers/remotes/request-for.ts';

const now = new Date('2026-01-01T00:00:00Z');

test('a request is for all clusters, unless it names one', () => {
  expect(requestFor('west', requestText(undefined, now))).toBe('2026-01-01T00:00:00.000Z');
  expect(requestFor('west', '1735689600')).toBe('1735689600');
  expect(requestFor('west', requestText('west', now))).toBe('west/2026-01-01T00:00:00.000Z');
  expect(requestFor('west', requestText('north', now))).toBeUndefined();
  expect(requestFor('west', undefined)).toBeUndefined();
});
