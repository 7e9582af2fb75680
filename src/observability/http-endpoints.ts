import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Says why something is not well; undefined when it is. Must answer at once. */
export type HealthCheck = () => string | undefined;

export interface HttpEndpointsOptions {
  /** `host:port`; an empty host means all addresses, port 0 any free port. */
  readonly bindAddress: string;
  /** All must pass for `/healthz`, by name: is the process worth keeping? */
  readonly healthChecks?: Readonly<Record<string, HealthCheck>>;
  /** All must pass for `/readyz`, by name: can it do its work? */
  readonly readyChecks?: Readonly<Record<string, HealthCheck>>;
  /** The text of `/metrics`; absent: not served here. */
  readonly metrics?: () => Promise<string>;
}

/** Serves `/healthz`, `/readyz` and `/metrics` as plain text, for kubelet and Prometheus. */
export class HttpEndpoints {
  readonly #options: HttpEndpointsOptions;
  #server: Server | undefined;

  constructor(options: HttpEndpointsOptions) {
    this.#options = options;
  }

  /** Resolves when it listens; rejects when the address is taken or malformed. */
  async start(): Promise<void> {
    const { host, port } = parseBindAddress(this.#options.bindAddress);
    const server = createServer((request, response) => {
      this.#answer(request.method ?? '', request.url ?? '', response).catch((error: unknown) => {
        // A failing collector of one metric: the scrape fails and Prometheus shows its text.
        send(response, 500, String(error));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
    this.#server = server;
  }

  /** The port it listens on; throws before `start`. */
  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    if (!address) throw new Error('The HTTP endpoints are not started');
    return address.port;
  }

  /** Stops listening and drops open connections. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #answer(method: string, url: string, response: ServerResponse): Promise<void> {
    const path = url.split('?', 1)[0];
    if (method !== 'GET' && method !== 'HEAD') send(response, 405, 'Only GET is served');
    else if (path === '/healthz') sendChecks(response, this.#options.healthChecks ?? {});
    else if (path === '/readyz') sendChecks(response, this.#options.readyChecks ?? {});
    else if (path === '/metrics' && this.#options.metrics !== undefined) {
      send(response, 200, await this.#options.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    } else send(response, 404, 'Served here: /healthz /readyz /metrics');
  }
}

/** Splits `host:port`, `:port` and `[v6]:port`; throws when there is no port. */
export function parseBindAddress(text: string): { readonly host: string | undefined; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  if (match === null) throw new Error(`${JSON.stringify(text)} is no address; write host:port or :port`);
  return { host: match[1] || match[2] || undefined, port: Number(match[3]) };
}

function sendChecks(response: ServerResponse, checks: Readonly<Record<string, HealthCheck>>): void {
  const failures = Object.entries(checks)
    .map(([name, check]) => ({ name, problem: check() }))
    .filter(({ problem }) => problem !== undefined)
    .map(({ name, problem }) => `${name}: ${problem}`);
  if (failures.length === 0) send(response, 200, 'ok');
  else send(response, 503, failures.join('\n'));
}

function send(
  response: ServerResponse,
  code: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(code, { 'content-type': type }).end(`${body}\n`);
}
