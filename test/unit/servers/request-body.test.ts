import { type ClientRequest, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BodyBudget, type BodyResult, readBody } from '../../../src/servers/request-body.ts';
import { waitUntil } from '../../cluster/wait-until.ts';

const limitBytes = 10;

let budget: BodyBudget;
let results: BodyResult[];
let server: Server;

/** Answers with what the body was, or why there is none. */
beforeEach(async () => {
  budget = { limitBytes: 15, heldBytes: 0 };
  results = [];
  server = createServer(async (incoming, response) => {
    const result = await readBody(incoming, limitBytes, budget);
    results.push(result);
    response.end(typeof result === 'string' ? `(${result})` : result);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function begin(): { readonly call: ClientRequest; readonly answer: Promise<string> } {
  const { port } = server.address() as AddressInfo;
  const call = request({ host: '127.0.0.1', port, method: 'POST', agent: false });
  const answer = new Promise<string>((resolve, reject) => {
    call.once('response', (response) => text(response).then(resolve, reject));
    call.once('error', reject);
  });
  return { call, answer };
}

function send(body: string): Promise<string> {
  const { call, answer } = begin();
  call.end(body);
  return answer;
}

async function untilHeld(bytes: number): Promise<void> {
  await waitUntil({ what: `${bytes} bytes are held`, intervalMs: 1 }, async () => budget.heldBytes === bytes);
}

describe('the body of a request', () => {
  test.each([
    ['none', ''],
    ['as much as is allowed', '0123456789'],
  ])('is read: %s', async (_name, body) => {
    expect(await send(body)).toBe(body);
    expect(budget.heldBytes).toBe(0);
  });

  test('is read when it comes in parts', async () => {
    const { call, answer } = begin();
    call.write('012');
    await untilHeld(3);
    call.end('345');

    expect(await answer).toBe('012345');
    expect(budget.heldBytes).toBe(0);
  });

  test('beyond its bound is thrown away, and the client still gets an answer', async () => {
    const { call, answer } = begin();
    call.write('0123456789');
    await untilHeld(10);
    call.end('0123456789');

    expect(await answer).toBe('(too-large)');
    expect(budget.heldBytes).toBe(0);
  });

  test('beyond all reason is cut off', async () => {
    await expect(send('0'.repeat(1_000))).rejects.toThrow();
    await waitUntil({ what: 'it is given up', intervalMs: 1 }, async () => results.length > 0);

    expect(results).toEqual(['aborted']);
    expect(budget.heldBytes).toBe(0);
  });

  test('is refused while others hold too much together, and read again afterwards', async () => {
    const first = begin();
    first.call.write('01234567');
    await untilHeld(8);

    const refused = await send('0123456789');
    first.call.end();

    expect(refused).toBe('(overloaded)');
    expect(await first.answer).toBe('01234567');
    expect(budget.heldBytes).toBe(0);
    expect(await send('0123456789')).toBe('0123456789');
  });

  test('of a client that goes away holds nothing', async () => {
    const { call, answer } = begin();
    answer.catch(() => {}); // there is none
    call.write('012');
    await untilHeld(3);

    call.destroy();
    await untilHeld(0);

    expect(results).toEqual(['aborted']);
  });
});
