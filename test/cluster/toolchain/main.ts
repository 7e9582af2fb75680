/**
 * Makes the real programs of local clusters available and prints where they are.
 *
 *   node test/cluster/toolchain/main.ts                    every program, and the Debian packages they need
 *   node test/cluster/toolchain/main.ts helm kube-apiserver
 */
import { ensureDebianPackages } from './debian-packages.ts';
import { printProgress } from './progress.ts';
import { ensureTools, isToolName, toolNames } from './tools.ts';

const words = process.argv.slice(2);
const unknown = words.filter((word) => !isToolName(word));
if (unknown.length > 0) {
  process.stderr.write(`Unknown program: ${unknown.join(', ')}. Known: ${toolNames.join(', ')}\n`);
  process.exit(2);
}
try {
  await ensureDebianPackages(process.getuid?.() === 0 ? ['build', 'cluster', 'node'] : ['build', 'cluster']);
  const paths = await ensureTools(words.length === 0 ? toolNames : words.filter(isToolName), printProgress);
  for (const [name, path] of Object.entries(paths)) process.stdout.write(`${name} ${path}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
