import { readdirSync, readFileSync } from 'node:fs';
import { waitUntil } from './wait-until.ts';

/** A process, told from a later one with the same pid by the clock tick it was started at. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/**
 * The identity of a living process, undefined when there is none with this pid. A zombie counts as none, but only
 * when its other threads are gone too: until then its ports and files are in use.
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined || (stat.state === 'Z' && countThreads(pid) <= 1)
    ? undefined
    : { pid, startTicks: stat.startTicks };
}

/** True while exactly this process lives. */
export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTicks === process.startTicks;
}

/** All living descendants of a process, parents first; the process itself is not among them. */
export function descendantsOf(pid: number): number[] {
  const children = childrenOf(pid);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Direct children of a process's main thread. */
export function childrenOf(pid: number): number[] {
  const text = readProc(`${pid}/task/${pid}/children`);
  return text === undefined
    ? []
    : text
        .split(' ')
        .filter((word) => word !== '')
        .map(Number);
}

/** The command name the kernel keeps (at most 15 characters). */
export function commandName(pid: number): string | undefined {
  return readProc(`${pid}/comm`)?.trimEnd();
}

/** Arguments of a process, each ended by a zero byte; empty when it has ended. */
export function commandLine(pid: number): string {
  return readProc(`${pid}/cmdline`) ?? '';
}

/** Pids of this machine's processes. */
export function listProcesses(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Sends SIGKILL to those of the processes that still live, and returns when all of them are gone. */
export async function killAll(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const process of processes) if (isAlive(process)) signal(process.pid, 'SIGKILL');
  await waitUntil({ what: 'all killed processes are gone', intervalMs: 10 }, async () =>
    processes.every((process) => !isAlive(process)),
  );
}

/** Sends a signal; a process that has just ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readStat(pid: number): { readonly state: string; readonly startTicks: string } | undefined {
  const text = readProc(`${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // proc(5): field 3 is the first after the name
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

function countThreads(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0; // ended between two looks
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined; // ended between two looks
  }
}
