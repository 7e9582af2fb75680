import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CancelTimer, Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../observability/logger.ts';

export interface WatchedFilesOptions<T> {
  /** For the log and for readiness: `certificate`. */
  readonly what: string;
  /** Files that belong together, read in this order. */
  readonly paths: readonly string[];
  /**
   * What the files mean; throws, with a message that holds none of their content, when it is not usable. While they
   * are being replaced it may get an old one and a new one: it must refuse those, and is asked again.
   */
  readonly parse: (texts: readonly string[]) => T;
  /** Called for each value that comes into use. */
  readonly onLoad?: (value: T) => void;
  /** Called when what is in the files cannot be used. */
  readonly onRefuse?: () => void;
  /** The files are looked at this often, whatever the kernel reports; default 10 s. */
  readonly checkIntervalMs?: number;
}

export interface WatchedFilesDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

const defaultCheckIntervalMs = 10_000;

/**
 * Keeps the value of some files up to date while a process runs. Made for ConfigMaps and Secrets as kubelet mounts
 * them: it swaps a symbolic link in their folder, so the folder is watched; file systems without notifications are
 * covered by a look every few seconds. What cannot be used changes nothing: the value before stays.
 */
export class WatchedFiles<T> {
  readonly #options: WatchedFilesOptions<T>;
  readonly #deps: WatchedFilesDeps;
  #watchers: FSWatcher[] = [];
  #current: T | undefined;
  #problem: string | undefined = 'not read yet';
  #tried: string | undefined;
  #checking: Promise<void> | undefined;
  #isStale = false;
  #cancelTimer: CancelTimer = () => {};
  #isStopped = false;

  constructor(options: WatchedFilesOptions<T>, deps: WatchedFilesDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The value in use; undefined until the files could be used once. */
  get current(): T | undefined {
    return this.#current;
  }

  /** Why what is in the files now is not in use; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads the files and goes on watching them. Resolves after the first try; files that are missing may come later. */
  async start(): Promise<void> {
    for (const folder of new Set(this.#options.paths.map((path) => dirname(path)))) this.#watch(folder);
    await this.check();
    this.#scheduleCheck();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  /** Reads the files now. Resolves when what they held at the call, or later, is in use or refused. */
  check(): Promise<void> {
    this.#isStale = true;
    this.#checking ??= this.#checkUntilFresh().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #checkUntilFresh(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await this.#load();
    }
  }

  async #load(): Promise<void> {
    let texts: string[];
    try {
      texts = await Promise.all(this.#options.paths.map((path) => readFile(path, 'utf8')));
    } catch (error) {
      this.#tried = undefined;
      this.#refuse(messageOf(error));
      return;
    }
    const content = JSON.stringify(texts);
    if (content === this.#tried) return;
    this.#tried = content;
    try {
      const value = this.#options.parse(texts);
      this.#options.onLoad?.(value);
      this.#current = value;
    } catch (error) {
      this.#refuse(messageOf(error));
      return;
    }
    this.#problem = undefined;
    this.#deps.log.info('Files loaded', { what: this.#options.what });
  }

  #refuse(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onRefuse?.();
    this.#deps.log.warn('Files not usable', {
      what: this.#options.what,
      problem,
      keepsEarlier: this.#current !== undefined,
    });
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => void this.check());
      // A folder that goes away: the regular look remains.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch (error) {
      this.#deps.log.warn('Folder not watched; it is looked at regularly', { folder, error });
    }
  }

  #scheduleCheck(): void {
    if (this.#isStopped) return;
    this.#cancelTimer = this.#deps.clock.setTimer(
      this.#options.checkIntervalMs ?? defaultCheckIntervalMs,
      () => void this.check().finally(() => this.#scheduleCheck()),
    );
  }
}
