import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { type SkipReason, skipReasons } from '../../src/injection/decide-injection.ts';
import { injectPod } from '../../src/injection/inject-pod.ts';
import {
  injectScenario,
  injectScenarioNames,
  injectScenarios,
  readInjectScenario,
} from './inject-scenario.ts';

interface Expected {
  readonly skipped?: SkipReason;
  readonly rejected?: string;
  readonly pod?: unknown;
}

const files = ['context.json', 'expected.yaml', 'input.yaml', 'mesh.yaml'];

describe.each(await injectScenarioNames())('golden injection of %s', (name) => {
  it('is what was reviewed (make golden rewrites it)', async () => {
    const expected = await readFile(join(injectScenarios, name, 'expected.yaml'), 'utf8');

    expect(await injectScenario(name)).toBe(expected);
  });

  it('changes nothing when it is done again', async () => {
    const { input } = await readInjectScenario(name);
    const { pod } = await readExpected(name);
    if (pod === undefined) return expect(await injectScenario(name)).toMatch(/^explanation|^rejected/);

    const again = injectPod({ ...input, pod: pod as typeof input.pod });

    expect(again).toMatchObject({ kind: 'inject', patch: [] });
  });

  it('has no file that nothing reads', async () => {
    const found = await readdir(join(injectScenarios, name));

    expect(found.filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('the golden injections', () => {
  it('show every reason for which a pod is skipped', async () => {
    const names = await injectScenarioNames();
    const shown = new Set(await Promise.all(names.map(async (name) => (await readExpected(name)).skipped)));

    expect(Object.keys(skipReasons).filter((reason) => !shown.has(reason as SkipReason))).toEqual([]);
  });
});

async function readExpected(name: string): Promise<Expected> {
  return load(await readFile(join(injectScenarios, name, 'expected.yaml'), 'utf8')) as Expected;
}
