import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureArchive } from '../../../cluster/images/image-cache.ts';
import { copiedFile, textFile } from '../../../cluster/images/layer.ts';
import type { ImageDefinition } from '../../../cluster/images/oci-archive.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'image-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe('ensureArchive', () => {
  it('writes an image once and finds it again', async () => {
    const definition = await anImage('content');
    const first = await ensureArchive('tool', definition);
    const { ino } = await stat(first.archive);

    const second = await ensureArchive('tool', definition);

    expect(second).toEqual(first);
    expect((await stat(second.archive)).ino).toBe(ino);
    expect(first.reference).toBe('example.org/tool:1');
    expect((await readFile(first.archive)).includes(first.digest)).toBe(true);
  });

  it('writes another archive when a file has changed, with another digest', async () => {
    const first = await ensureArchive('tool', await anImage('content'));

    const second = await ensureArchive('tool', await anImage('other content'));

    expect(second.archive).not.toBe(first.archive);
    expect(second.digest).not.toBe(first.digest);
  });

  it('gives the same digest for a file that was only written again, so that no import is needed', async () => {
    const first = await ensureArchive('tool', await anImage('content'));
    const definition = await anImage('content');
    await utimes(path.join(folder, 'program'), new Date(1_000), new Date(1_000));

    const second = await ensureArchive('tool', definition);

    expect(second.digest).toBe(first.digest);
  });

  it('writes an archive again that somebody has deleted', async () => {
    const definition = await anImage('content');
    const first = await ensureArchive('tool', definition);
    await rm(first.archive);

    const second = await ensureArchive('tool', definition);

    expect((await stat(second.archive)).size).toBeGreaterThan(0);
  });

  it('keeps the three archives of an image that were used last', async () => {
    const archives = [];
    for (let age = 5; age > 0; age -= 1) {
      const { archive } = await ensureArchive('tool', await anImage('x'.repeat(age)));
      await utimes(archive, new Date(10_000 - age), new Date(10_000 - age));
      archives.push(archive);
    }

    const kept = (await readdir(path.dirname(archives[0] ?? ''))).filter((name) => name.endsWith('.tar'));

    expect(kept.sort()).toEqual(
      archives
        .slice(-3)
        .map((file) => path.basename(file))
        .sort(),
    );
  });

  it('keeps every archive that was used in the last hour, since another process may be about to import it', async () => {
    const used = [];
    for (let size = 1; size <= 5; size += 1) {
      used.push((await ensureArchive('tool', await anImage('x'.repeat(size)))).archive);
    }

    for (const archive of used) expect((await stat(archive)).size).toBeGreaterThan(0);
  });

  it('leaves nothing half written behind when writing fails', async () => {
    const definition = await anImage('content');
    await ensureArchive('tool', definition);
    const twice = [textFile('/etc/a', 'x'), textFile('/etc/a', 'y')];
    const broken = { ...definition, layers: [...definition.layers, twice] };

    await expect(ensureArchive('tool', broken)).rejects.toThrow('named twice');

    const left = await readdir(path.join(folder, 'mesh-operator', 'images', 'tool'));
    expect(left.filter((name) => !/\.(tar|digest)$/.test(name))).toEqual([]);
  });
});

async function anImage(content: string): Promise<ImageDefinition> {
  const program = path.join(folder, 'program');
  await writeFile(program, content);
  return {
    reference: 'example.org/tool:1',
    layers: [[copiedFile('/bin/tool', program)]],
    config: { user: '1:1', entrypoint: ['/bin/tool'], env: {}, workingDir: '/', labels: {} },
  };
}
