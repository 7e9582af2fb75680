import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildOwnGoProgram } from '../cluster/images/go-program.ts';

interface TargetReport {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly failedBy: Record<string, number>;
  readonly inFlight: number;
  readonly notSent: number;
  readonly connections: number;
  readonly answeredBy: Record<string, number>;
}

interface CallReport {
  readonly total: TargetReport;
  readonly targets: Record<string, TargetReport>;
  readonly lastFailures: readonly { readonly kind: string }[];
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
}

let program: string;
const children: ChildProcess[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  program = await buildOwnGoProgram('test-app', '.');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close();
});

describe('the test app', () => {
  it('counts each request once on both ends, and says who answered', async () => {
    const app = await serve('-name', 'shop', '-version', 'v7', '-tcp-port', '0', '-udp-port', '0');

    const { report, code } = await call('-count', '90', ...urls(app.http, app.tcp, app.udp));

    expect(code).toBe(0);
    expect(report.total).toMatchObject({ sent: 90, ok: 90, failed: 0, inFlight: 0, notSent: 0 });
    expect(report.targets[app.http]).toMatchObject({ ok: 30, answeredBy: { 'shop/v7': 30 } });
    expect(await countsOf(app.http)).toMatchObject({ answered: 30, byStatus: { 200: 30 }, inFlight: 0 });
  });

  it('splits failures by kind and exits with 1', async () => {
    const app = await serve();
    const closing = await aTcpServer((socket) => socket.once('data', () => socket.end()));
    const silent = await aTcpServer(() => {});
    const cutting = await anHttpServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('short', () => response.destroy());
    });
    const plain = await anHttpServer((_request, response) => response.end());
    const unused = `http://127.0.0.1:${await freePort()}`;
    const kinds = {
      [`${app.http}/?status=503`]: 'status-503',
      [`http://${closing}`]: 'closed',
      [`http://${silent}`]: 'timeout',
      [`http://${cutting}`]: 'body',
      [`https://${plain}`]: 'tls',
      [unused]: 'refused',
    };

    const { report, code } = await call('-count', '12', '-timeout', '300ms', ...urls(...Object.keys(kinds)));

    expect(code).toBe(1);
    const found = Object.entries(report.targets).map(([url, { failedBy }]) => [url, failedBy]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(kinds).map(([url, kind]) => [url, { [kind]: 2 }])),
    );
    expect(report.total).toMatchObject({ sent: 12, ok: 0, failed: 12 });
    expect(report.lastFailures).toHaveLength(12);
  });

  it('reports a request that broke on a reused connection instead of sending it again', async () => {
    const seen = { requests: 0 };
    const fragile = await anHttpServer((request, response) => {
      seen.requests += 1;
      if (seen.requests % 2 === 0) request.socket.destroy();
      else response.end();
    });

    const { report } = await call(
      '-count',
      '10',
      '-max-in-flight',
      '1',
      '-rate',
      '100',
      ...urls(`http://${fragile}`),
    );

    const { sent, ok, failed } = report.total;
    expect(seen.requests).toBe(sent);
    expect({ ok, failed }).toEqual({ ok: Math.ceil(sent / 2), failed: Math.floor(sent / 2) });
    expect(failed).toBeGreaterThan(0);
  });

  it('says how many requests it did not send while too many were under way', async () => {
    const silent = await aTcpServer(() => {});

    const { report, code } = await call(
      ...['-count', '10', '-max-in-flight', '4', '-rate', '1000', '-timeout', '1s'],
      ...urls(`http://${silent}`),
    );

    expect(code).toBe(1);
    const { sent, notSent, failedBy } = report.total;
    expect(sent + notSent).toBe(10);
    expect(notSent).toBeGreaterThan(0);
    expect(failedBy).toEqual({ timeout: sent });
  });

  it('loses and doubles no request when its counts are reset under load', async () => {
    const app = await serve();
    const caller = start('call', '-rate', '500', '-counts-port', '0', ...urls(`${app.http}/?delay=5ms`));
    const [countsUrl = ''] = await addressesOf(caller, ['counts']);

    const periods: TargetReport[] = [];
    for (let period = 0; period < 20; period += 1) {
      const answer = await fetch(`${countsUrl}/counts/reset`, { method: 'POST' });
      periods.push(((await answer.json()) as CallReport).total);
    }
    caller.kill('SIGTERM');
    const last = JSON.parse((await outcomeOf(caller)).stdout) as CallReport;

    const total = [...periods, last.total].reduce((sum, { ok }) => sum + ok, 0);
    expect(total).toBe((await countsOf(app.http)).answered);
    for (const { sent, ok, failed, inFlight } of periods) expect(sent).toBe(ok + failed + inFlight);
    expect(last.total.inFlight).toBe(0);
    expect(total).toBeGreaterThan(0);
  });

  it('answers the requests under way before it ends', async () => {
    const app = await serve();
    const slow = fetch(`${app.http}/?delay=1500ms`);
    await untilInFlight(app.http);

    app.child.kill('SIGTERM');

    expect((await slow).status).toBe(200);
    expect((await outcomeOf(app.child)).code).toBe(0);
  });

  it('reads what a client presents: method, headers and host', async () => {
    const seen = Promise.withResolvers<IncomingMessage>();
    const echo = await anHttpServer((request, response) => {
      seen.resolve(request);
      response.end();
    });

    await call(
      '-count',
      '1',
      '-host',
      'shop.example',
      '-header',
      'x-tenant: a',
      ...urls(`http://${echo}/path`),
    );

    const { method, url, headers } = await seen.promise;
    expect({ method, url }).toEqual({ method: 'GET', url: '/path' });
    expect(headers).toMatchObject({ host: 'shop.example', 'x-tenant': 'a' });
    expect(headers['transfer-encoding']).toBeUndefined();
  });

  it('prints the answer to one question, and says why there is none', async () => {
    const app = await serve('-name', 'shop');
    const asking = async (url: string) => {
      const { stdout, code } = await outcomeOf(start('ask', '-header', 'x-from: test', '-url', url));
      return { stdout, code };
    };

    const answered = await asking(`${app.http}/cart`);

    expect(answered.code).toBe(0);
    expect(JSON.parse(answered.stdout)).toMatchObject({
      name: 'shop',
      path: '/cart',
      headers: { 'X-From': ['test'] },
    });
    expect((await asking(`${app.http}/?status=503`)).code).toBe(1);
    expect(await asking(`http://127.0.0.1:${await freePort()}`)).toEqual({ code: 1, stdout: '' });
  });

  it('answers the health check of gRPC', async () => {
    const app = await serve();
    const session = connect(app.http);
    const request = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const trailers = new Promise((resolve) => request.once('trailers', resolve));

    request.end(Buffer.from([0, 0, 0, 0, 0]));

    expect([...(await buffer(request))]).toEqual([0, 0, 0, 0, 2, 8, 1]);
    expect(await trailers).toMatchObject({ 'grpc-status': '0' });
    session.close();
  });
});

