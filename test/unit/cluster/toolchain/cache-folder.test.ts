import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheKey, cacheRoot, ensureCached } from '../../../cluster/toolchain/cache-folder.ts';

beforeEach(async () => {
  vi.stubEnv('XDG_CACHE_HOME', await mkdtemp(join(tmpdir(), 'mesh-operator-cache-')));
});

afterEach(async () => {
  await rm(join(cacheRoot(), '..'), { recursive: true });
  vi.unstubAllEnvs();
});

const fill = (text: string) => (folder: string) => writeFile(join(folder, 'file'), text);
const never = () => Promise.reject(new Error('filled a second time'));

test('fills a folder once and then returns it', async () => {
  const first = await ensureCached('thing', 'key', fill('content'));

  const second = await ensureCached('thing', 'key', never);

  expect(second).toBe(first);
  expect(await readFile(join(second, 'file'), 'utf8')).toBe('content');
});

test('another key gets a folder of its own', async () => {
  const one = await ensureCached('thing', 'one', fill('1'));

  const two = await ensureCached('thing', 'two', fill('2'));

  expect(two).not.toBe(one);
  expect(await readFile(join(one, 'file'), 'utf8')).toBe('1');
});

test('a fill that fails leaves nothing, and the next one may succeed', async () => {
  const failing = ensureCached('thing', 'key', async (folder) => {
    await fill('half')(folder);
    throw new Error('no disk');
  });
  await expect(failing).rejects.toThrow('no disk');
  expect(await readdir(cacheRoot())).toEqual([]);

  const folder = await ensureCached('thing', 'key', fill('whole'));

  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('whole');
});

test('nothing of a folder can be seen before it is complete', async () => {
  await ensureCached('thing', 'key', async (folder) => {
    await fill('content')(folder);
    expect(existsSync(join(cacheRoot(), 'thing-key'))).toBe(false);
  });

  expect(existsSync(join(cacheRoot(), 'thing-key'))).toBe(true);
});

test('two keys are equal only when their parts are', () => {
  expect(cacheKey('ab', 'c')).toBe(cacheKey('ab', 'c'));
  expect(cacheKey('ab', 'c')).not.toBe(cacheKey('a', 'bc'));
  expect(cacheKey('ab')).not.toBe(cacheKey('ab', ''));
});
