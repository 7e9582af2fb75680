import { createInterface } from 'node:readline';
import type { Terminal } from './terminal.ts';

/** Asks on standard error, and is true when the answer on standard input is exactly `word`. */
export async function confirm(word: string, { stdin, stderr }: Terminal): Promise<boolean> {
  stderr.write(`Type ${word} to go on: `);
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return line.trim() === word;
    return false;
  } finally {
    lines.close();
  }
}
