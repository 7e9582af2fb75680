import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePorts } from '../cluster/free-ports.ts';
import { ensureTool, type IstiodName } from '../cluster/toolchain/tools.ts';
import { TestAuthority } from './serving-files.ts';

export interface IstiodProcessOptions {
  /** Default: that of the newest Istio. */
  readonly program?: IstiodName;
  readonly kubeconfig: string;
  /** Its own, where it reads and writes. */
  readonly namespace: string;
  /** What it finds in its working directory, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it signs its own certificate, as in a mesh, by `etc/cacerts` among its files; default: it has one of `authority`. */
  readonly signsItself?: boolean;
}

/** A real istiod: `pilot-discovery` as a child process, which serves on this machine alone and ends with this process. */
export class IstiodProcess {
  /** Port of its webhooks on 127.0.0.1. */
  readonly port: number;
  /** Whose certificate it serves with. */
  readonly authority: TestAuthority;
  /** `host:port` where it shows its metrics and what it knows (`/debug`). */
  readonly monitoringAddress: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(
    folder: string,
    child: ChildProcess,
    serving: { readonly port: number; readonly authority: TestAuthority; readonly monitoringAddress: string },
  ) {
    this.#folder = folder;
    this.#child = child;
    this.port = serving.port;
    this.authority = serving.authority;
    this.monitoringAddress = serving.monitoringAddress;
  }

  /** Starts it, and does not wait until it answers. */
  static async start(options: IstiodProcessOptions): Promise<IstiodProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'istiod-'));
    const authority = await TestAuthority.create();
    const { cert, key } = await authority.issue();
    const serving = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.caPem };
    await writeFiles(folder, { ...serving, ...options.files });
    const [port = 0, http, monitoring, secureGrpc, introspection] = await freePorts(5, '127.0.0.1');
    const monitoringAddress = `127.0.0.1:${monitoring}`;
    const program = await ensureTool(options.program ?? 'pilot-discovery');
    const log = await open(join(folder, 'log'), 'w');
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', program, 'discovery'],
        ...['--kubeconfig', options.kubeconfig, '--namespace', options.namespace],
        ...['--httpsAddr', `127.0.0.1:${port}`],
        ...(options.signsItself === true
          ? []
          : ['--caCertFile', 'ca.crt', '--tlsCertFile', 'tls.crt', '--tlsKeyFile', 'tls.key']),
        ...['--httpAddr', `127.0.0.1:${http}`, '--grpcAddr', ''],
        ...['--monitoringAddr', monitoringAddress],
        ...['--secureGRPCAddr', `127.0.0.1:${secureGrpc}`, '--ctrlz_port', String(introspection)],
      ],
      {
        cwd: folder,
        stdio: ['ignore', log.fd, log.fd],
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          POD_NAMESPACE: options.namespace,
          INJECTION_WEBHOOK_CONFIG_NAME: '',
          VALIDATION_WEBHOOK_CONFIG_NAME: '',
          ...options.env,
        },
      },
    );
    await log.close();
    return new IstiodProcess(folder, child, { port, authority, monitoringAddress });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Writes files again that it watches. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    await writeFiles(this.#folder, files);
  }

  /** What it shows of itself at `/debug/PAGE`. Throws until it answers. */
  async debugPage(page: string): Promise<unknown> {
    const answer = await fetch(`http://${this.monitoringAddress}/debug/${page}`);
    if (!answer.ok) throw new Error(`istiod answers ${answer.status} at /debug/${page}`);
    return answer.json();
  }

  /** All that it has said. */
  log(): Promise<string> {
    return readFile(join(this.#folder, 'log'), 'utf8');
  }

  /** What it has said last. */
  async lastWords(): Promise<string> {
    return (await this.log()).slice(-2_000);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('close', resolve));
      this.#child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
    await this.authority.remove();
  }
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
