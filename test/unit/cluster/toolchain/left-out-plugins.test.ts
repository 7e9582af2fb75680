import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutLines, withoutPlugins } from '../../../cluster/toolchain/left-out-plugins.ts';

const list = `package catalog

import (
	"example.dev/catalog"
	"example.dev/plugin/keys/cloud"
	"example.dev/plugin/keys/cloudless"
	"example.dev/plugin/keys/disk"
)

var builtIns = []catalog.BuiltIn{
	cloud.BuiltIn(),
	cloudless.BuiltIn(),
	disk.BuiltIn(),
}
`;
const shorter = list.replace('\t"example.dev/plugin/keys/cloud"\n', '').replace('\tcloud.BuiltIn(),\n', '');
const goMod = 'module example.dev/tools\n\nrequire example.dev/server v1.2.3\n';
const plugins = { module: 'example.dev/server', lists: 'catalog' };

let original: string;

beforeAll(async () => {
  original = await mkdtemp(join(tmpdir(), 'mesh-operator-module-'));
  await mkdir(join(original, 'catalog'));
  await writeFile(join(original, 'catalog', 'keys.go'), list);
  await writeFile(join(original, 'main.go'), 'package main\n', { mode: 0o444 });
});

afterAll(() => rm(original, { recursive: true }));

test('a list loses the import and the entry of a plugin, and of no other', () => {
  expect(withoutLines(list, ['cloud'])).toEqual({ text: shorter, found: ['cloud'] });
});

test.each([
  ['that is not in it', list, 'vault'],
  ['that it imports alone', list.replace('\tcloud.BuiltIn(),\n', ''), 'cloud'],
  ['that it calls by another name', list.replace('\tcloud.', '\tother.'), 'cloud'],
])('a list stays as it is for a plugin %s', (_case, text, name) => {
  expect(withoutLines(text, [name])).toEqual({ text, found: [] });
});

test('a build sees the module with shorter lists, all else as published, and leaves nothing behind', async () => {
  let seen: string | undefined;

  await withoutPlugins(
    { ...plugins, names: ['cloud'] },
    { original, goMod, goSum: 'sums' },
    async (modFile) => {
      const [, copy = ''] =
        /^replace example.dev\/server => (.+)$/m.exec(await readFile(modFile, 'utf8')) ?? [];
      seen = dirname(modFile);
      expect(await readFile(modFile, 'utf8')).toContain(goMod);
      expect(await readFile(join(seen, 'go.sum'), 'utf8')).toBe('sums');
      expect(await readFile(join(copy, 'catalog', 'keys.go'), 'utf8')).toBe(shorter);
      expect(await readFile(join(copy, 'main.go'), 'utf8')).toBe('package main\n');
    },
  );

  expect(await readFile(join(original, 'catalog', 'keys.go'), 'utf8')).toBe(list);
  await expect(readdir(seen ?? '')).rejects.toThrow('ENOENT');
});

test('a plugin that the module does not have any more ends the build before it begins', async () => {
  let isBuilt = false;

  const building = withoutPlugins(
    { ...plugins, names: ['cloud', 'gone'] },
    { original, goMod, goSum: '' },
    async () => {
      isBuilt = true;
    },
  );

  await expect(building).rejects.toThrow(/lists no plugin gone$/);
  expect(isBuilt).toBe(false);
});
