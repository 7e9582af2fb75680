const shortestPrefix = 4;

/**
 * The candidate that was probably meant by a mistyped word; undefined when none is near.
 * Spelling with `_`, `-` or other capitals counts as the same; then the fewest typing errors (at most one
 * in three letters), then a common beginning. Equal candidates are decided by the alphabet.
 */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  const plainWord = plain(word);
  const limit = Math.max(1, Math.floor(plainWord.length / 3));
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of [...candidates].sort()) {
    const distance = distanceOf(plainWord, plain(name), limit);
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

function distanceOf(word: string, name: string, limit: number): number {
  const isPrefix = word.length >= shortestPrefix && name.startsWith(word);
  if (Math.abs(word.length - name.length) > limit) return isPrefix ? limit : Infinity;
  return isPrefix ? Math.min(limit, typingErrors(word, name)) : typingErrors(word, name);
}

/** Letters added, left out, replaced, or swapped with their neighbour (optimal string alignment distance). */
function typingErrors(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, at(beforeLast, column - 2) + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
