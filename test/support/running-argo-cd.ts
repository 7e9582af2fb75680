import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { freePorts } from '../cluster/free-ports.ts';
import { ensureDebianPackages } from '../cluster/toolchain/debian-packages.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { checkedKinds, readHealthCheck } from './gitops-health.ts';
import { ensureRedis } from './redis.ts';

/** Namespace of Argo CD and of its Applications. */
export const argoCdNamespace = 'argocd';

const loopback = '127.0.0.1';
const crds = ['applications', 'applicationsets', 'appprojects'];

/**
 * The real Argo CD as processes of this machine, which the kernel ends with the tests: its controllers, its repo-server
 * and a redis. Its API server, which only people use, is left out. It takes repositories by `file:` URLs, and has the
 * health checks of `gitops/argo-cd` in its settings and nothing else.
 */
export class RunningArgoCd {
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly #processes: { readonly name: string; readonly child: ChildProcess }[] = [];
  readonly #logs = new Map<string, string>();

  private constructor(cluster: Cluster, folder: string) {
    this.#cluster = cluster;
    this.#folder = folder;
  }

  /** Installs its CRDs and settings, starts it with all rights in the cluster, and returns when it works. */
  static async start(cluster: Cluster): Promise<RunningArgoCd> {
    await ensureDebianPackages(['argo-cd']);
    const program = await ensureTool('argo-cd');
    const argoCd = new RunningArgoCd(cluster, await mkdtemp(join(tmpdir(), 'mesh-operator-argo-cd-')));
    try {
      await installArgoCd(cluster, dirname(program));
      await argoCd.#launchAll(program);
    } catch (error) {
      await argoCd.remove();
      throw error;
    }
    return argoCd;
  }

