import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { request as httpRequest } from 'undici';
import { systemClock } from '../../src/base/clock.ts';
import { type ApiConnection, openConnection } from '../../src/kube/api-connection.ts';

/** One request that came through. */
export interface ProxiedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
  /** A GET of a collection that is no watch. */
  readonly isList: boolean;
  /** Anything but a GET. */
  readonly isWrite: boolean;
  /** 0 until answered, and for good when the connection was cut before. */
  status: number;
}

/** Chooses requests; all that is given must fit. */
export interface RequestMatch {
  readonly method?: string;
  readonly path?: RegExp;
  readonly isWatch?: boolean;
  readonly isList?: boolean;
  readonly isWrite?: boolean;
  /** As the request's query names it. */
  readonly fieldManager?: RegExp;
}

/** A request that the proxy has received and not yet passed on. */
export interface HeldRequest {
  /** Resolves when a matching request has arrived. */
  readonly arrived: Promise<void>;
  release(): void;
  /** Cuts its connection: it never reaches the API server. */
  cut(): void;
}

/** A request that the API server has answered, and its client does not know of it yet. */
export interface HeldAnswer {
  /** Resolves when the API server has answered a matching request. */
  readonly answered: Promise<void>;
  /** Cuts the connection of the client, which never gets the answer. */
  cut(): void;
}

interface OpenWatch {
  readonly request: ProxiedRequest;
  readonly response: ServerResponse;
  isSilent: boolean;
}

/** What becomes of a request: the proxy has answered it, it is passed on, or only its answer is lost. */
type Fault = (response: ServerResponse) => Promise<'answered' | 'pass' | LostAnswer>;

interface LostAnswer {
  /** Called with the API server's answer in hand; the connection is cut when it resolves. */
  readonly untilCut: () => Promise<void>;
}

/**
 * A proxy in front of a real API server that makes it misbehave on demand, and remembers what was asked.
 * Speaks plain HTTP to its client and the kubeconfig's identity to the API server.
 */
export class FaultProxy {
  /** Every request so far, oldest first. */
  readonly requests: ProxiedRequest[] = [];
  /** A kubeconfig whose server is this proxy. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #upstream: ApiConnection;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  #faults: { readonly match: RequestMatch; timesLeft: number; readonly fault: Fault }[] = [];
  #server: Server | undefined;
  #port = 0;
  #impersonated: string | undefined;

  private constructor(upstream: ApiConnection, folder: string) {
    this.#upstream = upstream;
    this.#folder = folder;
    this.kubeconfig = path.join(folder, 'kubeconfig');
  }

  /** Listens on a free port of loopback, in front of the API server that the kubeconfig names. */
  static async start(kubeconfig: string): Promise<FaultProxy> {
    const folder = await mkdtemp(path.join(tmpdir(), 'fault-proxy-'));
    const proxy = new FaultProxy(openConnection({ kubeconfig }, systemClock), folder);
    await proxy.acceptConnections();
    await writeFile(proxy.kubeconfig, JSON.stringify(kubeconfigFor(proxy.#port)));
    return proxy;
  }

  async stop(): Promise<void> {
    await this.refuseConnections();
    await this.#upstream.close();
    await rm(this.#folder, { recursive: true });
  }

  /** Requests that fit, oldest first. */
  requestsLike(match: RequestMatch): ProxiedRequest[] {
    return this.requests.filter((request) => fits(request, match));
  }

  /** Answers the next `times` matching requests itself, with a Status of this code. */
  failNext(
    match: RequestMatch,
    answer: { readonly status: number; readonly retryAfterSeconds?: number; readonly reason?: string },
    times = 1,
  ): void {
    this.#addFault(match, times, async (response) => {
      const { status, retryAfterSeconds, reason = 'Fault' } = answer;
      const body = JSON.stringify({
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        message: 'the fault proxy says no',
        reason,
        code: status,
      });
      const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
      return 'answered';
    });
  }

  /** Cuts the connection of the next `times` matching requests without an answer. */
  cutNext(match: RequestMatch, times = 1): void {
    this.#addFault(match, times, async (response) => {
      response.destroy();
      return 'answered';
    });
  }