async function serve(
  ...flags: string[]
): Promise<{ child: ChildProcess; http: string; tcp: string; udp: string }> {
  const child = start('serve', '-port', '0', ...flags);
  const wanted = ['http', ...(flags.includes('-tcp-port') ? ['tcp', 'udp'] : [])];
  const [http = '', tcp = '', udp = ''] = await addressesOf(child, wanted);
  return { child, http, tcp: tcp.replace('http:', 'tcp:'), udp: udp.replace('http:', 'udp:') };
}

async function call(...flags: string[]): Promise<{ report: CallReport; code: number | null }> {
  const { stdout, code } = await outcomeOf(start('call', '-rate', '300', ...flags));
  return { report: JSON.parse(stdout) as CallReport, code };
}

const outputs = new WeakMap<ChildProcess, Promise<Outcome>>();

function start(...args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const ended = new Promise<Outcome>((resolve) => child.once('close', (code) => resolve({ code, stdout })));
  outputs.set(child, ended);
  return child;
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return outputs.get(child) ?? Promise.reject(new Error('not started here'));
}

/** URLs of what the program says it listens on, in the order of `wanted`. */
async function addressesOf(child: ChildProcess, wanted: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  if (child.stderr === null) throw new Error('no standard error');
  for await (const line of createInterface(child.stderr)) {
    const [, what = '', port = ''] = /^listening (\S+) .*:(\d+)$/.exec(line) ?? [];
    found.set(what, `http://127.0.0.1:${port}`);
    if (wanted.every((name) => found.has(name))) break;
  }
  return wanted.map((name) => found.get(name) ?? '');
}

async function countsOf(url: string): Promise<{ answered: number; inFlight: number }> {
  return (await fetch(`${url}/counts`)).json() as Promise<{ answered: number; inFlight: number }>;
}

async function untilInFlight(url: string): Promise<void> {
  while ((await countsOf(url)).inFlight === 0);
}

function urls(...targets: string[]): string[] {
  return targets.flatMap((target) => ['-url', target]);
}

async function anHttpServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  return listen(createServer(handler));
}

async function aTcpServer(onConnection: Parameters<typeof createTcpServer>[1]): Promise<string> {
  return listen(createTcpServer({}, onConnection));
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
