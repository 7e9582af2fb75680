/**
 * Bundles the operator into one file, `dist/mesh-operator.js`, which is all that the image and `npx mesh-operator` need
 * beside Node. Templates and Istio's CRDs are inside (generated/).
 */
import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/mesh-operator.js',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: true,
  legalComments: 'none',
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
await chmod('dist/mesh-operator.js', 0o755);