  /** Keeps the next matching request until it is released, and then passed on, or cut. */
  holdNext(match: RequestMatch): HeldRequest {
    const arrived = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<'pass' | 'cut'>();
    this.#addFault(match, 1, async (response) => {
      arrived.resolve();
      if ((await ended.promise) === 'pass') return 'pass';
      response.destroy();
      return 'answered';
    });
    return {
      arrived: arrived.promise,
      release: () => ended.resolve('pass'),
      cut: () => ended.resolve('cut'),
    };
  }

  /** Passes the next matching request on, and keeps its answer until the connection is cut. */
  holdNextAnswer(match: RequestMatch): HeldAnswer {
    const answered = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const untilCut = () => {
      answered.resolve();
      return ended.promise;
    };
    this.#addFault(match, 1, async () => ({ untilCut }));
    return { answered: answered.promise, cut: () => ended.resolve() };
  }

  /** Resolves as soon as the next matching request has arrived, before it is passed on. */
  nextArrival(match: RequestMatch): Promise<void> {
    const arrived = Promise.withResolvers<void>();
    this.#addFault(match, 1, async () => {
      arrived.resolve();
      return 'pass';
    });
    return arrived.promise;
  }

  /** Passes requests on as those of this user, who may do nothing unless a role says so; undefined: as before. */
  impersonate(user: string | undefined): void {
    this.#impersonated = user;
  }

  /** Cuts open watches. Returns how many. */
  dropWatches(match: RequestMatch = {}): number {
    const watches = this.#watchesLike(match);
    for (const watch of watches) watch.response.destroy();
    return watches.length;
  }

  /** Leaves open watches open, but nothing comes through any more. Returns how many. */
  silenceWatches(match: RequestMatch = {}): number {
    const watches = this.#watchesLike(match);
    for (const watch of watches) watch.isSilent = true;
    return watches.length;
  }

  /** Begins an outage: nobody listens any more, and open connections are cut. */
  async refuseConnections(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Ends an outage, on the port of before; does nothing when there is none. */
  async acceptConnections(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  #watchesLike(match: RequestMatch): OpenWatch[] {
    return [...this.#watches].filter(({ request }) => fits(request, match));
  }

  #addFault(match: RequestMatch, times: number, fault: Fault): void {
    this.#faults.push({ match, timesLeft: times, fault });
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = describe(incoming);
    this.requests.push(request);
    try {
      const body = await bodyOf(incoming);
      const fate = await this.#applyFault(request, response);
      if (fate === 'answered') request.status = response.statusCode;
      else await this.#pass(request, incoming, body, response, fate === 'pass' ? undefined : fate);
    } catch {
      // The client went away, or the API server did: for the client both are a cut connection.
      response.destroy();
    }
  }

  async #applyFault(request: ProxiedRequest, response: ServerResponse): ReturnType<Fault> {
    const found = this.#faults.find(({ match }) => fits(request, match));
    if (found === undefined) return 'pass';
    found.timesLeft -= 1;
    if (found.timesLeft === 0) this.#faults = this.#faults.filter((fault) => fault !== found);
    return found.fault(response);
  }

  async #pass(
    request: ProxiedRequest,
    incoming: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    lostAnswer: LostAnswer | undefined,
  ): Promise<void> {
    const grant = await this.#upstream.grant();
    const aborted = new AbortController();
    response.once('close', () => aborted.abort());
    const contentType = incoming.headers['content-type'];
    const answer = await httpRequest(this.#upstream.baseUrl + (incoming.url ?? ''), {
      method: request.method as 'GET',
      dispatcher: grant.dispatcher,
      signal: aborted.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
      headers: {
        accept: incoming.headers.accept ?? 'application/json',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...grant.headers,
        ...(this.#impersonated === undefined ? {} : { 'impersonate-user': this.#impersonated }),
      },
      ...(body.length === 0 ? {} : { body }),
    });
    request.status = answer.statusCode;
    if (lostAnswer !== undefined) {
      await lostAnswer.untilCut();
      response.destroy();
      return;
    }
    response.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] as string });
    response.flushHeaders();
    const watch: OpenWatch = { request, response, isSilent: false };
    if (request.isWatch) this.#watches.add(watch);
    try {
      for await (const chunk of answer.body) if (!watch.isSilent) response.write(chunk);
      if (!watch.isSilent) response.end();
    } finally {
      this.#watches.delete(watch);
    }
  }
}

function describe(incoming: IncomingMessage): ProxiedRequest {
  const url = new URL(incoming.url ?? '/', 'http://proxy');
  const method = incoming.method ?? 'GET';
  const isWatch = url.searchParams.get('watch') === 'true';
  // Collections end in a plural; objects have one segment more.
  const segments = url.pathname.replace(/^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)\/?/, '').split('/');
  const isCollection =
    segments[0] === 'namespaces' && segments.length > 2 ? segments.length === 3 : segments.length === 1;
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    isWatch,
    isList: method === 'GET' && !isWatch && isCollection,
    isWrite: method !== 'GET',
    status: 0,
  };
}

function fits(request: ProxiedRequest, match: RequestMatch): boolean {
  return (
    (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || match.path.test(request.path)) &&
    (match.isWatch === undefined || match.isWatch === request.isWatch) &&
    (match.isList === undefined || match.isList === request.isList) &&
    (match.isWrite === undefined || match.isWrite === request.isWrite) &&
    (match.fieldManager === undefined || match.fieldManager.test(request.query.get('fieldManager') ?? ''))
  );
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Plain HTTP is allowed to the client library only together with insecure-skip-tls-verify. */
function kubeconfigFor(port: number): object {
  const server = `http://127.0.0.1:${port}`;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    clusters: [{ name: 'proxy', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'proxy', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
  };
}
