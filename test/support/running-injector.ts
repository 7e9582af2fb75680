import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:https';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { ResolvedMesh } from '../../src/api/resolved-mesh.ts';
import type { PatchOperation } from '../../src/injection/json-patch.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { LogLine } from './recording-log.ts';
import { aResolvedMesh } from './resolved-mesh.ts';
import { MountedFolder, TestAuthority, type TestCertificate } from './serving-files.ts';

/** An HTTP answer. */
export interface Answer {
  readonly code: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** The `response` of an AdmissionReview, its patch parsed. */
export interface ReviewResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly patchType?: string;
  readonly patch: readonly PatchOperation[];
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

export interface InjectorOptions {
  readonly flags?: readonly string[];
  /** False: without certificate and configuration, and returns when it listens; default true. */
  readonly isComplete?: boolean;
}

/** A request whose body is being sent. */
export interface BegunRequest {
  readonly answer: Promise<Answer>;
  send(part: string): Promise<void>;
  /** Breaks the connection; `answer` rejects. */
  abort(): void;
}

const requestsMetric = 'sidecar_injection_requests_total';
const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

/** The configuration document of the injector. */
export function configurationText(mesh: ResolvedMesh = aResolvedMesh(), kubernetesMinor = 35): string {
  return JSON.stringify({ mesh, kubernetesMinor });
}

export function certificateFiles({ cert, key }: TestCertificate): Record<string, string> {
  return { 'tls.crt': cert, 'tls.key': key };
}

/** The real injector as a child process, run from its sources. The kernel ends it when the tests end. */
export class RunningInjector {
  readonly log: LogLine[] = [];
  readonly authority: TestAuthority;
  readonly certificates: MountedFolder;
  readonly configuration: MountedFolder;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcess;
  readonly #agent: Agent;

  private constructor(
    child: ChildProcess,
    authority: TestAuthority,
    certificates: MountedFolder,
    configuration: MountedFolder,
  ) {
    this.#child = child;
    this.authority = authority;
    this.certificates = certificates;
    this.configuration = configuration;
    this.#agent = new Agent({ keepAlive: true, ca: authority.caPem, maxSockets: 8 });
    this.ended = new Promise((done) => {
      child.once('close', (code, signal) => done(signal ?? code));
    });
  }

  /** Starts it with a valid certificate and configuration, and returns when it is ready. */
  static async start({ flags = [], isComplete = true }: InjectorOptions = {}): Promise<RunningInjector> {
    const authority = await TestAuthority.create();
    const certificates = await MountedFolder.create(certificateFiles(await authority.issue()));
    const configuration = await MountedFolder.create({ 'config.json': configurationText() });
    if (!isComplete) for (const folder of [certificates, configuration]) await folder.replace({});
    const command = [
      ...['--pdeathsig', 'KILL', '--', process.execPath, main, 'injector'],
      ...['--bind-address', '127.0.0.1:0', '--health-bind-address', '127.0.0.1:0'],
      ...['--metrics-bind-address', '127.0.0.1:0'],
      ...['--certificate-folder', certificates.path],
      ...['--configuration-file', `${configuration.path}/config.json`, ...flags],
    ];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    const injector = new RunningInjector(child, authority, certificates, configuration);
    createInterface(child.stderr).on('line', (line) => injector.log.push(parseLine(line)));
    await (isComplete ? injector.untilReady() : injector.untilLogged('Webhook listens'));
    return injector;
  }

  async untilReady(): Promise<void> {
    await this.#until('it is ready', async () => (await this.ready()).code === 200);
  }

  /** Port of the webhook. */
  get port(): number {
    return this.#portOf('Webhook listens');
  }

  #portOf(message: string, place = 0): number {
    const line = this.log.filter((candidate) => candidate.message === message)[place];
    if (line === undefined) throw new Error(`not logged yet: ${message}`);
    return Number(line.port);
  }

  async ready(): Promise<Answer> {
    return httpGet(`http://127.0.0.1:${this.#portOf('Endpoint listens', 0)}/readyz`);
  }

  /** All metrics, as Prometheus reads them. */
  async metrics(): Promise<string> {
    return (await httpGet(`http://127.0.0.1:${this.#portOf('Endpoint listens', 1)}/metrics`)).body;
  }

