import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { TerminalError } from '../../../src/base/errors.ts';
import { findMeshProblems } from '../../../src/cli/mesh-problems.ts';
import { convertDocuments } from '../../../src/convert/convert.ts';
import { type ChartName, chartNames, type SourceName } from '../../../src/convert/source-names.ts';
import { leavesOf } from '../../support/document-leaves.ts';
import { pick, type RandomNumbers, randomNumbers } from '../../support/random.ts';

const goldens = join(import.meta.dirname, '../../golden/convert');
const seeds = Array.from({ length: 150 }, (_, seed) => seed);

/** Documents of the golden conversions, which have every field that is known and many that are not. */
const documents = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    loadAll(readFileSync(join(goldens, name, 'input.yaml'), 'utf8')).map((value) => ({
      from: name.startsWith('helm-') ? ('helm-values' as const) : undefined,
      value,
    })),
  );

const hostile: readonly (() => unknown)[] = [
  () => null,
  () => '',
  () => 0,
  () => -1,
  () => Number.POSITIVE_INFINITY,
  () => Number.NaN,
  () => true,
  () => [],
  () => ({}),
  () => [[]],
  () => [null, 'x', { y: null }],
  () => ({ a: { b: { c: [1, { d: '' }] } } }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}'),
  () => 'x'.repeat(5000),
  () => '\u0000\u2028"\n- evil: {{toYaml mesh}}',
  () => ({ 'key.with.dots': { '["quoted"]': 1 }, '': 2, '[0]': 3 }),
  () => [{ name: 'twice' }, { name: 'twice' }],
  () => new Date(0),
  () => undefined,
];

const keys = [
  '__proto__',
  'constructor',
  'enabled',
  'k8s',
  'values',
  'name',
  'spec',
  'overlays',
  '',
  'a.b',
  'pilot',
];

/** A copy in which some parts are replaced by something else, taken away, doubled, or get a strange field. */
function mutated(value: unknown, random: RandomNumbers): unknown {
  if (random() < 0.04) return pick(random, hostile)();
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, random));
    return random() < 0.05 ? [...items, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => random() > 0.03)
    .map(([key, inner]): [string, unknown] => [key, mutated(inner, random)]);
  if (random() < 0.03) entries.push([pick(random, keys), pick(random, hostile)()]);
  return Object.fromEntries(entries);
}

interface Input {
  readonly from: SourceName | undefined;
  readonly chart: ChartName | undefined;
  readonly files: readonly { readonly source: string; readonly value: unknown }[];
}

function aRandomInput(seed: number): Input {
  const random = randomNumbers(seed);
  const first = pick(random, documents);
  const count = 1 + Math.floor(random() * 3);
  const chosen = Array.from({ length: count }, (_, index) => (index === 0 ? first : pick(random, documents)));
  const { from } = first;
  const files = chosen
    .map(({ value }) => mutated(value, random))
    .map((value, index) => ({ source: `input[${index}]`, value: keptIdentity(value, chosen[index]?.value) }));
  return { from, chart: from === undefined ? undefined : pick(random, chartNames), files };
}

/** What tells what a document is must stay, or there is nothing to convert. */
function keptIdentity(value: unknown, original: unknown): unknown {
  const { apiVersion, kind } = original as Record<string, unknown>;
  if (apiVersion === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  return { ...value, apiVersion, kind };
}

/** The meshes, or undefined for what cannot be converted at all; any other error is a bug. */
function converted({ from, chart, files }: Input) {
  try {
    return convertDocuments(files, { from, chart, findProblems: findMeshProblems });
  } catch (error) {
    if (error instanceof TerminalError) return undefined;
    throw error;
  }
}

describe('whatever is converted', () => {
  it('is mostly converted, so that it proves something', () => {
    const meshes = seeds.flatMap((seed) => converted(aRandomInput(seed)) ?? []);

    expect(meshes.length).toBeGreaterThan(seeds.length * 0.6);
    expect(meshes.filter(({ losses }) => losses.length > 3).length).toBeGreaterThan(seeds.length * 0.3);
  });

  it.each(seeds)('gives valid meshes, drops nothing silently and changes no input: %i', (seed) => {
    const input = aRandomInput(seed);
    const meshes = converted(input) ?? [];

    expect(meshes.flatMap(({ mesh }) => findMeshProblems(mesh))).toEqual([]);
    expect(input.files).toEqual(aRandomInput(seed).files);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const known = new Set(
      meshes.flatMap(({ settings }) => settings.map(({ source, path }) => `${source} ${path}`)),
    );
    const leaves = input.files.flatMap(({ source, value }) => leavesOf(source, asJson(value)));
    const expected = meshes.length === 0 ? [] : leaves.map(({ source, path }) => `${source} ${path}`);
    expect(expected.filter((leaf) => !known.has(leaf))).toEqual([]);
    for (const { settings, losses } of meshes) {
      for (const { outcome, source, path } of settings.filter((setting) => setting.outcome === 'lost')) {
        const isNamed = losses.some((loss) => loss.source === source && path.startsWith(loss.path));
        expect(isNamed, `${source} ${path} ${outcome}`).toBe(true);
      }
    }
  });
});

/** As the conversion reads values that are no JSON. */
function asJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asJson(inner)]));
  }
  return value ?? null;
}

describe('a document that means more than it is long', () => {
  const convert = (value: unknown) =>
    convertDocuments([{ source: 'iop.yaml', value }], { findProblems: findMeshProblems });
  const head = { apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator' };

  it('is refused when its aliases multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }

    expect(() => convert({ ...head, spec: load(lines.join('\n')) })).toThrow(/^iop\.yaml is too large/);
  });

  it('is refused when it is a part of itself', () => {
    const spec: Record<string, unknown> = {};
    spec.meshConfig = spec;

    expect(() => convert({ ...head, spec })).toThrow(/^iop\.yaml is too large/);
  });

  it('is refused when it is nested too deeply', () => {
    let meshConfig: unknown = {};
    for (let level = 0; level < 10_000; level++) meshConfig = { meshConfig };

    expect(() => convert({ ...head, spec: { meshConfig } })).toThrow(/^iop\.yaml is too large/);
  });
});
