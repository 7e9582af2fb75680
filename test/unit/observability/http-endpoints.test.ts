import { afterEach, describe, expect, test } from 'vitest';
import {
  HttpEndpoints,
  type HttpEndpointsOptions,
  parseBindAddress,
} from '../../../src/observability/http-endpoints.ts';

let endpoints: HttpEndpoints | undefined;

afterEach(async () => {
  await endpoints?.stop();
  endpoints = undefined;
});

async function serve(options: Omit<HttpEndpointsOptions, 'bindAddress'>) {
  endpoints = new HttpEndpoints({ bindAddress: '127.0.0.1:0', ...options });
  await endpoints.start();
  const { port } = endpoints;
  return async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return { status: response.status, text: (await response.text()).trim() };
  };
}

describe('the HTTP endpoints', () => {
  test('say ok while all checks pass, and else which one failed and why', async () => {
    let problem: string | undefined;
    const get = await serve({ readyChecks: { leader: () => undefined, caches: () => problem } });

    expect(await get('/readyz')).toEqual({ status: 200, text: 'ok' });
    problem = 'waiting for pods';
    expect(await get('/readyz')).toEqual({ status: 503, text: 'caches: waiting for pods' });
    expect(await get('/healthz')).toEqual({ status: 200, text: 'ok' });
  });

  test('serve the metrics where they are given, and nothing else', async () => {
    const get = await serve({ metrics: async () => 'up 1' });

    expect(await get('/metrics?x=1')).toEqual({ status: 200, text: 'up 1' });
    expect((await get('/')).status).toBe(404);
    expect((await get('/healthz', 'POST')).status).toBe(405);
  });

  test('do not fail the process when metrics cannot be collected', async () => {
    const get = await serve({ metrics: () => Promise.reject(new Error('boom')) });

    expect(await get('/metrics')).toEqual({ status: 500, text: 'Error: boom' });
  });

  test('fail to start when the address is taken', async () => {
    await serve({});
    const second = new HttpEndpoints({ bindAddress: `127.0.0.1:${endpoints?.port}` });

    await expect(second.start()).rejects.toThrow('EADDRINUSE');
  });
});

describe('a bind address', () => {
  test.each([
    [':8080', { host: undefined, port: 8080 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
  ])('%s is understood', (text, parsed) => {
    expect(parseBindAddress(text)).toEqual(parsed);
  });

  test.each(['', '8080', 'host', 'host:', '::1:80x'])('%j is refused', (text) => {
    expect(() => parseBindAddress(text)).toThrow('is no address; write host:port or :port');
  });
});
