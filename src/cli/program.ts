import { Argument, Command, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { injectorSettings, readInjectorConfig } from '../config/injector-config.ts';
import {
  defaultLeaseName,
  defaultOperatorImage,
  defaultRemovalDeadline,
  operatorSettings,
  readOperatorConfig,
} from '../config/operator-config.ts';
import type { FlagValues, Setting } from '../config/setting.ts';
import { chartNames, sourceNames } from '../convert/source-names.ts';
import { defaultAccessLifetime } from './access-lifetime.ts';
import type { AdoptOptions } from './adopt.ts';
import type { AnalyzeOptions } from './analyze.ts';
import type { BugReportOptions } from './bug-report.ts';
import type { CaLintOptions } from './ca-lint.ts';
import type { CaRotateOptions } from './ca-rotate.ts';
import type { CaMeshesOptions } from './ca-status.ts';
import { type Shell, shells, writeCompletion } from './completion.ts';
import type { ConvertOptions } from './convert.ts';
import type { DiffOptions } from './diff.ts';
import type { InjectOptions } from './inject.ts';
import { newestKubernetes } from './kubernetes-version.ts';
import { outputFormats, outputOption } from './output.ts';

import type { RemoteSecretCreateOptions } from './remote-secret-create.ts';
import type { RemoteSecretRevokeOptions } from './remote-secret-revoke.ts';
import type { RemoteSecretRotateOptions } from './remote-secret-rotate.ts';
import type { RenderOptions } from './render.ts';
import type { RollbackOptions } from './rollback.ts';
import { defaultScopeWindow, scopeUnits } from './sidecar-scope/scope-options.ts';
import type { SidecarScopeOptions } from './sidecar-scope.ts';
import type { StatusOptions } from './status.ts';
import type { TenancyProveOptions } from './tenancy-prove.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';
import type { UninstallOptions } from './uninstall.ts';
import type { ValidateOptions } from './validate.ts';

const fileFlag = '-f, --filename <file>';
const fileHelp = 'YAML or JSON with one MeshOperator or several; - for standard input';

const manifestHelp = 'YAML or JSON with any number of objects; - for standard input';
const pathHelp =
  'a folder with ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem or with tls.crt, tls.key, ca.crt, or a PEM file; several are compared as the clusters of one mesh; without a path, a cluster is looked at';
const namespaceFlag = '-n, --namespace <name>';
const namespaceHelp = 'only the meshes of this namespace';
const meshHelp = 'name of a MeshOperator; default all';
const kubernetesFlag = '--kubernetes-version <version>';
const kubernetesHelp = `version that decides about native sidecars; default ${newestKubernetes}`;

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
    .addOption(outputOption())
    .action(async (options: ValidateOptions) => {
      const { validate } = await import('./validate.ts');
      exit(await validate(options, terminal));
    });
  program
    .command('render')
    .description('Print the objects of MeshOperators in the order they are applied, without a cluster')
    .requiredOption(fileFlag, fileHelp)
    .option(kubernetesFlag, kubernetesHelp, newestKubernetes)
    .option(
      '--image <reference>',
      `the operator's own image, which injectors run; default ${defaultOperatorImage}`,
      defaultOperatorImage,
    )
    .addOption(
      new Option('-o, --output <format>', 'yaml, or json for one List; default yaml')
        .choices(['yaml', 'json'])
        .default('yaml'),
    )
    .action(async (options: RenderOptions) => {
      const { render } = await import('./render.ts');
      exit(await render(options, terminal));
    });
  addCluster(program.command('diff'))
    .description(
      'Show what the operator would create, change and prune in a cluster, and whose pods would restart, were MeshOperators applied; writes nothing; exit code 1 when there is a difference, 2 when that cannot be told',
    )
    .requiredOption(fileFlag, fileHelp)
    .option('--image <reference>', "the operator's own image; default that of the operator in the cluster")
    .addOption(outputOption())
    .action(async (options: DiffOptions) => {
      const { diff } = await import('./diff.ts');
      exit(await diff(options, terminal));
    });
  program
    .command('convert')
    .description(
      'Turn what other tools install Istio by into MeshOperators, without a cluster: IstioOperator, objects of the operators of Sail and Maistra, Helm values; each setting that they do not have is named on standard error, with exit code 1',
    )
    .requiredOption(fileFlag, manifestHelp)
    .addOption(
      new Option('--from <source>', 'what the file holds; default what its objects say').choices(sourceNames),
    )
    .addOption(
      new Option('--chart <name>', 'chart that Helm values are of; default the one they look like').choices(
        chartNames,
      ),
    )
    .option('--release <name>', 'release that Helm values of a gateway are of; default istio-ingressgateway')
    .option('--name <name>', 'name of the MeshOperator where the file has none; default mesh')
    .option(namespaceFlag, 'its namespace where the file has none; default istio-system')
    .action(async (options: ConvertOptions) => {
      const { convert } = await import('./convert.ts');
      exit(await convert(options, terminal));
    });
  addCluster(program.command('adopt'))
    .description(
      'Show what it takes to make an Istio that Helm or istioctl has installed a mesh of the operator, and do it with --yes: nothing is deleted and no pod made anew; exit code 1 when something stands against it',
    )
    .option(namespaceFlag, 'namespace of its control plane; default that of the only one there is')
    .option(
      '--revision <revision>',
      'its revision, default for the one without a name; default that of the only one there is',
    )
    .option(
      '-f, --filename <file>',
      'what was installed, as convert takes it, or the MeshOperator to adopt it by; - for standard input; default what Helm knows',
    )
    .option('--image <reference>', "the operator's own image; default that of the operator in the cluster")
    .option('-y, --yes', 'mark its objects and create the MeshOperator, unless something stands against it')
    .addOption(outputOption())
    .action(async (options: AdoptOptions) => {
      const { adopt } = await import('./adopt.ts');
      exit(await adopt(options, terminal));
    });
  program
    .command('inject')
    .description('Put sidecars into the pods of manifests, without a cluster')
    .requiredOption(fileFlag, manifestHelp)
    .option('--mesh <file>', 'the mesh: YAML or JSON with one MeshOperator')
    .option('--mesh-config <file>', "the mesh: Istio's MeshConfig, key mesh of its ConfigMap")
    .option('--values <file>', "the mesh: values of Istio's injector, key values of its ConfigMap")
    .option(
      '--namespace-labels <labels>',
      'labels of the namespace as key=value,key=value; default those of the Namespace in the file, else such that ask for this mesh',
    )
    .option(kubernetesFlag, kubernetesHelp, newestKubernetes)
    .option('--explain', 'print on standard error what decided about each pod')
    .action(async (options: InjectOptions) => {
      const { inject } = await import('./inject.ts');
      exit(await inject(options, terminal));
    });
  program
    .command('uninject')
    .description('Take out of the pods of manifests what an injection put in')
    .requiredOption(fileFlag, manifestHelp)
    .action(async ({ filename }: { filename: string }) => {
      const { uninject } = await import('./uninject.ts');
      exit(await uninject(filename, terminal));
    });
  addCluster(program.command('status'))
    .description(
      'Show the meshes of a cluster, each on one screen: state, versions, upgrade, gateways, injector, sidecars, certificates, and what to do where something is wrong; exit code 1 when one is not Ready',
    )
    .argument('[name]', meshHelp)
    .option(namespaceFlag, namespaceHelp)
    .option(
      '--remotes',
      'instead: the other clusters of each mesh, how each stands and how long its credential is valid; exit code 1 when one is not Ready',
    )
    .addOption(outputOption())
    .action(async (name: string | undefined, options: StatusOptions) => {
      const { status } = await import('./status.ts');
      exit(await status({ ...options, name }, terminal));
    });
  addClusters(program.command('analyze'))
    .description(
      'Look in a cluster, or in manifests, for what stands against an upgrade or has gone wrong with one, and for what is not alike in the clusters of a mesh; each finding with the fix; exit code 1 when there is an error',
    )
    .option(fileFlag, `${manifestHelp}; default the cluster`)
    .option(
      '--remotes',
      'also compare the cluster with the other ones of its meshes, by the Secrets of the meshes',
    )
    .option(
      '--sidecar-scope',
      'instead: Sidecar resources for the cluster by what its workloads have called, as a Prometheus knows; yaml prints them ready to apply',
    )
    .option(
      '--prometheus <address>',
      'with --sidecar-scope: the HTTP API of a Prometheus that scrapes the proxies, such as http://127.0.0.1:9090; required',
    )
    .option(
      '--window <duration>',
      `with --sidecar-scope: how far back calls count; default ${defaultScopeWindow}`,
      defaultScopeWindow,
    )
    .addOption(
      new Option(
        '--per <unit>',
        'with --sidecar-scope: a Sidecar for each namespace, or each workload; default namespace',
      )
        .choices(scopeUnits)
        .default('namespace'),
    )
    .option(namespaceFlag, 'with --sidecar-scope: only the workloads of this namespace')
    .addOption(outputOption())
    .action(
      async (
        options: AnalyzeOptions & Omit<SidecarScopeOptions, 'context'> & { readonly sidecarScope?: true },
      ) => {
        if (options.sidecarScope === true) {
          const { sidecarScope } = await import('./sidecar-scope.ts');
          exit(await sidecarScope({ ...options, context: options.context?.at(-1) }, terminal));
          return;
        }
        const { analyze } = await import('./analyze.ts');
        exit(await analyze(options, terminal));
      },
    );
  addCluster(program.command('rollback'))
    .description(
      'Return a mesh to a spec in which it was Ready: shows what changes and asks first; exit code 1 when nothing was done',
    )
    .argument('<name>', 'name of the MeshOperator')
    .requiredOption(namespaceFlag, 'namespace of the MeshOperator')
    .option('--to <generation>', 'one of status.history; default the last one with another spec')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, options: RollbackOptions) => {
      const { rollback } = await import('./rollback.ts');
      exit(await rollback(name, options, terminal));
    });
  addCluster(program.command('uninstall'))
    .description(
      'Delete a mesh: says what goes and asks first; exit code 1 when nothing was done, or no operator is at work to do it',
    )
    .argument('<name>', 'name of the MeshOperator')
    .requiredOption(namespaceFlag, 'namespace of the MeshOperator')
    .option('--wait', 'show how far the operator is, and return when the mesh is gone')
    .option(
      '--purge',
      "also remove Istio's CRDs, with all objects of these kinds, and the authority of the mesh, unless another mesh needs them",
    )
    .option(
      '--force',
      'where no operator is at work, remove everything from here, also what a mesh that is gone has left',
    )
    .option(
      '--deadline <duration>',
      `with --force: how long nothing may go before it goes on without what holds it; default ${defaultRemovalDeadline}`,
      defaultRemovalDeadline,
    )
    .option('-y, --yes', 'do not ask')
    .option(
      '--lease-name <name>',
      `name of the operator's Lease; default ${defaultLeaseName}`,
      defaultLeaseName,
    )
    .action(async (name: string, options: UninstallOptions) => {
      const { uninstall } = await import('./uninstall.ts');
      exit(await uninstall(name, options, terminal));
    });
  addCluster(program.command('bug-report'))
    .description(
      'Gather what helps to find a fault: meshes, their objects, Events, logs of the operator and of istiod, versions, proxies; without content of Secrets, keys or tokens',
    )
    .option(namespaceFlag, namespaceHelp)
    .option(
      '--output <place>',
      'a new folder, or a file that ends in .tar.gz; default such a file in the current folder, named after the time',
    )
    .action(async (options: BugReportOptions) => {
      const { bugReport } = await import('./bug-report.ts');
      exit(await bugReport(options, terminal));
    });
  const authorities = program.command('ca').description('Look after certificate authorities');
  addClusters(authorities.command('lint'))
    .description(
      'Check certificate authorities, in files or in clusters: what breaks a mesh, why, and how it is repaired; exit code 1 when there is an error',
    )
    .argument('[path...]', pathHelp)
    .option(namespaceFlag, 'only the authorities of this namespace')
    .addOption(outputOption())
    .action(async (paths: string[], options: CaLintOptions) => {
      const { caLint } = await import('./ca-lint.ts');
      exit(await caLint(paths, options, terminal));
    });
  addCluster(authorities.command('status'))
    .description(
      'Show the certificate authority of every mesh: certificates with their ends, the rotation under way, and the next ones; exit code 1 when one is not TrustHealthy',
    )
    .argument('[name]', meshHelp)
    .option(namespaceFlag, namespaceHelp)
    .addOption(outputOption())
    .action(async (name: string | undefined, options: CaMeshesOptions) => {
      const { caStatus } = await import('./ca-status.ts');
      exit(await caStatus({ ...options, name }, terminal));
    });
  addCluster(authorities.command('plan'))
    .description(
      'Show when the certificate authority of every mesh is replaced, which other clusters that waits for, and what stands against a rotation now; exit code 1 when something does',
    )
    .argument('[name]', meshHelp)
    .option(namespaceFlag, namespaceHelp)
    .addOption(outputOption())
    .action(async (name: string | undefined, options: CaMeshesOptions) => {
      const { caPlan } = await import('./ca-plan.ts');
      exit(await caPlan({ ...options, name }, terminal));
    });
  addCluster(authorities.command('rotate'))
    .description(
      'Ask the operator to replace the certificate authority of a mesh; give one of --root, --intermediate, --compromised and --recover',
    )
    .argument('<name>', 'name of the MeshOperator')
    .option('--root', 'the root, and the intermediate with it')
    .option('--intermediate', 'the intermediate alone')
    .option(
      '--compromised',
      'the root, since its key or that of the intermediate is in other hands: prints what that exposes, and does not soak',
    )
    .option('--recover', 'a root that has ended')
    .requiredOption(namespaceFlag, 'namespace of the MeshOperator')
    .option('--wait', 'print each phase, and return when the rotation has ended')
    .action(async (name: string, options: CaRotateOptions) => {
      const { caRotate } = await import('./ca-rotate.ts');
      exit(await caRotate(name, options, terminal));
    });
  const remotes = program
    .command('remote-secret')
    .description('Look after the ways into the other clusters of meshes');
  addOtherCluster(addCluster(remotes.command('create')))
    .description(
      'Let the operator into another cluster: makes a ServiceAccount there with the rights that it uses, and the Secret here that the mesh names; called again, it brings both up to date; exit code 1 when nothing was done',
    )
    .argument('<mesh>', 'name of the MeshOperator')
    .argument('<cluster>', 'name of the other cluster, its multiCluster.clusterName')
    .requiredOption(namespaceFlag, 'namespace of the MeshOperator, which it has in each cluster')
    .option(
      '--server <address>',
      'address of the other API server that pods of this cluster reach; default that of the kubeconfig',
    )
    .option(
      '--lifetime <duration>',
      `how long the token is valid that the operator gets in with, and renews; default ${defaultAccessLifetime}`,
      defaultAccessLifetime,
    )
    .option('--add', 'also name the cluster in the spec of the mesh')
    .option('--dry-run', 'write nothing, and say what would be; yaml prints what the other cluster would get')
    .addOption(
      new Option(
        '-o, --output <format>',
        'text, or json or yaml for the Secret itself, with its token, which is then not written here; default text',
      )
        .choices(outputFormats)
        .default('text'),
    )
    .action(async (mesh: string, cluster: string, options: RemoteSecretCreateOptions) => {
      const { remoteSecretCreate } = await import('./remote-secret-create.ts');
      exit(await remoteSecretCreate(mesh, cluster, options, terminal));
    });
  addCluster(remotes.command('rotate'))
    .description(
      'Ask the operator for other tokens by which istiod reads the other clusters of a mesh; the ones before are refused afterwards',
    )
    .argument('<mesh>', 'name of the MeshOperator')
    .requiredOption(namespaceFlag, 'namespace of the MeshOperator')
    .option('--cluster <name>', 'one of them alone')
    .option('--wait', 'print how far it is, and return when the tokens of before are refused')
    .action(async (mesh: string, options: RemoteSecretRotateOptions) => {
      const { remoteSecretRotate } = await import('./remote-secret-rotate.ts');
      exit(await remoteSecretRotate(mesh, options, terminal));
    });
  addOtherCluster(addCluster(remotes.command('revoke')))
    .description(
      'Take back what create has made, in the other cluster and here, when no mesh names that any more: says what goes and asks first; exit code 1 when nothing was done',
    )
    .argument('<mesh>', 'name of the MeshOperator, which may be gone')
    .argument('<cluster>', 'name of the other cluster')
    .requiredOption(namespaceFlag, 'namespace of the MeshOperator')
    .option('-y, --yes', 'do not ask')
    .action(async (mesh: string, cluster: string, options: RemoteSecretRevokeOptions) => {
      const { remoteSecretRevoke } = await import('./remote-secret-revoke.ts');
      exit(await remoteSecretRevoke(mesh, cluster, options, terminal));
    });
  const tenancy = program.command('tenancy').description('Look after tenants');
  addCluster(tenancy.command('prove'))
    .description(
      'Look for every way into a tenant and out of it: NetworkPolicies, AuthorizationPolicies, rights, trust roots, discovery; each with what opens it and the fix; exit code 1 when there is one, or when something cannot be read',
    )
    .argument('[name]', meshHelp)
    .option(namespaceFlag, namespaceHelp)
    .option(
      '--platform-namespace <name>',
      'namespace whose ServiceAccounts are of the platform, and may have rights everywhere; can be given several times',
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .addOption(outputOption())
    .action(async (name: string | undefined, options: TenancyProveOptions) => {
      const { tenancyProve } = await import('./tenancy-prove.ts');
      exit(await tenancyProve({ ...options, name }, terminal));
    });
  program
    .command('completion')
    .description('Print a script that teaches a shell all verbs and flags')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shells))
    .action((shell: Shell) => {
      writeCompletion(shell, program, terminal);
      exit(exitCodes.ok);
    });
  addSettings(
    program.command('run').description('Run the controllers; what the chart deploys'),
    operatorSettings,
    async (flags) => {
      const { run } = await import('./run.ts');
      exit(await run(readOperatorConfig(flags), terminal));
    },
  );
  addSettings(
    program.command('injector').description('Run the sidecar webhook of one mesh revision'),
    injectorSettings,
    async (flags) => {
      const { injector } = await import('./injector.ts');
      exit(await injector(readInjectorConfig(flags), terminal));
    },
  );
  return program;
}

/** Gives a verb the flags that say which cluster it works with. */
function addCluster(command: Command): Command {
  return command
    .option('--kubeconfig <path>', 'kubeconfig to use')
    .option('--context <name>', 'context of the kubeconfig');
}

/** Gives a verb the flags that say which cluster it works with, or which several. */
function addClusters(command: Command): Command {
  return command
    .option('--kubeconfig <path>', 'kubeconfig to use')
    .option(
      '--context <name>',
      'context of the kubeconfig; several are compared as the clusters of one mesh',
      (name: string, before: readonly string[] = []) => [...before, name],
    );
}

/** Gives a verb the flags that say which other cluster it works with. */
function addOtherCluster(command: Command): Command {
  return command
    .option('--remote-kubeconfig <path>', 'kubeconfig of the other cluster; default that of this one')
    .option('--remote-context <name>', 'its context; required unless --remote-kubeconfig is given');
}

/** Gives a verb a flag for each of its settings. */
function addSettings(
  command: Command,
  settings: Readonly<Record<string, Setting<unknown>>>,
  action: (flags: FlagValues) => Promise<void>,
): void {
  for (const { flag, env, value, description, default: preset } of Object.values(settings)) {
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
