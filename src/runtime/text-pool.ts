/** Keeps one copy of equal texts for as long as somebody holds it. */
export class TextPool {
  readonly #texts = new Map<string, { readonly text: string; holders: number }>();

  /** The shared copy of `text`; each call needs a `release` in the end. */
  hold(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) {
      this.#texts.set(text, { text, holders: 1 });
      return text;
    }
    known.holders += 1;
    return known.text;
  }

  release(text: string): void {
    const known = this.#texts.get(text);
    if (known === undefined) return;
    known.holders -= 1;
    if (known.holders === 0) this.#texts.delete(text);
  }

  /** Different texts held. */
  get size(): number {
    return this.#texts.size;
  }
}
