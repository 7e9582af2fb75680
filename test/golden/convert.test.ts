import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { findMeshProblems } from '../../src/cli/mesh-problems.ts';
import type { SettingOutcome } from '../../src/convert/conversion.ts';
import { chartNames, sourceNames } from '../../src/convert/source-names.ts';
import { leavesOf } from '../support/document-leaves.ts';
import {
  convertedScenario,
  convertScenario,
  convertScenarioNames,
  convertScenarios,
  presetLines,
} from './convert-scenario.ts';

const read = (name: string, file: string) => readFile(join(convertScenarios, name, file), 'utf8');
const documentsOf = (text: string) => loadAll(text).filter((value) => value !== null && value !== undefined);

describe.each(await convertScenarioNames())('golden conversion of %s', (name) => {
  it('is what was reviewed (make golden rewrites it)', async () => {
    const { stdout, stderr, code } = await convertScenario(name);

    expect(stdout).toBe(await read(name, 'mesh.yaml'));
    expect(stderr).toBe(await read(name, 'lost.txt'));
    expect(code).toBe(stderr === '' ? 0 : 1);
    expect(await presetLines(name)).toBe(await read(name, 'preset.txt'));
  });

  it('is valid, and can be rendered', async () => {
    const meshes = documentsOf(await read(name, 'mesh.yaml'));

    expect(meshes.length).toBeGreaterThan(0);
    expect(meshes.flatMap(findMeshProblems)).toEqual([]);
  });

  it('drops no setting without a word', async () => {
    const input = documentsOf(await read(name, 'input.yaml'));
    const meshes = await convertedScenario(name);
    const settings = meshes.flatMap((mesh) => mesh.settings);
    const losses = meshes.flatMap((mesh) => mesh.losses);

    const leaves = input.flatMap((document, index) => leavesOf(`input[${index}]`, document));
    const silent = leaves.filter(({ source, path, value }) => {
      const own = settings.filter((setting) => setting.source === source && setting.path === path);
      if (own.length === 0) return true;
      if (own.some(({ outcome }) => outcome === 'preset')) return false;
      const isNamed = losses.some((loss) => loss.source === source && isWithin(path, loss.path));
      return (
        !isNamed &&
        !isIn(
          meshes.map(({ mesh }) => mesh),
          path,
          value,
        )
      );
    });

    expect(leaves.length).toBeGreaterThan(0);
    expect(silent).toEqual([]);
    expect(settings.filter(isUnnamedLoss(losses))).toEqual([]);
  });

  it('has no file that nothing reads', async () => {
    const files = ['input.yaml', 'lost.txt', 'mesh.yaml', 'options.json', 'preset.txt'];

    expect((await readdir(join(convertScenarios, name))).filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('the golden conversions', () => {
  it('show every source and every chart', async () => {
    const names = await convertScenarioNames();

    const prefixes = new Set(names.map((name) => name.replace(/-.*/, '')));
    expect([...prefixes].sort()).toEqual(['helm', 'iop', 'maistra', 'sail']);
    expect(prefixes.size).toBe(sourceNames.length);
    for (const chart of chartNames)
      expect(
        names.some((name) => name.includes(chart)),
        chart,
      ).toBe(true);
    expect(names.length).toBeGreaterThan(30);
  });
});

/** A path of a loss speaks of everything below it. */
function isWithin(path: string, loss: string): boolean {
  return loss === '' || (path.startsWith(loss) && /^($|[.[])/.test(path.slice(loss.length)));
}

function isUnnamedLoss(losses: readonly { readonly source: string; readonly path: string }[]) {
  return ({ outcome, source, path }: SettingOutcome) =>
    outcome === 'lost' && !losses.some((loss) => loss.source === source && isWithin(path, loss.path));
}

/** Settings whose value is said in other words: a switch or a choice that is a field or a value there, a number of another unit. */
const reworded: readonly RegExp[] = [
  /\.tracing\.sampling$/,
  /\.initialization\.type$/,
  /\.injection\.autoInject$/,
  /\.minProtocolVersion$/,
  /\.certificateAuthority\.type$/,
  /\.autoScaling\.enabled$/,
  /(^|\.)autoscaling\.enabled$/,
  /(^|\.)(revision|version|defaultRevision)$/,
  /\.ENABLE_CA_SERVER$/,
  /\.prometheus\.enabled$/,
  /\.taint\.enabled$/,
  /\.istiod\.enableAnalysis$/,
  /\.ignoreReconcile"\]$/,
  /\.trustedZtunnelNamespace$/,
  /\.podAntiAffinity(Term)?LabelSelector\[[0-9]+\]\.values$/,
];

/** Whether a value is in a mesh: as a value, or as a part of a text or a list. */
function isIn(meshes: readonly unknown[], path: string, value: unknown): boolean {
  if (reworded.some((rule) => rule.test(path))) return true;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return meshes
    .flatMap((mesh) => leavesOf('', mesh))
    .some(({ value: found }) =>
      (typeof found === 'object' ? JSON.stringify(found) : String(found)).includes(text),
    );
}
