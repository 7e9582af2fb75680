/** What a JSON text may hold before it is parsed. */
export interface JsonBounds {
  readonly depth: number;
  /** Objects, lists and the commas between their items. */
  readonly parts: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const [openBracket, closeBracket] = [0x5b, 0x5d];
const [openBrace, closeBrace] = [0x7b, 0x7d];

/**
 * What is too much about a JSON text, as the end of a sentence; undefined when it is within its bounds. A few
 * megabytes of brackets become hundreds of megabytes of objects, so this is asked before anything parses them.
 * One walk over the bytes; says nothing about whether the text is JSON.
 */
export function excessOf(json: Uint8Array, { depth, parts }: JsonBounds): string | undefined {
  let level = 0;
  let count = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === quote) at = endOfString(json, at);
    else if (byte === openBrace || byte === openBracket) {
      level += 1;
      count += 1;
      if (level > depth) return `is nested deeper than ${depth} levels`;
    } else if (byte === closeBrace || byte === closeBracket) level -= 1;
    else if (byte === comma) count += 1;
    if (count > parts) return `has more than ${parts} parts`;
  }
  return undefined;
}

/** The place of the quote that ends the string which begins at `start`; the end of the text when none does. */
function endOfString(json: Uint8Array, start: number): number {
  let end = json.indexOf(quote, start + 1);
  while (end !== -1 && isEscaped(json, end, start)) end = json.indexOf(quote, end + 1);
  return end === -1 ? json.length : end;
}

function isEscaped(json: Uint8Array, at: number, start: number): boolean {
  let backslashes = 0;
  while (at - 1 - backslashes > start && json[at - 1 - backslashes] === backslash) backslashes += 1;
  return backslashes % 2 === 1;
}
