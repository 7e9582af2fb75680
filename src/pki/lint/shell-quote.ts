/** A word as a POSIX shell takes it, whatever is in it. */
export function shellQuote(word: string): string {
  return /^[\w./][\w./-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
