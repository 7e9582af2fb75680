import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { profileNames } from '../../src/api/profiles.ts';
import { minorDifferences, olderMinorsOf } from './minor-differences.ts';
import { readScenario, renderScenario, renderScenarios, scenarioNames } from './render-scenario.ts';

const scenarios = await Promise.all(
  (await scenarioNames()).map(async (name) => ({ name, minors: await olderMinorsOf(name) })),
);

describe.each(scenarios)('golden rendering of $name', ({ name, minors }) => {
  it('is byte for byte what was reviewed (make golden rewrites it)', async () => {
    const expected = await readFile(join(renderScenarios, name, 'expected.yaml'), 'utf8');

    expect(await renderScenario(name)).toBe(expected);
  });

  it.each(minors)('differs in Istio %s as it was reviewed', async (minor) => {
    const expected = await readFile(join(renderScenarios, name, `${minor}.txt`), 'utf8');

    expect(await minorDifferences(name, minor)).toBe(expected);
  });

  it('has no file that nothing reads', async () => {
    const ofMinors = minors.map((minor) => `${minor}.txt`);

    expect((await readdir(join(renderScenarios, name))).sort()).toEqual(
      [...ofMinors, 'expected.yaml', 'input.yaml'].sort(),
    );
  });
});

describe('each profile', () => {
  it.each(profileNames)('%s is rendered as it is, in each minor of Istio', async (profile) => {
    const specs = await Promise.all(
      (await scenarioNames()).map(async (name) => (await readScenario(name)).spec),
    );

    expect(specs.map((spec) => spec ?? { profile: 'default' })).toContainEqual({ profile });
  });
});
