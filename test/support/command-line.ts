import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** How one call of the command line ended. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const bundle = resolve(import.meta.dirname, '../../dist/mesh-operator.js');

/** Runs the bundle that `make build` writes, as `npx mesh-operator` does, with this text on its standard input. */
export async function meshOperator(args: readonly string[], input = ''): Promise<CommandOutcome> {
  const child = spawn(process.execPath, [bundle, ...args], { stdio: 'pipe' });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
  // One that fails early does not read its input; how it ended tells more than the broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await outputs;
  return { code: await ended, stdout, stderr };
}
