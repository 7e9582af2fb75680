import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { findFreePorts } from '../cluster/free-ports.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { prometheusProgram } from './prometheus-program.ts';

/** Requests that a proxy counts between two scrapes: the labels of `istio_requests_total`, and how many. */
export interface CountedRequests {
  /** The counter, where it is another one. */
  readonly metric?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  /** What the counter is at first; default 0. */
  readonly first?: number;
}

const scrapeInterval = '250ms';

/** A real Prometheus on this machine's loopback address, and what it scrapes: the counters of a proxy. */
export class RunningPrometheus {
  readonly address: string;
  readonly #proxy: Server;
  readonly #end: () => Promise<void>;
  readonly #totals = new Map<string, number>();
  #traffic: readonly CountedRequests[] = [];
  #scrapes = 0;

  private constructor(address: string, proxy: Server, end: () => Promise<void>) {
    this.address = address;
    this.#proxy = proxy;
    this.#end = end;
    proxy.on('request', (_request, response) => response.end(this.#exposition()));
  }

  static async start(): Promise<RunningPrometheus> {
    const proxy = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => proxy.once('listening', done));
    const { port: proxyPort } = proxy.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-prometheus-'));
    const config = {
      global: { scrape_interval: scrapeInterval, scrape_timeout: scrapeInterval },
      scrape_configs: [{ job_name: 'proxy', static_configs: [{ targets: [`127.0.0.1:${proxyPort}`] }] }],
    };
    await writeFile(join(folder, 'prometheus.yml'), dump(config));
    const { apiServer: port } = await findFreePorts('127.0.0.1');
    const program = await prometheusProgram('prometheus');
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...flags], { stdio: 'ignore' });
    const ended = new Promise((done) => child.once('close', done));
    const running = new RunningPrometheus(`http://127.0.0.1:${port}`, proxy, async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    });
    try {
      await waitUntil({ what: 'Prometheus has scraped', limitMs: 60_000 }, async () => {
        if (child.exitCode !== null) throw new Error(`Prometheus has ended with ${child.exitCode}`);
        return running.#scrapes > 1 && (await fetch(`${running.address}/-/ready`)).ok;
      });
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /** From the next scrape on, this is counted before each. */
  setTraffic(traffic: readonly CountedRequests[]): void {
    this.#traffic = traffic;
    for (const counted of traffic) {
      const series = seriesOf(counted);
      this.#totals.set(series, this.#totals.get(series) ?? counted.first ?? 0);
    }
  }

  async stop(): Promise<void> {
    await this.#end();
    this.#proxy.closeAllConnections();
    await new Promise((done) => this.#proxy.close(done));
  }

  #exposition(): string {
    this.#scrapes += 1;
    const lines = [...this.#totals].map(([series, total]) => `${series} ${total}\n`);
    for (const counted of this.#traffic) {
      const series = seriesOf(counted);
      this.#totals.set(series, (this.#totals.get(series) ?? 0) + counted.count);
    }
    return lines.join('');
  }
}

function seriesOf({ metric = 'istio_requests_total', labels }: CountedRequests): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${metric}{${pairs.sort().join(',')}}`;
}
