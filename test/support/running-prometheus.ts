import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitUntil } from '../cluster/wait-until.ts';
import { PrometheusProcess } from './prometheus-process.ts';

/** Requests that a proxy counts between two scrapes: the labels of `istio_requests_total`, and how many. */
export interface CountedRequests {
  /** The counter, where it is another one. */
  readonly metric?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  /** What the counter is at first; default 0. */
  readonly first?: number;
}

/** A real Prometheus on this machine's loopback address, and what it scrapes: the counters of a proxy. */
export class RunningPrometheus {
  readonly address: string;
  readonly #proxy: Server;
  readonly #process: PrometheusProcess;
  readonly #totals = new Map<string, number>();
  #traffic: readonly CountedRequests[] = [];
  #scrapes = 0;

  private constructor(process: PrometheusProcess, proxy: Server) {
    this.address = process.address;
    this.#process = process;
    this.#proxy = proxy;
    proxy.on('request', (_request, response) => response.end(this.#exposition()));
  }

  /** Starts both, and returns when it has scraped twice, at an interval such as `250ms`. */
  static async start(scrapeInterval = '250ms'): Promise<RunningPrometheus> {
    const proxy = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => proxy.once('listening', done));
    const { port: proxyPort } = proxy.address() as AddressInfo;
    const process = await PrometheusProcess.start({
      global: { scrape_interval: scrapeInterval, scrape_timeout: scrapeInterval },
      scrape_configs: [{ job_name: 'proxy', static_configs: [{ targets: [`127.0.0.1:${proxyPort}`] }] }],
    });
    const running = new RunningPrometheus(process, proxy);
    try {
      await waitUntil({ what: 'Prometheus has scraped' }, async () => running.#scrapes > 1);
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
    await this.#process.stop();
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
