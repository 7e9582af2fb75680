/**
 * Bundles the operator into `dist/*.js`, which is all that the image and `npx mesh-operator` need beside Node. Templates and
 * Istio's CRDs are inside (generated/). `mesh-operator.js` is what is started; the rest are parts that verbs have in common
 * or alone, so that none waits for what another needs.
 */
import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Keeps the 16 MB of generated API models of the Kubernetes client out of the bundle: we use its KubeConfig and its way to
 * run commands in containers, and write requests ourselves. Its files are declared free of side effects, which they are (they define classes), and the base
 * class of the process, whose API methods we override, gets stand-ins for the two names that it uses.
 */
const slimKubernetesClient: Plugin = {
  name: 'slim-kubernetes-client',
  setup({ onResolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ importer, kind }) => {
      if (kind === 'require-call' && importer.includes('@dot-i/k8s-operator')) {
        return { path: resolve(root, 'scripts/build/client-node-for-base-class.ts') };
      }
      return {
        path: resolve(root, 'scripts/build/client-node-for-us.ts'),
        sideEffects: false,
      };
    });
    // The HTTP client of the same overridden methods.
    onResolve({ filter: /^gaxios$/ }, () => ({
      path: resolve(root, 'scripts/build/gaxios-for-base-class.ts'),
    }));
    onResolve({ filter: /^\./ }, ({ path, importer, resolveDir }) =>
      importer.includes('/@kubernetes/client-node/dist/') && path.endsWith('.js')
        ? { path: resolve(resolveDir, path), sideEffects: false }
        : undefined,
    );
  },
};

/**
 * Istio's CRDs as text that is parsed when the program starts: as a literal, half a megabyte of it would be kept as
 * source, as a syntax tree and as objects.
 */
const largeJsonAsText: Plugin = {
  name: 'large-json-as-text',
  setup({ onLoad }) {
    onLoad({ filter: /\/generated\/istio-crds\.json$/ }, async ({ path }) => {
      const json = JSON.stringify(JSON.parse(await readFile(path, 'utf8')));
      return { contents: `export default JSON.parse(${JSON.stringify(json)});`, loader: 'js' };
    });
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outdir: 'dist',
  entryNames: 'mesh-operator',
  chunkNames: 'part-[hash]',
  splitting: true,
  metafile: true,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: true,
  legalComments: 'none',
  // Names stay, so that stack traces can be read; the text is kept in memory while the program runs.
  minifyWhitespace: true,
  minifySyntax: true,
  plugins: [slimKubernetesClient, largeJsonAsText],
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
await chmod(resolve(root, 'dist/mesh-operator.js'), 0o755);

const written = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
const leftOvers = (await readdir(resolve(root, 'dist'))).filter((name) => !written.has(name));
for (const name of leftOvers) await rm(resolve(root, 'dist', name));
