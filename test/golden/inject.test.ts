import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { inject } from '../../src/cli/inject.ts';
import { names } from '../../src/injection/annotation-names.ts';
import { type SkipReason, skipReasons } from '../../src/injection/decide-injection.ts';
import { injectPod } from '../../src/injection/inject-pod.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';
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

  it('is what mesh-operator inject prints', async () => {
    const { input } = await readInjectScenario(name);
    const expected = await readExpected(name);

    const { code, stdout, stderr } = await printInjected(name);

    expect(code).toBe(expected.rejected === undefined ? 0 : 1);
    if (expected.rejected !== undefined) expect(stderr).toContain(expected.rejected);
    else expect(loadAll(stdout)[1]).toEqual(expected.pod ?? input.pod);
  });

  it('has no file that nothing reads', async () => {
    const found = await readdir(join(injectScenarios, name));

    expect(found.filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('the golden injections', () => {
  it('show every annotation and label that injection reads', async () => {
    const scenarios = await injectScenarioNames();
    const texts = await Promise.all(
      scenarios.map((name) => readFile(join(injectScenarios, name, 'input.yaml'), 'utf8')),
    );
    const missing = Object.values(names).filter((name) => !texts.some((text) => text.includes(name)));

    expect(missing).toEqual(writtenOnly);
  });

  it('show every reason for which a pod is skipped', async () => {
    const names = await injectScenarioNames();
    const shown = new Set(await Promise.all(names.map(async (name) => (await readExpected(name)).skipped)));

    expect(Object.keys(skipReasons).filter((reason) => !shown.has(reason as SkipReason))).toEqual([]);
  });
});

/** Names that only injection itself writes. */
const writtenOnly: readonly string[] = [names.status];

async function printInjected(name: string): Promise<CliRun> {
  const { input, meshOperator } = await readInjectScenario(name);
  const options = {
    filename: join(injectScenarios, name, 'input.yaml'),
    mesh: '-',
    kubernetesVersion: `1.${input.kubernetesMinor}`,
  };
  return runCli((terminal) => inject(options, terminal), JSON.stringify(meshOperator));
}

async function readExpected(name: string): Promise<Expected> {
  return load(await readFile(join(injectScenarios, name, 'expected.yaml'), 'utf8')) as Expected;
}
