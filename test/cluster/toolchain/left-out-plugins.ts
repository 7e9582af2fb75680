import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run-command.ts';

/** Plugins of a Go program that are left out of it, because what they stand on takes most of the time to compile. */
export interface LeftOutPlugins {
  /** The module of the program, as its go.mod names it. */
  readonly module: string;
  /** The folder of the module whose files list the plugins that are built in: an import and a `NAME.BuiltIn(),` each. */
  readonly lists: string;
  /** Names of their Go packages. */
  readonly names: readonly string[];
}

/** A module as it was published, and the go.mod and go.sum that pin it. */
export interface PinnedModule {
  readonly original: string;
  readonly goMod: string;
  readonly goSum: string;
}

/**
 * Runs a build with a go.mod that takes the module from a copy whose lists lack these plugins; everything else is as
 * published. Throws when a list does not have a plugin any more. The copy ends with the build.
 */
export async function withoutPlugins(
  { module, lists, names }: LeftOutPlugins,
  { original, goMod, goSum }: PinnedModule,
  build: (modFile: string) => Promise<unknown>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-go-'));
  const copy = join(folder, 'copy');
  const modFile = join(folder, 'go.mod');
  try {
    await run('cp', ['-r', '--no-preserve=mode', original, copy]); // Go keeps modules read-only
    await shorten(join(copy, lists), names);
    await writeFile(modFile, `${goMod}\nreplace ${module} => ${copy}\n`);
    await writeFile(join(folder, 'go.sum'), goSum);
    await build(modFile);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function shorten(folder: string, names: readonly string[]): Promise<void> {
  const missing = new Set(names);
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.go'))) {
    const path = join(folder, file);
    const { text, found } = withoutLines(await readFile(path, 'utf8'), names);
    for (const name of found) missing.delete(name);
    await writeFile(path, text);
  }
  if (missing.size > 0) throw new Error(`${folder} lists no plugin ${[...missing].join(', ')}`);
}

/** A list without its lines about these plugins, and those whose lines were both there. */
export function withoutLines(
  text: string,
  names: readonly string[],
): { readonly text: string; readonly found: readonly string[] } {
  let lines = text.split('\n');
  const found = names.filter((name) => {
    const rest = lines.filter((line) => !line.endsWith(`/${name}"`) && line.trim() !== `${name}.BuiltIn(),`);
    const isWhole = rest.length === lines.length - 2;
    if (isWhole) lines = rest;
    return isWhole;
  });
  return { text: lines.join('\n'), found };
}
