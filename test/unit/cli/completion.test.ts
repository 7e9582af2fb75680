import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Shell, writeCompletion } from '../../../src/cli/completion.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { verbTree } from '../../../src/cli/verb-tree.ts';

const nowhere = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
const program = createProgram(nowhere, () => {});

async function scriptOf(shell: Shell): Promise<string> {
  const stdout = new PassThrough();
  writeCompletion(shell, program, { ...nowhere, stdout });
  stdout.end();
  return text(stdout);
}

describe('bash', () => {
  let script: string;

  beforeAll(async () => {
    script = await scriptOf('bash');
  });

  /** What a real bash offers after these words; the last one is what is being typed. */
  async function offered(...words: readonly string[]): Promise<string[]> {
    const asked = [
      script,
      `COMP_WORDS=(${['mesh-operator', ...words].map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length}`,
      '_mesh_operator',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ];
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', asked.join('\n')]);
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('offers every verb', async () => {
    const verbs = program.commands.map((command) => command.name());

    expect(await offered('')).toEqual(expect.arrayContaining(verbs));
    expect(await offered('un')).toEqual(['uninject', 'uninstall']);
  });

  test('offers the verbs of a group, and the flags of a verb in it', async () => {
    expect(await offered('ca', '')).toEqual(expect.arrayContaining(['lint', 'plan', 'rotate', 'status']));
    expect(await offered('ca', 'rotate', '--r')).toEqual(['--root', '--recover']);
    expect(await offered('ca', 'status', '--recover')).toEqual([]);
  });

  test('goes on after flags and their values', async () => {
    expect(await offered('uninstall', 'mesh', '--namespace', 'a', '--pu')).toEqual(['--purge']);
  });

  test('offers the choices of a flag, of an argument, and files', async () => {
    expect(await offered('status', '-o', '')).toEqual(['text', 'json', 'yaml']);
    expect(await offered('completion', 'f')).toEqual(['fish']);
    expect(await offered('diff', '-f', 'package.jso')).toEqual(['package.json']);
    expect(await offered('status', '-n', '')).toEqual([]);
  });
});

test.each(['zsh', 'fish'] as const)('%s is told every verb and every flag', async (shell) => {
  const script = await scriptOf(shell);

  for (const { words, flags } of verbTree(program)) {
    for (const { name } of words) expect(script).toContain(`'${name}`);
    for (const name of flags.flatMap(({ names }) => names)) {
      expect(script).toContain(shell === 'zsh' ? name : name.replace(/^--?/, ''));
    }
  }
});
