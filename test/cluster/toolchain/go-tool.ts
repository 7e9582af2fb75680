import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheKey, ensureCached } from './cache-folder.ts';
import { ensureGo, type GoCompiler } from './go-compiler.ts';
import { goEnvironment, moduleFolder } from './go-module.ts';
import { type LeftOutPlugins, withoutPlugins } from './left-out-plugins.ts';
import { type Progress, withProgress } from './progress.ts';
import { run } from './run-command.ts';

/** A folder in tools/ that has a go.mod. */
type ToolModule =
  | ('kubernetes' | 'istio' | 'istio-losing-endpoints' | 'istioctl' | 'kwok' | 'coredns')
  | ('cert-manager' | 'spire' | 'argo-cd' | 'otel-collector')
  | ('prometheus-operator' | 'grafana');

/** One program that a go.mod of tools/ pins with its checksums. */
export interface GoTool {
  readonly name: string;
  /** Folder in tools/ whose go.mod pins it. */
  readonly module: ToolModule;
  readonly package: string;
  /** Files of the package that are in that folder, for a program that nobody publishes. */
  readonly ownFiles?: readonly string[];
  /** Values given to the linker with `-X`; a `{version of <module path>}` is read from the go.mod. */
  readonly stamps?: Readonly<Record<string, string>>;
  /** With C in it: built by cgo, and for this machine alone. */
  readonly isCgo?: boolean;
  /** Plugins that it is built without. */
  readonly without?: LeftOutPlugins;
  /** Files of a Go module that are kept beside the program, joined into one YAML file. */
  readonly yaml?: { readonly file: string; readonly module: string; readonly sources: readonly string[] };
  /** Scripts of a Go module that the program runs, kept beside it. */
  readonly scripts?: { readonly module: string; readonly sources: readonly string[] };
}

/** Folder of the go.mod files. */
export const toolsFolder = join(import.meta.dirname, '..', '..', '..', 'tools');

// Without cgo the programs are static: they run in an image that has nothing else.
const environment = { ...goEnvironment, CGO_ENABLED: '0' };
// What is in C is not optimized: for SQLite alone that takes a minute.
const cgoEnvironment = { ...environment, CGO_ENABLED: '1', CGO_CFLAGS: '-O0' };

/** Builds a tool once for each state of its go.mod, go.sum, Go version and flags; returns the program's path. */
export async function ensureGoTool(tool: GoTool, progress: Progress, label: string): Promise<string> {
  const source = join(toolsFolder, tool.module);
  const [goMod, goSum, go, ...ownTexts] = await Promise.all([
    readFile(join(source, 'go.mod'), 'utf8'),
    readFile(join(source, 'go.sum'), 'utf8'),
    sharedGo(progress),
    ...(tool.ownFiles ?? []).map((file) => readFile(join(source, file), 'utf8')),
  ]);
  const flags = buildFlags(tool, goMod);
  const key = cacheKey(
    goMod,
    goSum,
    go.version,
    process.arch,
    tool.package,
    JSON.stringify(tool.yaml ?? null),
    ...(tool.isCgo === true ? [JSON.stringify(cgoEnvironment)] : []),
    ...(tool.without === undefined ? [] : [JSON.stringify(tool.without)]),
    ...(tool.scripts === undefined ? [] : [JSON.stringify(tool.scripts)]),
    ...flags,
    ...ownTexts,
  );
  const folder = await ensureCached(tool.name, key, (target) =>
    withProgress(progress, `${label}: go build`, async () => {
      const env = tool.isCgo === true ? cgoEnvironment : environment;
      const build = (...more: readonly string[]) =>
        run(go.path, ['build', ...flags, ...more, '-o', join(target, tool.name), tool.package], {
          cwd: source,
          env,
        });
      const { without } = tool;
      if (without === undefined) await build();
      else {
        const original = await moduleFolder(go, source, without.module);
        await withoutPlugins(without, { original, goMod, goSum }, (modFile) => build(`-modfile=${modFile}`));
      }
      if (tool.yaml !== undefined) await collectYaml(go, source, tool.yaml, target);
      if (tool.scripts !== undefined) await copyScripts(go, source, tool.scripts, target);
    }),
  );
  return join(folder, tool.name);
}

function buildFlags(tool: GoTool, goMod: string): string[] {
  const stamps = Object.entries(tool.stamps ?? {}).map(
    ([name, value]) => `-X ${name}=${resolveStamp(value, goMod)}`,
  );
  return ['-trimpath', '-ldflags', ['-s -w', ...stamps].join(' ')];
}

function resolveStamp(value: string, goMod: string): string {
  return value.replace(/\{version of ([^}]+)\}/, (_whole, path: string) => moduleVersion(goMod, path));
}

/** The version that a go.mod requires of a module; throws when it does not. */
export function moduleVersion(goMod: string, path: string): string {
  for (const line of goMod.split('\n')) {
    const [first, second, third] = line.trim().split(/\s+/);
    if (first === path && second?.startsWith('v') === true) return second;
    if (first === 'require' && second === path && third !== undefined) return third;
  }
  throw new Error(`the go.mod does not require ${path}`);
}

async function collectYaml(
  go: GoCompiler,
  source: string,
  yaml: NonNullable<GoTool['yaml']>,
  target: string,
): Promise<void> {
  const folder = await moduleFolder(go, source, yaml.module);
  const documents = await Promise.all(yaml.sources.map((file) => readFile(join(folder, file), 'utf8')));
  await writeFile(join(target, yaml.file), documents.join('\n---\n'));
}

async function copyScripts(
  go: GoCompiler,
  source: string,
  { module, sources }: NonNullable<GoTool['scripts']>,
  target: string,
): Promise<void> {
  const folder = await moduleFolder(go, source, module);
  for (const file of sources) {
    const copy = join(target, basename(file));
    await copyFile(join(folder, file), copy);
    await chmod(copy, 0o755); // Go keeps no mode of a file
  }
}

let goOnce: Promise<GoCompiler> | undefined;

function sharedGo(progress: Progress): Promise<GoCompiler> {
  goOnce ??= ensureGo(progress);
  return goOnce;
}
