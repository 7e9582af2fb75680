import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cpuSeconds } from './cpu-time.ts';
import { startImageProcess } from './image-process.ts';
import { memoryMb } from './process-memory.ts';

export interface BenchOperatorOptions {
  /** The bundle to run. */
  readonly bundle: string;
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly identity: string;
  /** `debug` names each pass, which costs time and memory. */
  readonly logLevel: 'info' | 'debug';
  /** Flags of Node beyond those of the image, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

/** One line of the operator's log. */
interface LogLine {
  readonly message: string;
  readonly level: string;
}

/** The operator as a child process, started as its image starts it. It ends with this process. */
export class BenchOperator {
  readonly #child: ChildProcess;
  readonly #startedAtMs = performance.now();
  readonly #seenAtMs = new Map<string, number>();
  readonly #waiters = new Map<string, PromiseWithResolvers<number>>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #tail: string[] = [];

  constructor(options: BenchOperatorOptions) {
    this.#child = startImageProcess({
      bundle: options.bundle,
      nodeFlags: options.nodeFlags,
      args: [
        'run',
        ...['--kubeconfig', options.kubeconfig, '--namespace', options.namespace],
        ...['--identity', options.identity, '--log-level', options.logLevel],
        ...['--metrics-bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'],
      ],
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#child.once('error', (error) => this.#end(error));
    this.#child.once('exit', (code) => this.#end(new Error(`the operator ended with code ${code}`)));
    if (this.#child.stderr !== null) {
      createInterface(this.#child.stderr).on('line', (line) => this.#onLine(line));
    }
  }

  /** Instant (`performance.now()`) of the first line with this message since the start, or since `forget`. */
  seen(message: string): Promise<number> {
    const at = this.#seenAtMs.get(message);
    if (at !== undefined) return Promise.resolve(at);
    const waiter = this.#waiters.get(message) ?? Promise.withResolvers<number>();
    this.#waiters.set(message, waiter);
    return waiter.promise;
  }

  /** Makes `seen` wait for the next line with this message. */
  forget(message: string): void {
    this.#seenAtMs.delete(message);
  }

  /** Milliseconds from the start of the process to the first line with this message. */
  async msUntil(message: string): Promise<number> {
    return (await this.seen(message)) - this.#startedAtMs;
  }

  /** The most memory the process has held so far (`VmHWM`), in MB. */
  async peakMemoryMb(): Promise<number> {
    return memoryMb(this.#child.pid ?? 0, 'VmHWM');
  }

  /** The memory the process holds now (`VmRSS`), in MB. */
  async memoryMb(): Promise<number> {
    return memoryMb(this.#child.pid ?? 0, 'VmRSS');
  }

  /** Seconds of processor time that the process has used. */
  async cpuSeconds(): Promise<number> {
    return cpuSeconds(this.#child.pid ?? 0);
  }

  /** Sends SIGTERM without waiting for the end. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ends the process in an orderly way and waits for it. */
  async stop(): Promise<void> {
    this.terminate();
    await this.#ended.promise;
  }

  #onLine(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > 20) this.#tail.shift();
    const { message } = parseLine(line);
    if (this.#seenAtMs.has(message)) return;
    const at = performance.now();
    this.#seenAtMs.set(message, at);
    this.#waiters.get(message)?.resolve(at);
    this.#waiters.delete(message);
  }

  #end(reason: Error): void {
    this.#ended.resolve();
    const error = new Error(`${reason.message}; its last lines:\n${this.#tail.join('\n')}`);
    for (const waiter of this.#waiters.values()) waiter.reject(error);
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { message: line, level: 'error' }; // not from the logger: Node's own words at a crash
  }
}
