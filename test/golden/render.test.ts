import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderScenario, renderScenarios, scenarioNames } from './render-scenario.ts';

describe.each(await scenarioNames())('golden rendering of %s', (name) => {
  it('is byte for byte what was reviewed (make golden rewrites it)', async () => {
    const expected = await readFile(join(renderScenarios, name, 'expected.yaml'), 'utf8');

    expect(await renderScenario(name)).toBe(expected);
  });

  it('has no file that nothing reads', async () => {
    expect((await readdir(join(renderScenarios, name))).sort()).toEqual(['expected.yaml', 'input.yaml']);
  });
});
