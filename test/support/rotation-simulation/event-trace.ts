/** The last things that happened, for whoever has to understand a case that failed. */
export class EventTrace {
  readonly #kept: { readonly atMs: number; readonly what: string }[] = [];
  readonly #most: number;

  constructor(most = 60) {
    this.#most = most;
  }

  note(atMs: number, what: string): void {
    this.#kept.push({ atMs, what });
    if (this.#kept.length > 2 * this.#most) this.#kept.splice(0, this.#most);
  }

  get text(): string {
    return this.#kept
      .slice(-this.#most)
      .map(({ atMs, what }) => `${new Date(atMs).toISOString()}  ${what}`)
      .join('\n');
  }
}
