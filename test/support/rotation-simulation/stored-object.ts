/** One version of an object. */
export interface Version<T> {
  readonly version: number;
  readonly atMs: number;
  readonly value: T;
}

/** An object of the API server, with its past: whoever watches it sees it a little late. */
export class StoredObject<T> {
  readonly #versions: [Version<T>, ...Version<T>[]];
  readonly #handlers: ((value: T, before: T) => void)[] = [];

  constructor(value: T, atMs: number) {
    this.#versions = [{ version: 1, atMs, value }];
  }

  get latest(): Version<T> {
    return this.#versions.at(-1) ?? this.#versions[0];
  }

  /** Calls back after each write. */
  whenWritten(handle: (value: T, before: T) => void): void {
    this.#handlers.push(handle);
  }

  /** What a watch had brought at an instant. */
  seenAt(ms: number): Version<T> {
    return this.#versions.findLast(({ atMs }) => atMs <= ms) ?? this.#versions[0];
  }

  /** Writes over whatever is there, or over one version only: undefined when that is not the latest any more. */
  write(value: T, atMs: number, expected = this.latest.version): Version<T> | undefined {
    if (expected !== this.latest.version) return undefined;
    const before = this.latest.value;
    const written = { version: expected + 1, atMs, value };
    this.#versions.push(written);
    if (this.#versions.length > 32) this.#versions.shift();
    for (const handle of this.#handlers) handle(value, before);
    return written;
  }
}
