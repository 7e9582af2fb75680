import { readFileSync } from 'node:fs';
import type { AgentOptions, RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from '../base/clock.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import { stableHash } from '../base/stable-json.ts';

/** Where to find the API server and who we are. */
export interface OpenConnectionOptions {
  /** Path of a kubeconfig; absent: KUBECONFIG, then ~/.kube/config, then the pod's service account. */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig; absent: its current one. */
  readonly context?: string | undefined;
}

/** Everything one request needs beside its path. */
export interface RequestGrant {
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

/** Credentials and TLS material are read again this often: a pod's token file is replaced while it runs. */
const refreshIntervalMs = 10_000;

/** Below the 90 s after which the API server closes an idle connection, so that it is us who close first. */
const keepAliveMs = 50_000;

/**
 * One API server with one identity: base address, TLS, credentials that are refreshed, and one pool of connections.
 * Any number of clients share it.
 */
export class ApiConnection {
  /** `https://host:port`, without a trailing slash; may end in a path. */
  readonly baseUrl: string;
  /** Namespace of the context, or of the pod we run in; undefined when neither names one. */
  readonly namespace: string | undefined;
  /** For parts of the client library that make connections of their own. */
  readonly config: KubeConfig;
  readonly #clock: Clock;
  readonly #reload: () => void;
  #grant: RequestGrant | undefined;
  #grantedAtMs = 0;
  #tlsFingerprint = '';
  #pending: Promise<RequestGrant> | undefined;

  /** `reload` reads again into `config` whatever may have changed since; it throws nothing. */
  constructor(config: KubeConfig, clock: Clock, reload: () => void = () => {}) {
    const cluster = config.getCurrentCluster();
    if (cluster === null) {
      throw new TerminalError(
        `The kubeconfig has no cluster for its context ${JSON.stringify(config.getCurrentContext() ?? '')}; name one with --context`,
        { reason: 'InvalidKubeconfig' },
      );
    }
    this.baseUrl = cluster.server.replace(/\/+$/, '');
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim() || undefined;
    this.config = config;
    this.#clock = clock;
    this.#reload = reload;
  }

  /** Headers and dispatcher for one request; cheap but for one read of the credentials every 10 s. */
  async grant(): Promise<RequestGrant> {
    if (this.#grant !== undefined && this.#clock.monotonicMs() - this.#grantedAtMs < refreshIntervalMs) {
      return this.#grant;
    }
    this.#pending ??= this.#refresh().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Makes the next request read the credentials again; for after an answer of 401. */
  forgetCredentials(): void {
    this.#grantedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    await this.#grant?.dispatcher.destroy();
    this.#grant = undefined;
  }

  async #refresh(): Promise<RequestGrant> {
    this.#reload();
    const options: RequestOptions & AgentOptions = {};
    await this.config.applyToHTTPSOptions(options);
    const headers = headersOf(options);
    const dispatcher = await this.#dispatcherFor(options);
    this.#grant = { dispatcher, headers };
    this.#grantedAtMs = this.#clock.monotonicMs();
    return this.#grant;
  }

  /** The pool in use, or a new one when CA or client certificate have changed. */
  async #dispatcherFor(options: RequestOptions & AgentOptions): Promise<Dispatcher> {
    const { ca, cert, key, pfx, servername, rejectUnauthorized } = options;
    const fingerprint = stableHash([ca, cert, key, pfx, servername, rejectUnauthorized].map(String));
    if (this.#grant !== undefined && fingerprint === this.#tlsFingerprint) return this.#grant.dispatcher;
    const previous = this.#grant?.dispatcher;
    this.#tlsFingerprint = fingerprint;
    // Watches on the old pool end by themselves, so it is closed without waiting for them.
    void previous?.close();
    return this.#createDispatcher(options);
  }

  async #createDispatcher(options: RequestOptions & AgentOptions): Promise<Dispatcher> {
    const wanted = this.config.createDispatcherOptions(this.config.getCurrentCluster(), options);
    // Over HTTP/2 a request with a body that is aborted on its way makes Node (24.21) write without end and without a
    // turn for anything else, until memory is used up: Http2Session::SendPendingData. A stop aborts many.
    const pool = { allowH2: false, keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs };
    if (wanted.type === 'agent')
      return new Agent({ ...pool, connect: wanted.connect as buildConnector.BuildOptions });
    if (wanted.type === 'proxy') {
      const requestTls = wanted.requestTls as buildConnector.BuildOptions;
      return new ProxyAgent({
        ...pool,
        uri: wanted.uri,
        requestTls,
        // A proxy with a certificate is trusted as the API server is: so does istiod (Go's net/http), which has the same kubeconfig.
        proxyTls: { ...requestTls, allowH2: false },
        connect: wanted.connect as buildConnector.BuildOptions,
      });
    }
    if (wanted.type === 'none') return new Agent(pool);
    const { servername } = options;
    const dispatcher = await this.#createSocksDispatcher();
    return servername === undefined ? dispatcher : dispatcher.compose(expecting(servername));
  }

  /**
   * The library keeps its SOCKS connector to itself; it hands one out only through its own request type. That expects the
   * host of the address in the server's certificate, unless a request says another name.
   */
  async #createSocksDispatcher(): Promise<Dispatcher> {
    let dispatcher: Dispatcher | undefined;
    const context = {
      setHeaderParam: () => undefined,
      setDispatcher: (value: Dispatcher) => {
        dispatcher = value;
      },
    };
    await this.config.applySecurityAuthentication(
      context as unknown as Parameters<KubeConfig['applySecurityAuthentication']>[0],
    );
    return dispatcher ?? new Agent();
  }
}

/** Has each request say which name the certificate of its server must have. */
function expecting(servername: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    // A field that the library reads and its types leave out (undici lib/core/request.js).
    const named: Dispatcher.DispatchOptions & { readonly servername: string } = { ...options, servername };
    return dispatch(named, handler);
  };
}

/**
 * Reads the kubeconfig (or the pod's service account) and opens nothing yet. A file that is named is looked at again
 * whenever credentials are: somebody may put another token there. Its server must stay the same.
 * Throws TerminalError when the file or the context does not exist.
 */
export function openConnection(options: OpenConnectionOptions, clock: Clock): ApiConnection {
  const { kubeconfig } = options;
  try {
    const config = loadConfig(options);
    return new ApiConnection(config, clock, kubeconfig === undefined ? undefined : reloader(options, config));
  } catch (error) {
    if (error instanceof TerminalError) throw error;
    throw new TerminalError(
      `Cannot read the kubeconfig${kubeconfig === undefined ? '' : ` ${kubeconfig}`}: ${messageOf(error)}`,
      { reason: 'InvalidKubeconfig', cause: error },
    );
  }
}

function loadConfig({ kubeconfig, context }: OpenConnectionOptions): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

/** Takes over what a file says when that has changed, and nothing of one that is not whole. */
function reloader(options: OpenConnectionOptions, config: KubeConfig): () => void {
  const read = () => readFileSync(options.kubeconfig ?? '', 'utf8');
  let known = read();
  return () => {
    try {
      const text = read();
      if (text === known) return;
      const latest = loadConfig(options);
      if (latest.getCurrentCluster() === null || latest.getCurrentUser() === null) return;
      config.loadFromOptions(latest);
      known = text;
    } catch {
      // Gone, or being written: what it said before holds until the API server refuses that, which says more.
    }
  };
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}
