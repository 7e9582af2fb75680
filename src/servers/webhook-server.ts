import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../observability/logger.ts';
import { type BodyBudget, type BodyResult, readBody } from './request-body.ts';
import type { ServingCertificate } from './serving-certificate.ts';

export interface WebhookServerOptions {
  /** Absent: all addresses. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** How long it answers on after a stop was asked for; by then nobody is sent to it any more. */
  readonly drainDelayMs: number;
  /** How long requests under way may then take to end; default 10 s, as long as an API server waits by default. */
  readonly drainTimeoutMs?: number;
}

/** Answers one request. It must not throw for anything that a client may send. */
export type WebhookHandler = (body: Buffer, reply: WebhookReply) => void | Promise<void>;

/** How a handler answers; exactly one of both, once. */
export interface WebhookReply {
  /** Sends an AdmissionReview. */
  review(text: string): void;
  /** Answers without a review, so that the failure policy of the webhook decides. */
  refuse(refusal: Refusal): void;
}

/** An answer without a review in it. */
export interface Refusal {
  readonly code: number;
  /** A word for log and metrics. */
  readonly reason: string;
  readonly message: string;
}

export interface WebhookServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Who answers requests to this path; undefined when nobody does. */
  readonly route: (url: string) => WebhookHandler | undefined;
  /** `POST /inject`: what is served, for whoever asks for something else. */
  readonly served: string;
  /** Called when a request has begun, whatever it will be. */
  readonly onStart?: () => void;
  /** Called for each request that no handler has answered with a review; `Aborted` when the client has gone. */
  readonly onRefuse?: (reason: string) => void;
}

/** Istio's bound of a body, too; an API server itself takes objects of 3 MiB. */
const maxBodyBytes = 6 * 1024 * 1024;
const maxHeldBodyBytes = 64 * 1024 * 1024;
const defaultDrainTimeoutMs = 10_000;

/** Nothing that a client does, or leaves undone, may hold a connection for longer than these. */
const socketBounds = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  // Longer than the 90 s after which an API server closes idle connections, so that it is the one who closes.
  keepAliveTimeout: 120_000,
  handshakeTimeout: 10_000,
} as const;
const maxConnections = 1024;

/**
 * Admission webhooks over HTTPS: time, size and number of everything that a client can do are bounded. What a request
 * means is its handler's matter.
 */
export class WebhookServer {
  readonly #options: WebhookServerOptions;
  readonly #deps: WebhookServerDeps;
  readonly #server: Server;
  readonly #budget: BodyBudget = { limitBytes: maxHeldBodyBytes, heldBytes: 0 };
  readonly #sockets = new Set<Duplex>();
  #isDraining = false;
  #stopped: Promise<void> | undefined;

  constructor(options: WebhookServerOptions, deps: WebhookServerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#server = createServer({ ...socketBounds, minVersion: 'TLSv1.2' }, (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        // Beyond what #fail answers, so the client gets no answer; everybody else still does.
        this.#deps.log.error('Request broken off', { error });
        response.destroy();
      });
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Resolves when it listens; rejects when the address is taken. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        // A connection that could not be taken, for want of file descriptors perhaps: the next one may be.
        this.#server.on('error', (error) => this.#deps.log.error('Connection not accepted', { error }));
        resolve();
      });
    });
    this.#deps.log.info('Webhook listens', { port: this.port });
  }

  /** The port it listens on; throws before `start`. */
  get port(): number {
    const address = this.#server.address() as AddressInfo | null;
    if (address === null) throw new Error('The webhook is not started');
    return address.port;
  }

  /** Why no further requests should come, undefined while they may; for `/readyz`. */
  readonly checkDraining = (): string | undefined => (this.#isDraining ? 'stopping' : undefined);

  /** New connections get this certificate; open ones stay as they are. Without any, handshakes fail. */
  useCertificate({ certPem, keyPem }: ServingCertificate): void {
    this.#server.setSecureContext({ cert: certPem, key: keyPem, minVersion: 'TLSv1.2' });
  }

  /**
   * Stops without losing a request: is no longer ready, answers on for the drain delay, then takes no further
   * connection and lets requests under way end. Resolves when all is closed; always within its bounds. Calling it again
   * returns the same end.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#deps;
    const never = new AbortController().signal;
    this.#isDraining = true;
    log.info('Draining', { delayMs: this.#options.drainDelayMs, connections: this.#sockets.size });
    await sleep(clock, this.#options.drainDelayMs, never);
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const tooLong = sleep(clock, this.#options.drainTimeoutMs ?? defaultDrainTimeoutMs, never);
    await Promise.race([closed, tooLong]);
    if (this.#sockets.size > 0) log.warn('Connections cut off', { connections: this.#sockets.size });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    log.info('Drained');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { route, served, onStart, onRefuse } = this.#deps;
    onStart?.();
    const body = await readBody(request, maxBodyBytes, this.#budget);
    const handler = route(request.url ?? '');
    const reply: WebhookReply = {
      review: (text) => this.#send(response, 200, text, 'application/json'),
      refuse: (refusal) => this.#refuse(response, refusal),
    };
    if (body === 'aborted') onRefuse?.('Aborted');
    else if (handler === undefined)
      reply.refuse({ code: 404, reason: 'NotServed', message: `Served here: ${served}` });
    else {
      const refusal = refusalOf(request, body);
      if (refusal !== undefined) reply.refuse(refusal);
      else await handler(body as Buffer, reply);
    }
  }

  #refuse(response: ServerResponse, { code, reason, message }: Refusal): void {
    this.#deps.log.warn('Request refused', { code, reason });
    this.#deps.onRefuse?.(reason);
    this.#send(response, code, `${message}\n`);
  }

  #send(response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
    response
      .writeHead(code, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        // Whoever comes while we stop should look for another replica next time.
        ...(this.#isDraining ? { connection: 'close' } : {}),
      })
      .end(body);
  }
}

const methodNotAllowed: Refusal = {
  code: 405,
  reason: 'MethodNotAllowed',
  message: 'Only POST is served',
};
const wrongContentType: Refusal = {
  code: 415,
  reason: 'ContentType',
  message: 'The content type must be application/json',
};
const emptyBody: Refusal = { code: 400, reason: 'EmptyBody', message: 'The body is empty' };
const bodyRefusals: Readonly<Record<'too-large' | 'overloaded', Refusal>> = {
  'too-large': {
    code: 413,
    reason: 'BodyTooLarge',
    message: `The body is larger than ${maxBodyBytes} bytes`,
  },
  overloaded: { code: 503, reason: 'Overloaded', message: 'Too many large requests at once' },
};

/** What is wrong with a request before its body is looked at. */
function refusalOf({ method, headers }: IncomingMessage, body: BodyResult): Refusal | undefined {
  if (method !== 'POST') return methodNotAllowed;
  if (headers['content-type'] !== 'application/json') return wrongContentType;
  if (body === 'too-large' || body === 'overloaded') return bodyRefusals[body];
  return body.length === 0 ? emptyBody : undefined;
}
