import type { Command, Option } from 'commander';

/** A flag as a shell completes it. */
export interface VerbFlag {
  /** `-f` and `--filename`, as far as there are both. */
  readonly names: readonly string[];
  readonly description: string;
  /** What follows it; `none` for a switch. */
  readonly value: 'none' | 'file' | 'any' | readonly string[];
}

/** A verb, or a group of verbs, as a shell completes it. */
export interface Verb {
  /** `ca status`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  /** Names of the verbs of a group, and choices of the first argument. */
  readonly words: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly VerbFlag[];
}

/** Placeholders of flags that name a file. */
const fileValues = /<(file|path|place)>/;

/** The program and all of its verbs and groups. */
export function verbTree(program: Command): Verb[] {
  return verbsBelow(program, '');
}

function verbsBelow(command: Command, path: string): Verb[] {
  const [argument] = command.registeredArguments;
  const choices = (argument?.argChoices ?? []).map((name) => ({ name, description: '' }));
  const verb = {
    path,
    description: command.description(),
    words: [
      ...command.commands.map((child) => ({
        name: child.name(),
        description: firstPhrase(child.description()),
      })),
      ...choices,
    ],
    flags: command.options.map(flagOf),
  };
  return [verb, ...command.commands.flatMap((child) => verbsBelow(child, `${path} ${child.name()}`.trim()))];
}

function flagOf({ short, long, flags, description, required, argChoices }: Option): VerbFlag {
  const value = argChoices ?? (fileValues.test(flags) ? 'file' : 'any');
  return {
    names: [short, long].filter((name) => name !== undefined),
    description: firstPhrase(description),
    value: required ? value : 'none',
  };
}

/** What fits beside a word in a list. */
function firstPhrase(text: string): string {
  return text.split(/[:;]/, 1)[0] ?? '';
}
