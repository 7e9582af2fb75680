/** What one character of a pattern matches: itself, or any one. */
type Character = string | undefined;

/** What `[:text]` in the path of a patch matches: pieces that follow each other with anything between. */
export interface LeafPattern {
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly pieces: readonly (readonly Character[])[];
}

/** A pattern that is not understood, as the end of a sentence. */
export interface BadPattern {
  readonly problem: string;
}

/**
 * Reads a pattern as Istio does, whose patterns are regular expressions that match anywhere in a text: characters that stand
 * for themselves, `.` for any, `.*` and `.+` for any number, `^` and `$`. Other operators are refused: none is needed to
 * name an argument, and some take for ever.
 */
export function parseLeafPattern(text: string): LeafPattern | BadPattern {
  const atStart = text.startsWith('^');
  const atEnd = text.endsWith('$') && !text.endsWith('\\$');
  const body = text.slice(atStart ? 1 : 0, atEnd ? -1 : undefined);
  const pieces: Character[][] = [[]];
  for (let at = 0; at < body.length; at++) {
    const character = body.charAt(at);
    const next = body.charAt(at + 1);
    if (character === '.' && (next === '*' || next === '+')) {
      if (next === '+') pieces.at(-1)?.push(undefined);
      pieces.push([]);
      at++;
    } else if (character === '.') {
      pieces.at(-1)?.push(undefined);
    } else if (character === '\\') {
      if (!/^[^A-Za-z0-9\s]$/.test(next)) return { problem: `has \\${next}, which is no escaped character` };
      pieces.at(-1)?.push(next);
      at++;
    } else if ('*+?()[]{}|^$'.includes(character)) {
      return {
        problem: `has ${character} of regular expressions, of which only . .* .+ ^ $ are understood: write \\${character}, or an index`,
      };
    } else pieces.at(-1)?.push(character);
  }
  return { atStart, atEnd, pieces };
}

/** Whether a text has the pattern in it. Takes time by the product of both lengths, and never more. */
export function matchesLeafPattern({ atStart, atEnd, pieces }: LeafPattern, text: string): boolean {
  let from = 0;
  for (const [index, piece] of pieces.entries()) {
    const isFirst = index === 0 && atStart;
    const isLast = index === pieces.length - 1 && atEnd;
    const end = text.length - piece.length;
    const at = isLast ? end : findPiece(piece, text, from, isFirst ? from : end);
    if (at === undefined || at < from || (isFirst && at !== from) || !isAt(piece, text, at)) return false;
    from = at + piece.length;
  }
  return true;
}

function findPiece(piece: readonly Character[], text: string, from: number, to: number): number | undefined {
  for (let at = from; at <= to; at++) if (isAt(piece, text, at)) return at;
  return undefined;
}

function isAt(piece: readonly Character[], text: string, at: number): boolean {
  if (at + piece.length > text.length) return false;
  return piece.every((character, offset) => character === undefined || character === text[at + offset]);
}
