import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ExitCode, Terminal } from '../../src/cli/terminal.ts';

/** What a verb of the command line did. */
export interface CliRun {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a verb with streams of its own; `stdin` is what it reads. */
export async function runCli(
  verb: (terminal: Terminal) => Promise<ExitCode>,
  stdin: string = '',
): Promise<CliRun> {
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  terminal.stdin.end(stdin);
  const [stdout, stderr] = [text(terminal.stdout), text(terminal.stderr)];
  try {
    const code = await verb(terminal);
    terminal.stdout.end();
    terminal.stderr.end();
    return { code, stdout: await stdout, stderr: await stderr };
  } finally {
    terminal.stdout.end();
    terminal.stderr.end();
  }
}
