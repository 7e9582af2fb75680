import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { commandName, descendantsOf, identify, type ProcessIdentity, signal } from './process-identity.ts';
import { waitUntil } from './wait-until.ts';

/** A server of a cluster: started again whenever it ends, except while it is held. */
export interface SupervisedProcess {
  readonly name: string;
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** Shell lines that run before each start; their failure does not matter. */
  readonly prepare?: string;
}

/** Where and under whom a process is started. */
export interface SuperviseOptions {
  /** Logs go to `<rundir>/logs/<name>.log`. */
  readonly rundir: string;
  /** Put in front of the supervising shell, for example `nsenter` with its flags. */
  readonly prefix: readonly string[];
  /** Killed by the kernel when this process ends, however it ends. */
  readonly diesWithParent: boolean;
}

// $1 is the file that holds the process back, $2 what to do before a start; the server itself dies with this shell.
const supervisor = `
hold=$1; prepare=$2; shift 2
while :; do
  while [ -e "$hold" ]; do sleep 0.05; done
  eval "$prepare"
  setpriv --pdeathsig KILL -- "$@"
  sleep 0.1
done`;

/** Memory is there for a short life, and collecting garbage less often saves the API server a fifth of its processor time. */
const environment = ['env', 'GOGC=400'];

/** Starts the process under a small shell that starts it again; returns the identity of what must be killed to end both. */
export async function supervise(
  { name, program, args, prepare = '' }: SupervisedProcess,
  options: SuperviseOptions,
): Promise<ProcessIdentity> {
  await mkdir(join(options.rundir, 'logs'), { recursive: true });
  await rm(holdFile(options.rundir, name), { force: true });
  const command = [
    ...(options.diesWithParent ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []),
    ...options.prefix,
    ...environment,
    ...['sh', '-c', supervisor, name, holdFile(options.rundir, name), prepare, program, ...args],
  ];
  return startDetached(command, logFile(options.rundir, name));
}

/** Starts a command in a session of its own, with all output appended to a file. */
export async function startDetached(command: readonly string[], log: string): Promise<ProcessIdentity> {
  const [file, ...rest] = command;
  if (file === undefined) throw new Error('cannot start an empty command');
  const output = await open(log, 'a', 0o600);
  try {
    const child = spawn(file, rest, { cwd: '/', detached: true, stdio: ['ignore', output.fd, output.fd] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new Error(`${file} ended at once; its output is in ${log}`);
    return identity;
  } finally {
    await output.close();
  }
}

/** The pid of the server itself, seen from outside; undefined while it is held or between two starts. */
export function findServer(supervisorProcess: ProcessIdentity, program: string): number | undefined {
  const name = basename(program).slice(0, 15);
  return descendantsOf(supervisorProcess.pid).find((pid) => commandName(pid) === name);
}

/** Sends the signal to the server and returns when it is gone; it comes back by itself unless it is held. */
export async function endServer(
  supervisorProcess: ProcessIdentity,
  program: string,
  signalName: NodeJS.Signals,
): Promise<void> {
  const pid = findServer(supervisorProcess, program);
  const server = pid === undefined ? undefined : identify(pid);
  if (server === undefined) return;
  signal(server.pid, signalName);
  await waitUntil(
    { what: `${basename(program)} ended by ${signalName}`, intervalMs: 10 },
    async () => identify(server.pid)?.startTicks !== server.startTicks,
  );
}

/** Keeps the server from being started again, or lets it. */
export async function setHeld(rundir: string, name: string, held: boolean): Promise<void> {
  if (held) await writeFile(holdFile(rundir, name), '');
  else await rm(holdFile(rundir, name), { force: true });
}

/** The last lines of a server's log, for error messages. */
export async function logTail(rundir: string, name: string, lines = 12): Promise<string> {
  const file = logFile(rundir, name);
  if (!existsSync(file)) return `${file} does not exist`;
  const text = await readFile(file, 'utf8');
  return `end of ${file}:\n${text.trimEnd().split('\n').slice(-lines).join('\n')}`;
}

/** While this file exists the server is not started again. */
export function holdFile(rundir: string, name: string): string {
  return join(rundir, `hold-${name}`);
}

function logFile(rundir: string, name: string): string {
  return join(rundir, 'logs', `${name}.log`);
}
