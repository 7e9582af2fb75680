import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { waitUntil } from '../cluster/wait-until.ts';

/** One line of the operator's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface OperatorOptions {
  readonly kubeconfig: string;
  /** Of the Lease. */
  readonly namespace: string;
  /** Further flags of `mesh-operator run`. */
  readonly flags?: readonly string[];
}

const bundle = resolve(import.meta.dirname, '../../dist/mesh-operator.js');

/** The real operator as a child process: the bundle that `make build` writes. The kernel ends it when the tests end. */
export class RunningOperator {
  /** Everything it has logged so far, oldest first. */
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  #hasEnded = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((done) => {
      child.once('close', (code, signal) => {
        this.#hasEnded = true;
        done(signal ?? code);
      });
    });
  }

  /** Starts it and returns at once. */
  static start({ kubeconfig, namespace, flags = [] }: OperatorOptions): RunningOperator {
    const command = [
      ...['--pdeathsig', 'KILL', '--', process.execPath, bundle, 'run'],
      ...['--kubeconfig', kubeconfig, '--namespace', namespace, '--log-level', 'debug'],
      ...['--metrics-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0', ...flags],
    ];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    const operator = new RunningOperator(child);
    createInterface(child.stderr).on('line', (line) => operator.log.push(parseLine(line)));
    return operator;
  }

  get isRunning(): boolean {
    return !this.#hasEnded;
  }

  /** Lines whose message is this one and whose fields are as given. */
  logged(message: string, fields: Readonly<Record<string, unknown>> = {}): LogLine[] {
    return this.log.filter(
      (line) =>
        line.message === message && Object.entries(fields).every(([name, value]) => line[name] === value),
    );
  }

  /** Returns once such a line is there for the `times`-th time. */
  async untilLogged(
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
    { times = 1 } = {},
  ): Promise<void> {
    const what = `the operator logs "${message}" ${JSON.stringify(fields)} (${times} times)`;
    await waitUntil({ what, intervalMs: 20, explain: async () => this.tail() }, async () => {
      if (this.#hasEnded) throw new Error(`it has ended: ${await this.ended}`);
      return this.logged(message, fields).length >= times;
    });
  }

  /** Returns once it has filled its caches, leads and works. */
  async untilLeading(): Promise<void> {
    await this.untilLogged('Controllers run');
  }

  /** Sends a signal and returns how the process ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    this.#child.kill(signal);
    return this.ended;
  }

  /** The last lines of the log, for the message of a failure. */
  tail(lines = 15): string {
    return this.log
      .slice(-lines)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 'error', message: line }; // what Node itself prints when a process dies
  }
}