  /** The value of one metric line, such as `name` or `name{label="value"}`; 0 when there is none. */
  async metric(line: string): Promise<number> {
    const found = (await this.metrics()).split('\n').find((candidate) => candidate.startsWith(`${line} `));
    return found === undefined ? 0 : Number(found.slice(line.length + 1));
  }

  /** Sends a body to the webhook over a connection that is kept. Rejects when the connection breaks. */
  post(
    body: string | Buffer,
    { path = '/inject', method = 'POST', headers = {} as Record<string, string> } = {},
  ): Promise<Answer> {
    return new Promise((done, fail) => {
      const call = request(
        {
          ...{ host: '127.0.0.1', port: this.port, agent: this.#agent, path, method },
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            ...headers,
          },
        },
        (response) => {
          text(response).then(
            (answer) => done({ code: response.statusCode ?? 0, body: answer, headers: response.headers }),
            fail,
          );
        },
      );
      call.once('error', fail);
      call.end(body);
    });
  }

  /**
   * Begins a request with a body of this length on a connection of its own, and returns when the webhook has it;
   * `send` resolves when a part of the body is under way.
   */
  async beginPost(length: number): Promise<BegunRequest> {
    const begun = await this.metric(requestsMetric);
    const call = request({
      ...{ host: '127.0.0.1', port: this.port, ca: this.authority.caPem, agent: false },
      ...{ path: '/inject', method: 'POST' },
      headers: { 'content-type': 'application/json', 'content-length': length },
    });
    const answer = new Promise<Answer>((done, fail) => {
      call.once('error', fail);
      call.once('response', (response) => {
        const { statusCode = 0, headers } = response;
        text(response).then((body) => done({ code: statusCode, body, headers }), fail);
      });
    });
    call.flushHeaders();
    await this.#until('the request is under way', async () => (await this.metric(requestsMetric)) > begun);
    const send = (part: string) => new Promise<void>((done) => call.write(part, () => done()));
    const abort = () => {
      answer.catch(() => {}); // whoever aborts does not wait for it
      call.destroy();
    };
    return { answer, send, abort };
  }

  /** Asks about a pod and returns the review's answer. */
  async review(review: object, path = '/inject'): Promise<ReviewResponse> {
    const answer = await this.post(JSON.stringify(review), { path });
    if (answer.code !== 200) throw new Error(`HTTP ${answer.code}: ${answer.body}`);
    return responseOf(answer.body);
  }

  /** Serial number of the certificate that a new connection is shown. */
  servedSerial(): Promise<string> {
    return new Promise((done, fail) => {
      const socket = connect({ host: '127.0.0.1', port: this.port, ca: this.authority.caPem }, () => {
        done(socket.getPeerCertificate().serialNumber);
        socket.end();
      });
      socket.once('error', fail);
    });
  }

  async untilLogged(message: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#until(`it logs ${message}`, async () => this.logged(message, fields).length > 0);
  }

  logged(message: string, fields: Readonly<Record<string, unknown>> = {}): LogLine[] {
    return this.log.filter(
      (line) =>
        line.message === message && Object.entries(fields).every(([name, value]) => line[name] === value),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the process, whatever its state, and removes its files. */
  async remove(): Promise<void> {
    this.#agent.destroy();
    this.#child.kill('SIGKILL');
    await this.ended;
    await Promise.all([this.authority, this.certificates, this.configuration].map((files) => files.remove()));
  }

  async #until(what: string, check: () => Promise<boolean>): Promise<void> {
    const explain = async () =>
      this.log
        .slice(-15)
        .map((line) => JSON.stringify(line))
        .join('\n');
    await waitUntil({ what, intervalMs: 20, explain }, check);
  }
}

/** The answer to a review in a response's body. */
export function responseOf(body: string): ReviewResponse {
  const { response } = JSON.parse(body) as { response: ReviewResponse & { readonly patch?: string } };
  const { patch } = response as { readonly patch?: string };
  const operations =
    patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as PatchOperation[]);
  return { ...response, patch: operations };
}

async function httpGet(url: string): Promise<Answer> {
  const response = await fetch(url);
  return {
    code: response.status,
    body: await response.text(),
    headers: Object.fromEntries(response.headers),
  };
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 'error', message: line }; // what Node itself prints when a process dies
  }
}
