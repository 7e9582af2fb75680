import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { operatorSettings, readOperatorConfig } from '../config/operator-config.ts';
import type { FlagValues } from '../config/setting.ts';
import { render } from './render.ts';
import { run } from './run.ts';
import { type StatusOptions, status } from './status.ts';
import type { ExitCode, Terminal } from './terminal.ts';
import { validate } from './validate.ts';

const fileFlag = '-f, --filename <file>';
const fileHelp = 'YAML or JSON with one MeshOperator or several; - for standard input';

/** The command line; each verb hands its exit code to `exit`. */
export function createProgram(terminal: Terminal, exit: (code: ExitCode) => void): Command {
  const program = new Command('mesh-operator')
    .description('Installs and keeps service meshes described by MeshOperator resources')
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    });
  program
    .command('validate')
    .description('Check MeshOperators without a cluster: one line per problem, exit code 1 when there is any')
    .requiredOption(fileFlag, fileHelp)
    .action(async ({ filename }: { filename: string }) => exit(await validate(filename, terminal)));
  program
    .command('render')
    .description('Print the objects of MeshOperators in the order they are applied, without a cluster')
    .requiredOption(fileFlag, fileHelp)
    .action(async ({ filename }: { filename: string }) => exit(await render(filename, terminal)));
  program
    .command('status')
    .description('Show every mesh of a cluster with its conditions; exit code 1 when one is not Ready')
    .option('--kubeconfig <path>', 'kubeconfig to use')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'only the meshes of this namespace')
    .action(async (options: StatusOptions) => exit(await status(options, terminal)));
  addRun(program, async (flags) => exit(await run(readOperatorConfig(flags), terminal)));
  return program;
}

function addRun(program: Command, action: (flags: FlagValues) => Promise<void>): void {
  const command = program.command('run').description('Run the controllers; what the chart deploys');
  for (const { flag, env, value, description, default: preset } of Object.values(operatorSettings)) {
    const usual = preset === undefined ? '' : `; default ${preset}`;
    command.option(`--${flag} <${value}>`, `${description} (${env}${usual})`);
  }
  command.action(async (options: FlagValues) => {
    const given = Object.entries(options).map(([name, text]) => [kebabCase(name), text]);
    await action(Object.fromEntries(given) as FlagValues);
  });
}

/** Commander hands `logLevel` for `--log-level`; settings go by the flag's own name. */
function kebabCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
