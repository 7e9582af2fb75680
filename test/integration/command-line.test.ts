import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { dump, loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { badDocuments, badInputs } from '../support/bad-input.ts';
import { meshOperator } from '../support/command-line.ts';
import { aMeshOperator, aMeshOperatorFromYaml } from '../support/mesh-operator.ts';

const good = dump(aMeshOperator());
const bad = dump(aMeshOperatorFromYaml('meshConfig: { acessLogFile: /dev/stdout }'));
const problem = 'spec.meshConfig.acessLogFile: is not a field (did you mean "accessLogFile"?)';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-line-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('mesh-operator validate', () => {
  test('is silent on standard output and exits with 0 when all is well', async () => {
    expect(await meshOperator(['validate', '-f', '-'], good)).toMatchObject({ code: 0, stdout: '' });
  });

  test('prints one line for each problem of each document, and exits with 1', async () => {
    const documents = [good, ...badInputs.map(({ spec }) => dump(aMeshOperatorFromYaml(spec)))];
    const lines = badInputs.flatMap(({ problems }, index) =>
      problems.map((text) => `standard input[${index + 2}]: ${text}`),
    );

    const { code, stdout } = await meshOperator(['validate', '-f', '-'], documents.join('---\n'));

    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toEqual(lines);
  });

  test('prints documents for programs', async () => {
    const { code, stdout } = await meshOperator(['validate', '-f', '-', '-o', 'json'], `${good}---\n${bad}`);

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual([
      { source: 'standard input[1]', problems: [] },
      {
        source: 'standard input[2]',
        problems: [
          { path: 'spec.meshConfig.acessLogFile', message: 'is not a field', suggestion: 'accessLogFile' },
        ],
      },
    ]);
  });

  test('names the file', async () => {
    const file = join(folder, 'mesh.yaml');
    await writeFile(file, bad);

    expect(await meshOperator(['validate', '-f', file])).toMatchObject({
      code: 1,
      stdout: `${file}: ${problem}\n`,
    });
  });

  const meshless = badDocuments.filter(({ document }) => !document.includes('kind: MeshOperator'));
  test.each(meshless)('finds no MeshOperator in: $name', async ({ document }) => {
    const { code, stdout, stderr } = await meshOperator(['validate', '-f', '-'], document);

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('contains no object of kind MeshOperator');
  });

  const misshapen = badDocuments.filter(({ document }) => document.includes('kind: MeshOperator'));
  test.each(misshapen)('says what is wrong with: $name', async ({ document, problems }) => {
    const { code, stdout } = await meshOperator(['validate', '-f', '-'], document);

    expect(code).toBe(1);
    expect(stdout).toBe(problems.map((text) => `standard input: ${text}\n`).join(''));
  });
});

describe('mesh-operator render', () => {
  test('prints the objects in the order they are applied, the same bytes each time', async () => {
    const first = await meshOperator(['render', '-f', '-'], good);
    const second = await meshOperator(['render', '-f', '-'], good);

    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toBe(first.stdout);
    const kinds = (loadAll(first.stdout) as ({ kind: string } | null)[]).flatMap(
      (object) => object?.kind ?? [],
    );
    expect(kinds[0]).toBe('ServiceAccount');
    expect(kinds).toContain('Deployment');
  });

  test('prints one List of the same objects for programs', async () => {
    const yaml = await meshOperator(['render', '-f', '-'], good);
    const json = await meshOperator(['render', '-f', '-', '-o', 'json'], good);

    const objects = loadAll(yaml.stdout).filter((object) => object !== null && object !== undefined);
    expect(JSON.parse(json.stdout)).toEqual({ apiVersion: 'v1', kind: 'List', items: objects });
  });

  test('prints no object at all when one document has a problem, and exits with 1', async () => {
    const { code, stdout, stderr } = await meshOperator(['render', '-f', '-'], `${good}---\n${bad}`);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`standard input[2]: ${problem}\n`);
  });
});

describe('a call that cannot be understood exits with 2 and says why', () => {
  test.each([
    { args: ['validate', '-f', '/does/not/exist.yaml'], says: 'Cannot read /does/not/exist.yaml' },
    { args: ['validate'], says: '-f, --filename <file>' },
    { args: ['rendre', '-f', '-'], says: 'render' },
    { args: ['validate', '-f', '-', '--strict'], says: '--strict' },
    { args: ['run', '--log-level', 'loud'], says: '--log-level' },
  ])('$args', async ({ args, says }) => {
    const { code, stdout, stderr } = await meshOperator(args);

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });

  test('a file that is not YAML', async () => {
    const { code, stderr } = await meshOperator(['validate', '-f', '-'], 'a: [unclosed');

    expect(code).toBe(2);
    expect(stderr).toContain('standard input is not valid YAML');
  });
});

describe('mesh-operator status', () => {
  test('says which kubeconfig it cannot read', async () => {
    const { code, stdout, stderr } = await meshOperator(['status', '--kubeconfig', '/does/not/exist']);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('/does/not/exist');
  });

  test('says that an API server does not answer', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, dump(aKubeconfigOf('https://127.0.0.1:1')));

    const { code, stdout, stderr } = await meshOperator(['status', '--kubeconfig', kubeconfig]);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/Cannot list meshoperators: .*ECONNREFUSED/);
  });
});

test('mesh-operator --version and --help go to standard output', async () => {
  expect(await meshOperator(['--version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
  });
  const { code, stdout } = await meshOperator(['--help']);
  expect(code).toBe(0);
  for (const verb of ['run', 'render', 'validate', 'status']) expect(stdout).toContain(verb);
});

test('kubectl finds it as a plugin by the name of its second binary', async () => {
  const { bin, version } = JSON.parse(await readFile('package.json', 'utf8'));
  await symlink(resolve(bin['kubectl-mesh_operator']), join(folder, 'kubectl-mesh_operator'));
  const paths = [folder, dirname(process.execPath), process.env.PATH];
  const env = { ...process.env, PATH: paths.join(delimiter) };

  const kubectl = await ensureTool('kubectl');
  const { stdout } = await promisify(execFile)(kubectl, ['mesh-operator', '--version'], { env });

  expect(stdout.trim()).toBe(version);
});

function aKubeconfigOf(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    clusters: [{ name: 'a', cluster: { server } }],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  };
}
