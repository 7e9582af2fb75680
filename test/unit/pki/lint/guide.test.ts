import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { lintRules } from '../../../../src/pki/lint/finding.ts';

const guide = readFileSync(resolve(import.meta.dirname, '../../../../docs/guides/ca-lint.md'), 'utf8');

test('docs/guides/ca-lint.md has a row for each rule, and for no other', () => {
  const rows = guide.split('\n').filter((line) => line.startsWith('| `'));

  const named = rows.flatMap((row) => row.split('|')[1]?.match(/\w+/g) ?? []);

  expect(named).toEqual([...lintRules]);
});
