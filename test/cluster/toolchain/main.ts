/**
 * Makes the real programs of local clusters available and prints where they are.
 *
 *   node test/cluster/toolchain/main.ts                    every program, the Debian packages they need, Istio's sources
 *   node test/cluster/toolchain/main.ts helm kube-apiserver
 */
import { istioVersions } from '../../../src/api/versions.ts';
import { ensureDebianPackages, findMissingPackages } from './debian-packages.ts';
import { ensureIstioSource } from './istio-source.ts';
import { printProgress } from './progress.ts';
import { ensureTools, isToolName, toolNames } from './tools.ts';

const packageSets = ['python', 'compiler', 'cluster', 'node', 'argo-cd'] as const;
const words = process.argv.slice(2);
const unknown = words.filter((word) => !isToolName(word));
if (unknown.length > 0) {
  process.stderr.write(`Unknown program: ${unknown.join(', ')}. Known: ${toolNames.join(', ')}\n`);
  process.exit(2);
}
try {
  if (process.getuid?.() === 0) await ensureDebianPackages(packageSets);
  else await reportMissing();
  const paths = await ensureTools(words.length === 0 ? toolNames : words.filter(isToolName), printProgress);
  for (const [name, path] of Object.entries(paths)) process.stdout.write(`${name} ${path}\n`);
  if (words.length === 0)
    for (const { minor } of istioVersions) await ensureIstioSource(minor, 'istio.io/istio');
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Without root what is there must do; what lacks a package for it says so when it is asked for. */
async function reportMissing(): Promise<void> {
  const missing = await findMissingPackages(packageSets);
  if (missing.length > 0) printProgress(`Not root, so not installed: ${missing.join(', ')}`);
}
