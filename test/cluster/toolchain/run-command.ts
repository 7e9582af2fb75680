import { spawn } from 'node:child_process';

/** How a command is run; everything is optional. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the command's standard input, which is closed afterwards. */
  readonly input?: string;
  /** The command is killed after this time; without it there is no limit. */
  readonly timeoutMs?: number;
}

/** A command that could not be started, ended with another code than 0, or took too long. */
export class CommandError extends Error {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    message: string,
    result: { readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string },
  ) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = result.exitCode;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

/** Runs one command to its end and returns its standard output; throws CommandError with the end of its standard error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.timeoutMs === undefined
        ? {}
        : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.stdin.on('error', () => {}); // a command may end without reading its input; its exit code tells the rest
    child.stdin.end(options.input ?? '');
    const shown = [command, ...args].join(' ');
    child.on('error', (error) =>
      reject(new CommandError(`${shown}: ${error.message}`, { exitCode: undefined, stdout, stderr })),
    );
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(stdout);
        return;
      }
      const how = code === null ? `was ended by ${signal}` : `exited with ${code}`;
      reject(
        new CommandError(`${shown} ${how}: ${tail(stderr === '' ? stdout : stderr)}`, {
          exitCode: code ?? undefined,
          stdout,
          stderr,
        }),
      );
    });
  });
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}
