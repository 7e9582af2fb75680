import { stripVTControlCharacters, styleText } from 'node:util';
import type { Terminal } from './terminal.ts';

/** What a colour says. */
const styles = {
  good: 'green',
  bad: 'red',
  doubtful: 'yellow',
  heading: 'bold',
  faint: 'dim',
} as const;
export type Style = keyof typeof styles;

/** Text of a style; as it is where the reader wants no colours. */
export type Paint = (style: Style, text: string) => string;

/** Colours for a terminal that shows them; for a file, a pipe, and with NO_COLOR (no-color.org) none. */
export function paintFor({ stdout }: Terminal): Paint {
  return (style, text) => styleText(styles[style], text, { stream: stdout });
}

/** Rows with their columns below each other, two spaces between; the last column is as long as it is. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
