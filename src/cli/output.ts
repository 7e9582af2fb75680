import { Option } from 'commander';
import { dump } from 'js-yaml';
import type { Terminal } from './terminal.ts';

/** What a verb prints: text for people, or one document for programs. */
export const outputFormats = ['text', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** `-o`, for every verb that prints something structured. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'text, json or yaml; default text')
    .choices(outputFormats)
    .default('text');
}

/** The value as one document on standard output. Fields that are undefined are left out. */
export function writeDocument(value: unknown, format: 'json' | 'yaml', terminal: Terminal): void {
  const json = JSON.stringify(value, null, 2);
  const text = format === 'json' ? json : dump(JSON.parse(json), { lineWidth: -1, noRefs: true });
  terminal.stdout.write(`${text.trimEnd()}\n`);
}