  /** Makes a cluster known to it by this name, with these labels and no others, as `argocd cluster add` does. */
  async register(name: string, cluster: Cluster, labels: Readonly<Record<string, string>>): Promise<void> {
    const { clusters, users } = await readKubeconfig(cluster);
    const [{ cluster: server }] = clusters;
    const [{ user }] = users;
    const tlsClientConfig = {
      caData: server['certificate-authority-data'],
      certData: user['client-certificate-data'],
      keyData: user['client-key-data'],
    };
    const secret = {
      ...{ apiVersion: 'v1', kind: 'Secret' },
      metadata: {
        name: `cluster-${name}`,
        namespace: argoCdNamespace,
        labels: { 'argocd.argoproj.io/secret-type': 'cluster', ...labels },
      },
      stringData: { name, server: server.server, config: JSON.stringify({ tlsClientConfig }) },
    };
    await applyAll(this.#cluster, [secret]);
  }

  /** Lines of its controller that name an error, for the message of a failure. */
  tail(): string {
    return [...this.#logs]
      .map(([name, log]) => `${name}: ${log.split('\n').filter(isTelling).slice(-5).join('\n')}`)
      .join('\n');
  }

  /** Kills it; what it has made in the cluster stays. */
  async remove(): Promise<void> {
    await Promise.all(
      this.#processes.map(
        ({ child }) =>
          new Promise<void>((done) => {
            if (child.exitCode !== null || child.signalCode !== null) done();
            child.once('close', () => done());
            child.kill('SIGKILL');
          }),
      ),
    );
    await rm(this.#folder, { recursive: true });
  }

  async #launchAll(program: string): Promise<void> {
    const ports = await freePorts(7, loopback);
    const [redisPort, repoPort, repoMetrics, controllerMetrics, setMetrics, setProbe, setWebhook] = ports;
    const redis = await ensureRedis();
    const kubeconfig = await this.#kubeconfig();
    const env = { ...(await this.#environment(program)), KUBECONFIG: kubeconfig };
    const repoServer = `${loopback}:${repoPort}`;
    const ofCluster = ['--namespace', argoCdNamespace, '--repo-server-plaintext'];
    this.#launch(
      'redis',
      [redis.program, '--port', `${redisPort}`, '--bind', loopback, '--save', '', '--appendonly', 'no'],
      { LD_LIBRARY_PATH: redis.libraries },
    );
    this.#launch(
      'repo-server',
      [
        ...[program, 'argocd-repo-server', '--address', loopback, '--port', `${repoPort}`],
        ...[
          '--metrics-address',
          loopback,
          '--metrics-port',
          `${repoMetrics}`,
          '--redis',
          `${loopback}:${redisPort}`,
        ],
        ...['--disable-tls', '--client-ca-path='],
      ],
      env,
    );
    this.#launch(
      'application-controller',
      [
        ...[program, 'argocd-application-controller', ...ofCluster, '--metrics-port', `${controllerMetrics}`],
        ...['--redis', `${loopback}:${redisPort}`, '--repo-server', repoServer],
        ...['--app-resync-jitter', '0', '--persist-resource-health'],
      ],
      env,
    );
    this.#launch(
      'applicationset-controller',
      [
        ...[program, 'argocd-applicationset-controller', ...ofCluster, '--argocd-repo-server', repoServer],
        ...['--metrics-addr', `${loopback}:${setMetrics}`, '--probe-addr', `${loopback}:${setProbe}`],
        ...['--webhook-addr', `${loopback}:${setWebhook}`],
      ],
      env,
    );
    await this.#untilHealthy(`http://${loopback}:${repoMetrics}/healthz?full=true`);
    await this.#untilHealthy(`http://${loopback}:${controllerMetrics}/healthz`);
    await this.#untilHealthy(`http://${loopback}:${setMetrics}/metrics`);
  }

  #launch(name: string, command: readonly string[], env: Readonly<Record<string, string>>): void {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
      cwd: this.#folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#processes.push({ name, child });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#logs.set(name, `${this.#logs.get(name) ?? ''}${text}`.slice(-100_000));
      });
    }
  }

  async #untilHealthy(url: string): Promise<void> {
    const explain = async () => this.tail();
    await waitUntil({ what: `Argo CD answers ${url}`, explain }, async () => {
      const ended = this.#processes.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
      return ended !== undefined || (await fetch(url)).ok;
    });
    const ended = this.#processes.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
    if (ended !== undefined)
      throw new Error(`Argo CD's ${ended.name} has ended: ${this.#logs.get(ended.name)}`);
  }

  /** Everything that it keeps is in its folder, and its repo-server finds helm and its script there. */
  async #environment(program: string): Promise<Record<string, string>> {
    const folders = ['tmp', 'tls', 'ssh', 'gpg', 'gnupg', 'plugins', 'home', 'bin'] as const;
    const at = Object.fromEntries(folders.map((name) => [name, join(this.#folder, name)])) as Record<
      (typeof folders)[number],
      string
    >;
    for (const folder of folders) await mkdir(at[folder]);
    await symlink(await ensureTool('helm'), join(at.bin, 'helm'));
    await symlink(join(dirname(program), 'git-verify-wrapper.sh'), join(at.bin, 'git-verify-wrapper.sh'));
    return {
      PATH: `${at.bin}:${process.env.PATH}`,
      HOME: at.home,
      TMPDIR: at.tmp,
      ARGOCD_FAKE_IN_CLUSTER: 'true',
      ARGOCD_TLS_DATA_PATH: at.tls,
      ARGOCD_SSH_DATA_PATH: at.ssh,
      ARGOCD_GPG_DATA_PATH: at.gpg,
      ARGOCD_GNUPGHOME: at.gnupg,
      ARGOCD_PLUGINSOCKFILEPATH: at.plugins,
      ARGOCD_GPG_ENABLED: 'false',
      ARGOCD_RECONCILIATION_TIMEOUT: '120s',
    };
  }

  /** By the namespace of the context `https://kubernetes.default.svc` becomes this cluster. */
  async #kubeconfig(): Promise<string> {
    const config = await readKubeconfig(this.#cluster);
    const contexts = config.contexts.map(({ name, context }) => ({
      name,
      context: { ...context, namespace: argoCdNamespace },
    }));
    const path = join(this.#folder, 'kubeconfig');
    await writeFile(path, dump({ ...config, contexts }), { mode: 0o600 });
    return path;
  }
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [
    { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } },
  ];
  readonly contexts: readonly { readonly name: string; readonly context: object }[];
}

async function readKubeconfig({ kubeconfigPath }: Cluster): Promise<Kubeconfig> {
  return load(await readFile(kubeconfigPath, 'utf8')) as Kubeconfig;
}

async function installArgoCd(cluster: Cluster, toolFolder: string): Promise<void> {
  const published = loadAll(await readFile(join(toolFolder, 'install.yaml'), 'utf8')) as KubernetesObject[];
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: argoCdNamespace } };
  const settings = await ownSettings();
  await applyAll(cluster, [
    namespace,
    ...published.map((object) => ({ ...inOwnNamespace(object), ...settings[object.metadata.name] })),
  ]);
  await waitUntil({ what: 'argoproj.io/v1alpha1 is served' }, async () => {
    const served = JSON.parse(await cluster.kubectl('get', '--raw', '/apis/argoproj.io/v1alpha1')) as {
      readonly resources: readonly { readonly name: string }[];
    };
    return crds.every((plural) => served.resources.some(({ name }) => name === plural));
  });
  await applyAll(cluster, [defaultProject]);
}

/** What is added to the objects that are published: our health checks, and what its API server would make at its start. */
async function ownSettings(): Promise<Readonly<Record<string, object>>> {
  const checks = checkedKinds.map(async (kind) => [
    `resource.customizations.health.${kind.replace('/', '_')}`,
    await readHealthCheck(kind),
  ]);
  return {
    'argocd-cm': { data: Object.fromEntries(await Promise.all(checks)) },
    'argocd-secret': { stringData: { 'server.secretkey': randomBytes(32).toString('base64') } },
  };
}

/** Its API server would make this as well. */
const defaultProject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default', namespace: argoCdNamespace },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
};

function inOwnNamespace(object: KubernetesObject): KubernetesObject {
  if (object.kind === 'CustomResourceDefinition') return object;
  return { ...object, metadata: { ...object.metadata, namespace: argoCdNamespace } };
}

async function applyAll(cluster: Cluster, objects: readonly object[]): Promise<void> {
  await cluster.apply(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

function isTelling(line: string): boolean {
  return /level=?"?:?"?(error|warn|fatal)|^Error|panic/.test(line);
}
