import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { RootMaterial } from '../../src/pki/authority-state.ts';
import { splitCertificates } from '../../src/pki/certificate-facts.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { findFreePorts } from '../cluster/free-ports.ts';
import { run } from '../cluster/toolchain/run-command.ts';
import { ensureTool } from '../cluster/toolchain/tools.ts';
import { waitUntil } from '../cluster/wait-until.ts';

/** The ConfigMaps that a server keeps its roots in, in its namespace: by its notifier, and by its publisher. */
export const spireConfigMaps = { k8sbundle: 'spire-bundle', k8s_configmap: 'spire-published' } as const;

export interface SpireOptions {
  /** Where its ConfigMaps are. */
  readonly namespace: string;
  readonly trustDomain: string;
  /** Signs its authorities; without it they are roots. */
  readonly upstream?: RootMaterial;
}

/**
 * A real spire-server with a datastore and keys of its own on this machine's loopback address, which the kernel ends with
 * the tests.
 */
export class RunningSpire {
  readonly #program: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #log = '';

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Starts one that nobody else knows of, with all rights in the cluster, and returns when it has an authority. */
  static async start(cluster: Cluster, options: SpireOptions): Promise<RunningSpire> {
    const program = await ensureTool('spire-server');
    const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-spire-'));
    const spire = new RunningSpire(program, folder);
    try {
      await cluster.apply(dump(configMapFor(options)));
      await spire.#configure(cluster, options);
      await spire.startAgain();
    } catch (error) {
      await spire.remove();
      throw error;
    }
    return spire;
  }

  /** Starts it once more with all that it had. */
  async startAgain(): Promise<void> {
    const command = ['--pdeathsig', 'KILL', '--', this.#program, 'run', '-config', this.#at('server.conf')];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let hasEnded = false;
    this.#ended = new Promise((done) => {
      child.once('close', () => {
        hasEnded = true;
        done();
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log = `${this.#log}${text}`.slice(-10_000);
      });
    }
    const explain = async () => this.#log.slice(-2_000);
    await waitUntil({ what: 'spire-server is healthy', explain }, async () => {
      return hasEnded || (await this.#command('healthcheck')) !== '';
    });
    if (hasEnded) throw new Error(`spire-server has ended: ${await explain()}`);
  }

  /** Its roots as it shows them itself, each one PEM certificate. */
  async roots(): Promise<string[]> {
    return splitCertificates(await this.#command('bundle', 'show'));
  }

  /** The id of the authority that signs. */
  async activeAuthority(): Promise<string> {
    return (await this.#authority('show')).active?.authority_id ?? '';
  }

  /** Makes the next authority and returns its id; workloads trust it from now on. */
  async prepare(): Promise<string> {
    return (await this.#authority('prepare')).prepared_authority?.authority_id ?? '';
  }

  /** What is done to an authority: it signs, is to be trusted no longer, or is trusted no longer. */
  async turn(step: 'activate' | 'taint' | 'revoke', authorityId: string): Promise<void> {
    await this.#authority(step, '-authorityID', authorityId);
  }

  /** An X509-SVID that it has signed for this identity, with what is between it and a root, in PEM. */
  async mint(spiffeId: string): Promise<string> {
    const folder = await mkdtemp(this.#at('svid-'));
    await this.#command('x509', 'mint', '-spiffeID', spiffeId, '-write', folder);
    return readFile(join(folder, 'svid.pem'), 'utf8');
  }

  /** Every private key that it signs with, in PEM. */
  async keysPem(): Promise<string[]> {
    const { keys } = JSON.parse(await readFile(this.#at('keys.json'), 'utf8')) as {
      readonly keys: Readonly<Record<string, string>>;
    };
    return Object.values(keys).map((text) => {
      const key = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
      return key.export({ format: 'pem', type: 'pkcs8' }).toString();
    });
  }

  /** Kills it; what it had stays until `remove`. */
  async end(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async remove(): Promise<void> {
    await this.end();
    await rm(this.#folder, { recursive: true });
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }

  async #authority(step: string, ...flags: readonly string[]): Promise<AuthorityAnswer> {
    const output = await this.#command('localauthority', 'x509', step, ...flags, '-output', 'json');
    return JSON.parse(output) as AuthorityAnswer;
  }

  #command(...words: readonly string[]): Promise<string> {
    return run(this.#program, [...words, '-socketPath', this.#at('api.sock')], { timeoutMs: 20_000 });
  }

  async #configure(cluster: Cluster, options: SpireOptions): Promise<void> {
    const { upstream } = options;
    const { etcdClient: port } = await findFreePorts('127.0.0.1');
    if (upstream !== undefined) {
      await writeFile(this.#at('upstream.crt'), upstream.certPem);
      await writeFile(this.#at('upstream.key'), upstream.keyPem ?? '', { mode: 0o600 });
    }
    const text = (name: string) => JSON.stringify(this.#at(name));
    const kubeconfig = JSON.stringify(cluster.kubeconfigPath);
    const namespace = JSON.stringify(options.namespace);
    await writeFile(
      this.#at('server.conf'),
      `
server {
  bind_address = "127.0.0.1"
  bind_port = ${port}
  socket_path = ${text('api.sock')}
  data_dir = ${text('data')}
  trust_domain = ${JSON.stringify(options.trustDomain)}
}
plugins {
  DataStore "sql" {
    plugin_data { database_type = "sqlite3", connection_string = ${text('datastore.sqlite3')} }
  }
  KeyManager "disk" { plugin_data { keys_path = ${text('keys.json')} } }
  NodeAttestor "join_token" { plugin_data {} }
  Notifier "k8sbundle" {
    plugin_data { namespace = ${namespace}, kube_config_file_path = ${kubeconfig} }
  }
  BundlePublisher "k8s_configmap" {
    plugin_data {
      clusters = {
        "own" = {
          namespace = ${namespace}
          configmap_name = "${spireConfigMaps.k8s_configmap}"
          configmap_key = "bundle.crt"
          format = "pem"
          kubeconfig_path = ${kubeconfig}
        }
      }
    }
  }
${upstream === undefined ? '' : `  UpstreamAuthority "disk" { plugin_data { cert_file_path = ${text('upstream.crt')}, key_file_path = ${text('upstream.key')} } }`}
}
`,
    );
  }
}

/** The notifier writes into one that is there, and makes none. */
function configMapFor({ namespace }: SpireOptions) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: spireConfigMaps.k8sbundle, namespace } };
}

interface AuthorityAnswer {
  readonly active?: { readonly authority_id: string };
  readonly prepared_authority?: { readonly authority_id: string };
}
