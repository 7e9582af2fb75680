import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { conditionTable } from '../../../../src/api/conditions.ts';
import { trustConditionType } from '../../../../src/controllers/trust/trust-status.ts';

const guide = readFileSync(resolve(import.meta.dirname, '../../../../docs/guides/ca-rotation.md'), 'utf8');

test('docs/guides/ca-rotation.md says what to do for each reason of TrustHealthy, and for no other', () => {
  const [, section = ''] = guide.split(`## ${trustConditionType}\n`);
  const [table = ''] = section.split('\n## ');

  const named = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);

  const { reasons } = conditionTable.find(({ type }) => type === trustConditionType) ?? { reasons: [] };
  expect(named).toEqual(reasons.map(({ reason }) => reason));
});
