import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, sleep } from '../../base/clock.ts';
import { TerminalError } from '../../base/errors.ts';
import type { InjectionMetrics, InjectionResult } from '../../observability/injection-metrics.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ServingCertificate } from '../serving-certificate.ts';
import { answerText, MalformedReviewError, type PodReview, parseReview } from './admission-review.ts';
import { parseInjectionPath } from './injection-path.ts';
import type { InjectorConfiguration } from './injector-configuration.ts';
import { type BodyBudget, type BodyResult, readBody } from './request-body.ts';
import { type ReviewOutcome, reviewPod } from './review-pod.ts';

export interface InjectorServerOptions {
  /** Absent: all addresses. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** How long it answers on after a stop was asked for; by then nobody is sent to it any more. */
  readonly drainDelayMs: number;
  /** How long requests under way may then take to end; default 10 s, as long as an API server waits by default. */
  readonly drainTimeoutMs?: number;
}

export interface InjectorServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: InjectionMetrics;
  /** The configuration in use; undefined until there is one. */
  readonly configuration: () => InjectorConfiguration | undefined;
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

/** An answer without a review in it. */
interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

/**
 * The sidecar webhook over HTTPS. A request does no I/O of its own and its work is bounded; a bug of ours answers 500,
 * so that the failure policy of the webhook decides.
 */
export class InjectorServer {
  readonly #options: InjectorServerOptions;
  readonly #deps: InjectorServerDeps;
  readonly #server: Server;
  readonly #budget: BodyBudget = { limitBytes: maxHeldBodyBytes, heldBytes: 0 };
  readonly #sockets = new Set<Duplex>();
  #isDraining = false;

  constructor(options: InjectorServerOptions, deps: InjectorServerDeps) {
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
   * connection and lets requests under way end. Resolves when all is closed; always within its bounds.
   */
  async stop(): Promise<void> {
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
    this.#deps.metrics.started();
    const body = await readBody(request, maxBodyBytes, this.#budget);
    const environment = parseInjectionPath(request.url ?? '');
    const refusal = refusalOf(request, environment, body);
    if (body === 'aborted') this.#count({ kind: 'error', reason: 'Aborted' }, 0);
    else if (refusal !== undefined) this.#refuse(response, refusal);
    else this.#review(body as Buffer, environment ?? {}, response);
  }

  #review(body: Buffer, environment: Readonly<Record<string, string>>, response: ServerResponse): void {
    const startedAtMs = this.#deps.clock.monotonicMs();
    const configuration = this.#deps.configuration();
    if (configuration === undefined) {
      this.#refuse(response, notConfigured);
      return;
    }
    const secondsSoFar = () => (this.#deps.clock.monotonicMs() - startedAtMs) / 1000;
    let review: PodReview | undefined;
    let outcome: ReviewOutcome;
    let text: string;
    try {
      review = parseReview(body);
      outcome = reviewPod(review, { configuration, environment });
      text = answerText(review, outcome.answer);
    } catch (error) {
      this.#fail(response, error, review, secondsSoFar());
      return;
    }
    const seconds = secondsSoFar();
    this.#send(response, 200, text, 'application/json');
    this.#record(review, outcome, configuration, seconds);
  }

  #record(
    review: PodReview,
    { decision, reason }: ReviewOutcome,
    { mesh, version }: InjectorConfiguration,
    seconds: number,
  ): void {
    this.#count(decision === 'inject' ? { kind: 'inject' } : { kind: decision, reason }, seconds);
    this.#deps.log.info('Decided', {
      namespace: review.namespace.slice(0, maxNameLength),
      pod: podName(review.object),
      decision,
      reason,
      revision: mesh.revision || 'default',
      configuration: version,
      uid: review.uid,
      durationMs: Math.round(seconds * 1e6) / 1e3,
    });
  }

  /** What was no review gets 400, a bug of ours 500; both leave the pod to the failure policy of the webhook. */
  #fail(response: ServerResponse, error: unknown, review: PodReview | undefined, seconds: number): void {
    if (error instanceof MalformedReviewError) {
      this.#refuse(response, { code: 400, reason: error.reason, message: error.message }, seconds);
      return;
    }
    this.#deps.log.error('Injection failed', {
      namespace: review?.namespace.slice(0, maxNameLength),
      pod: podName(review?.object),
      uid: review?.uid,
      error,
    });
    this.#count({ kind: 'error', reason: error instanceof TerminalError ? error.reason : 'Bug' }, seconds);
    this.#send(response, 500, `The injector failed; its log names uid ${review?.uid ?? '(none)'}\n`);
  }

  #refuse(response: ServerResponse, { code, reason, message }: Refusal, seconds = 0): void {
    this.#deps.log.warn('Request refused', { code, reason });
    this.#count({ kind: 'error', reason }, seconds);
    this.#send(response, code, `${message}\n`);
  }

  #count(result: InjectionResult, seconds: number): void {
    this.#deps.metrics.ended(result, seconds);
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

const notServed: Refusal = {
  code: 404,
  reason: 'NotServed',
  message: 'Served here: POST /inject and /inject/KEY/VALUE/...',
};
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
const notConfigured: Refusal = {
  code: 503,
  reason: 'NotConfigured',
  message: 'The injector has no configuration yet',
};
const bodyRefusals: Readonly<Record<'too-large' | 'overloaded', Refusal>> = {
  'too-large': {
    code: 413,
    reason: 'BodyTooLarge',
    message: `The body is larger than ${maxBodyBytes} bytes`,
  },
  overloaded: { code: 503, reason: 'Overloaded', message: 'Too many large requests at once' },
};

/** What is wrong with a request before its body is looked at. */
function refusalOf(
  { method, headers }: IncomingMessage,
  environment: object | undefined,
  body: BodyResult,
): Refusal | undefined {
  if (environment === undefined) return notServed;
  if (method !== 'POST') return methodNotAllowed;
  if (headers['content-type'] !== 'application/json') return wrongContentType;
  if (body === 'too-large' || body === 'overloaded') return bodyRefusals[body];
  return body.length === 0 ? emptyBody : undefined;
}

/** Names of Kubernetes have at most 253 characters; a log line holds no more of what pretends to be one. */
const maxNameLength = 253;

/** The pod's name, or what its name will begin with; nothing else of a pod gets into the log. */
function podName(object: unknown): string {
  const metadata = (object as { metadata?: { name?: unknown; generateName?: unknown } } | null | undefined)
    ?.metadata;
  const { name, generateName } = metadata ?? {};
  if (typeof name === 'string' && name !== '') return name.slice(0, maxNameLength);
  return typeof generateName === 'string' ? `${generateName.slice(0, maxNameLength)}*` : '';
}
