import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { injectorCommand, injectorNodeOptions } from '../../src/render/injector/injector-process.ts';
import { findFreePorts } from '../cluster/free-ports.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { TestAuthority } from '../support/serving-files.ts';
import { startImageProcess } from './image-process.ts';

export interface BenchInjectorOptions {
  readonly bundle: string;
  /** The document that the mesh controller writes for its injector. */
  readonly configuration: string;
  /** Flags of Node beyond those of the image, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

/** Our injector as a child process, started as its Deployment starts it; its log goes to a file. */
export class BenchInjector {
  /** Port of the webhook on 127.0.0.1. */
  readonly port: number;
  readonly authority: TestAuthority;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(
    child: ChildProcess,
    folder: string,
    serving: { readonly port: number; readonly authority: TestAuthority },
  ) {
    this.#child = child;
    this.#folder = folder;
    this.port = serving.port;
    this.authority = serving.authority;
    this.pid = child.pid ?? 0;
  }

  /** Starts it and returns when it is ready. */
  static async start(options: BenchInjectorOptions): Promise<BenchInjector> {
    const folder = await mkdtemp(join(tmpdir(), 'bench-injector-'));
    const authority = await TestAuthority.create();
    const { cert, key } = await authority.issue();
    // Away from the log, since folders with certificates and configuration are watched.
    const mounted = join(folder, 'mounted');
    await mkdir(mounted);
    await writeFile(join(mounted, 'tls.crt'), cert);
    await writeFile(join(mounted, 'tls.key'), key);
    await writeFile(join(mounted, 'config.json'), options.configuration);
    const { etcdClient: port, etcdPeer: healthPort } = await findFreePorts('127.0.0.1');
    const log = await open(join(folder, 'log'), 'w');
    const child = startImageProcess({
      bundle: options.bundle,
      nodeFlags: options.nodeFlags,
      command: injectorCommand,
      env: { NODE_OPTIONS: injectorNodeOptions },
      args: [
        ...['injector', '--bind-address', `127.0.0.1:${port}`, '--drain-delay-seconds', '0'],
        ...['--health-bind-address', `127.0.0.1:${healthPort}`, '--metrics-bind-address', '127.0.0.1:0'],
        ...['--certificate-folder', mounted, '--configuration-file', join(mounted, 'config.json')],
      ],
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    const injector = new BenchInjector(child, folder, { port, authority });
    const explain = async () => (await readFile(join(folder, 'log'), 'utf8')).slice(-2_000);
    await waitUntil({ what: 'the injector is ready', limitMs: 30_000, explain }, async () => {
      return (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok;
    });
    return injector;
  }

  /** Ends it in an orderly way and removes its files. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await ended;
    await rm(this.#folder, { recursive: true });
    await this.authority.remove();
  }
}
