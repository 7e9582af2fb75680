import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WatchedFiles } from '../../../src/servers/watched-files.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { MountedFolder } from '../../support/serving-files.ts';

let mount: MountedFolder;
let clock: FakeClock;
let open: WatchedFiles<number>[];

beforeEach(async () => {
  mount = await MountedFolder.create({ a: '1', b: '2' });
  clock = new FakeClock();
  open = [];
});

afterEach(async () => {
  for (const files of open) files.stop();
  await mount.remove();
});

/** The sum of the numbers in files `a` and `b`, which must not be 0. */
function sumIn(folder: string, onLoad: (sum: number) => void = () => {}) {
  const { log, lines } = recordingLog();
  const parse = (texts: readonly string[]) => {
    const sum = texts.reduce((total, text) => total + Number(text), 0);
    if (!(sum > 0)) throw new Error('the sum must be positive');
    return sum;
  };
  const paths = [join(folder, 'a'), join(folder, 'b')];
  const files = new WatchedFiles({ what: 'sum', paths, parse, onLoad }, { clock, log });
  open.push(files);
  return { files, lines };
}

describe('watched files', () => {
  test('are in use when they could be read at the start', async () => {
    const { files } = sumIn(mount.path);

    await files.start();

    expect(files.current).toBe(3);
    expect(files.problem).toBeUndefined();
  });

  test('may come later, and say until then what is missing', async () => {
    await mount.replace({ b: '2' });
    const { files } = sumIn(mount.path);
    await files.start();
    expect(files.current).toBeUndefined();
    expect(files.problem).toContain(join(mount.path, 'a'));

    await mount.replace({ a: '1', b: '2' });
    await files.check();

    expect(files.current).toBe(3);
  });

  test('stay in use when what replaces them cannot be used', async () => {
    const { files, lines } = sumIn(mount.path);
    await files.start();

    await mount.replace({ a: 'x', b: '2' });
    await files.check();
    await files.check();

    expect(files.current).toBe(3);
    expect(files.problem).toBe('the sum must be positive');
    const refusals = lines.filter(({ message }) => message === 'Files not usable');
    expect(refusals.at(-1)).toMatchObject({ what: 'sum', keepsEarlier: true });
  });

  test('are not loaded again while their content is the same', async () => {
    const loaded: number[] = [];
    const { files } = sumIn(mount.path, (sum) => loaded.push(sum));
    await files.start();

    await mount.replace({ a: '1', b: '2' });
    await files.check();

    expect(loaded).toEqual([3]);
  });

  test('are refused as a whole when whoever uses them cannot', async () => {
    const { files } = sumIn(mount.path, (sum) => {
      if (sum > 3) throw new Error('too much');
    });
    await files.start();

    await mount.replace({ a: '2', b: '2' });
    await files.check();

    expect(files.current).toBe(3);
    expect(files.problem).toBe('too much');
  });

  test('are found when a mount swaps the link to them, without waiting for the regular look', async () => {
    const { files } = sumIn(mount.path);
    await files.start();

    await mount.replace({ a: '3', b: '4' });

    // The clock stands still, so only the kernel's notice can bring it.
    await waitUntil({ what: 'the sum is 7', intervalMs: 5 }, async () => files.current === 7);
  });

  test('are looked at regularly where the kernel reports nothing', async () => {
    const late = join(mount.path, 'late');
    const { files } = sumIn(late);
    await files.start();
    await mkdir(late);
    await writeFile(join(late, 'b'), '2');
    await writeFile(join(late, 'a'), '1');

    await clock.advance(9_999);
    expect(files.current).toBeUndefined();
    await clock.advance(1);

    await waitUntil({ what: 'the sum is 3', intervalMs: 5 }, async () => files.current === 3);
  });

  test('are left alone after a stop', async () => {
    const { files } = sumIn(mount.path);
    await files.start();

    files.stop();

    expect(clock.pendingTimers).toBe(0);
  });
});
