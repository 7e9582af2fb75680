import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { debianBaseLayer } from './debian-base.ts';
import { copiedFile, type LayerEntry } from './layer.ts';
import type { ImageConfig, ImageDefinition } from './oci-archive.ts';

const repository = path.resolve(import.meta.dirname, '../../..');

/** What the operator's image has beyond its base: from where in the repository, to where in the image. `*.js` are all of a folder. */
export interface OperatorFile {
  readonly source: string;
  readonly target: string;
  readonly mode: number;
}

/** The files of the operator's image; the Dockerfile has the same, which a test compares. */
export const operatorFiles: readonly OperatorFile[] = [
  { source: 'node_modules/node/bin/node', target: '/usr/local/bin/node', mode: 0o755 },
  { source: 'package.json', target: '/app/package.json', mode: 0o644 },
  { source: 'dist/*.js', target: '/app/*.js', mode: 0o644 },
];

/** How the operator's image is started; the Dockerfile says the same, which a test compares. */
export const operatorConfig: ImageConfig = {
  user: '65532:65532',
  entrypoint: ['/usr/local/bin/node', '--optimize-for-size', '/app/mesh-operator.js'],
  env: {
    NODE_ENV: 'production',
    NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=256',
    MALLOC_ARENA_MAX: '1',
  },
  workingDir: '/app',
  labels: {
    'org.opencontainers.image.title': 'mesh-operator',
  },
};

/** The operator itself, without docker or a registry. `make build` must have written `dist`. */
export async function meshOperatorImage(): Promise<ImageDefinition> {
  // Layers of their own: Node seldom changes, the bundle often.
  const layers = await Promise.all(operatorFiles.map(entriesOf));
  return {
    reference: `ghcr.io/mesh-operator/mesh-operator:${await packageVersion()}`,
    layers: [await debianBaseLayer(), ...layers],
    config: operatorConfig,
  };
}

async function entriesOf({ source, target, mode }: OperatorFile): Promise<LayerEntry[]> {
  const found: string[] = [];
  for await (const file of glob(source, { cwd: repository })) found.push(file);
  if (found.length === 0) throw new Error(`there is no ${source}: run "make build" first`);
  return found.map((file) =>
    copiedFile(
      path.posix.join(path.posix.dirname(target), path.basename(file)),
      path.join(repository, file),
      mode,
    ),
  );
}

async function packageVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error('package.json has no version');
}
