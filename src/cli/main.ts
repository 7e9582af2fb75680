import { enableCompileCache } from 'node:module';
import { CommanderError } from 'commander';
import { messageOf, TerminalError } from '../base/errors.ts';
import { createProgram } from './program.ts';
import { type ExitCode, exitCodes, type Terminal, UsageError } from './terminal.ts';

function exitCodeOf(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  terminal.stderr.write(`mesh-operator: ${messageOf(error)}\n`);
  return error instanceof UsageError || isBadSetting(error) ? exitCodes.usage : exitCodes.failed;
}

/** A flag or a variable of `run` that cannot be understood. */
function isBadSetting(error: unknown): boolean {
  return error instanceof TerminalError && error.reason === 'InvalidConfiguration';
}

// What a verb is loaded from is compiled once for all calls; what stays loads once.
if (!['run', 'injector'].includes(process.argv[2] ?? '')) enableCompileCache();

const terminal: Terminal = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr };
const program = createProgram(terminal, (code) => {
  process.exitCode = code;
});
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error, terminal);
}
// What it watches for one mesh alone, and in other clusters, would keep the process from ending.
if (process.argv[2] === 'run') process.exit();
