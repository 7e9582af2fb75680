import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';
import { type Verb, type VerbFlag, verbTree } from './verb-tree.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const scripts: Readonly<Record<Shell, (program: string, verbs: readonly Verb[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `mesh-operator completion SHELL`: a script that teaches the shell all verbs and flags, on standard output. */
export function writeCompletion(shell: Shell, program: Command, terminal: Terminal): void {
  terminal.stdout.write(scripts[shell](program.name(), verbTree(program)));
}

/** Shared by bash and zsh: finds the verb among the words before the one that is completed. */
function verbCases(verbs: readonly Verb[]): string[] {
  const paths = verbs.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  return [`case "\${verb:+$verb }$word" in`, `  ${paths.join('|')}) verb="\${verb:+$verb }$word" ;;`, 'esac'];
}

function bashScript(program: string, verbs: readonly Verb[]): string {
  const name = functionName(program);
  return lines([
    `# eval "$(${program} completion bash)"`,
    `${name}() {`,
    `  local word verb="" words="" current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"`,
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    ...verbCases(verbs).map((line) => `    ${line}`),
    '  done',
    '  case "$verb $previous" in',
    ...valueCases(verbs).map(({ pattern, value }) => {
      const reply =
        value === 'file'
          ? '$(compgen -f -- "$current")'
          : `$(compgen -W ${quote(wordsOf(value))} -- "$current")`;
      return `    ${pattern}) COMPREPLY=(${reply}); return ;;`;
    }),
    '  esac',
    '  case "$verb" in',
    ...verbs.map(({ path, words, flags }) => {
      const all = [...words.map((word) => word.name), ...flags.flatMap(({ names }) => names), '--help'];
      return `    ${quote(path)}) words=${quote(all.join(' '))} ;;`;
    }),
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    `complete -o filenames -F ${name} ${program}`,
  ]);
}

function zshScript(program: string, verbs: readonly Verb[]): string {
  const name = functionName(program);
  return lines([
    `#compdef ${program}`,
    `# eval "$(${program} completion zsh)", or in a file _${program} of a folder of fpath`,
    `${name}() {`,
    `  local word verb="" previous="\${words[CURRENT-1]}"`,
    '  local -a candidates',
    `  for word in "\${(@)words[2,CURRENT-1]}"; do`,
    ...verbCases(verbs).map((line) => `    ${line}`),
    '  done',
    '  case "$verb $previous" in',
    ...valueCases(verbs).map(({ pattern, value }) => {
      const reply = value === 'file' ? '_files' : `compadd -- ${wordsOf(value)}`;
      return `    ${pattern}) ${reply}; return ;;`;
    }),
    '  esac',
    '  case "$verb" in',
    ...verbs.map((verb) => `    ${quote(verb.path)}) candidates=(${candidatesOf(verb).join(' ')}) ;;`),
    '  esac',
    `  _describe "\${verb:-verb}" candidates`,
    '}',
    `compdef ${name} ${program}`,
  ]);
}

/** `'name:what it does'` for each word and flag of a verb. */
function candidatesOf({ words, flags }: Verb): string[] {
  const all = [
    ...words.map(({ name, description }) => ({ names: [name], description })),
    ...flags,
    { names: ['--help'], description: 'show what it takes' },
  ];
  return all.flatMap(({ names, description }) =>
    names.map((name) => quote(description === '' ? name : `${name}:${description}`)),
  );
}

function fishScript(program: string, verbs: readonly Verb[]): string {
  const name = `_${functionName(program)}_verb`;
  const paths = verbs.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  return lines([
    `# ${program} completion fish | source`,
    `function ${name}`,
    "  set -l verb ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l longer (string trim -- "$verb $word")',
    `    if contains -- "$longer" ${paths.join(' ')}`,
    '      set verb $longer',
    '    end',
    '  end',
    '  echo $verb',
    'end',
    `complete -c ${program} -f`,
    ...verbs.flatMap((verb) => {
      const when = `complete -c ${program} -n ${quote(`test "$(${name})" = "${verb.path}"`)}`;
      return [
        ...verb.words.map((word) => `${when} -a ${quote(word.name)} -d ${quote(word.description)}`),
        ...verb.flags.map((flag) => `${when} ${fishFlag(flag)}`),
      ];
    }),
  ]);
}

function fishFlag({ names, description, value }: VerbFlag): string {
  const spelled = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const takes =
    value === 'none'
      ? ''
      : value === 'file'
        ? ' -r -F'
        : value === 'any'
          ? ' -x'
          : ` -x -a ${quote(wordsOf(value))}`;
  return `${spelled.join(' ')}${takes} -d ${quote(description)}`;
}

interface ValueCase {
  /** Verb and flag, of all flags that take the same. */
  readonly pattern: string;
  /** Empty where nobody knows what follows: then nothing is offered. */
  readonly value: 'file' | readonly string[];
}

/** What follows flags that take a value. */
function valueCases(verbs: readonly Verb[]): ValueCase[] {
  const cases = new Map<string, { readonly patterns: string[]; readonly value: ValueCase['value'] }>();
  for (const { path, flags } of verbs) {
    for (const { names, value } of flags) {
      if (value === 'none') continue;
      const entry = cases.get(String(value)) ?? { patterns: [], value: value === 'any' ? [] : value };
      entry.patterns.push(...names.map((name) => quote(`${path} ${name}`)));
      cases.set(String(value), entry);
    }
  }
  return [...cases.values()].map(({ patterns, value }) => ({ pattern: patterns.join('|'), value }));
}

function wordsOf(value: readonly string[]): string {
  return value.join(' ');
}

function functionName(program: string): string {
  return `_${program.replaceAll('-', '_')}`;
}

/** One word for a shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
