import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../../cluster/wait-until.ts';
import { aReview } from '../../support/admission-review.ts';
import { aPod } from '../../support/injection-input.ts';
import { RunningInjector } from '../../support/running-injector.ts';

let injector: RunningInjector;
/** What an ordinary pod is answered; nothing that others send may change it. */
let usual: string;

const innocent = JSON.stringify(aReview(aPod()));
const mebibyte = 1024 * 1024;

beforeAll(async () => {
  injector = await RunningInjector.start();
  usual = (await injector.post(innocent)).body;
});

afterAll(async () => {
  await injector?.remove();
});

function deep(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

/** A review with this text in the place of a label's value, which is then anything but a text. */
function reviewWith(text: string): string {
  return innocent.replace('"hello"}', `"hello","x":${text}}`);
}

/** Each with the HTTP code it gets and a part of the answer. */
const refusals: readonly (readonly [name: string, body: string, code: number, answer: string])[] = [
  ['nothing', '', 400, 'The body is empty'],
  ['half a review', innocent.slice(0, 500), 400, 'The body is no JSON'],
  ['a review in a list', `[${innocent}]`, 400, 'The body is no AdmissionReview'],
  ['bytes that are no text', '\u0000\u0001\ufffd', 400, 'The body is no JSON'],
  ['a nesting of a million levels', '['.repeat(mebibyte), 400, 'nested deeper than 128 levels'],
  ['nesting in a review', reviewWith(deep(200)), 400, 'nested deeper than 128 levels'],
  ['millions of parts', `[${'[],'.repeat(1_500_000)}1]`, 400, 'more than 100000 parts'],
  [
    '10 MB',
    JSON.stringify(aReview(aPod(), { uid: 'x'.repeat(10_000_000) })),
    413,
    'larger than 6291456 bytes',
  ],
];

describe('a hostile request', () => {
  test.each(refusals)('with %s is refused', async (_name, body, code, answer) => {
    const before = await injector.metric('sidecar_injection_failure_total');

    const got = await injector.post(body);

    expect(got).toMatchObject({ code, body: expect.stringContaining(answer) });
    expect(await injector.metric('sidecar_injection_failure_total')).toBe(before + 1);
    expect((await injector.post(innocent)).body).toBe(usual);
  });

  test.each([
    ['to another path', 404, { path: '/validate' }],
    ['to a path with a bad variable', 404, { path: '/inject/a%3Db/c' }],
    ['by GET', 405, { method: 'GET' }],
    ['of another content type', 415, { headers: { 'content-type': 'application/yaml' } }],
    [
      'of a content type with parameters',
      415,
      { headers: { 'content-type': 'application/json; charset=x' } },
    ],
  ])('%s is refused with %i', async (_name, code, options) => {
    expect((await injector.post(innocent, options)).code).toBe(code);
    expect((await injector.post(innocent)).body).toBe(usual);
  });

  test.each([
    ['no pod at all', 'null', 'The object is not a pod'],
    ['a list', '[]', 'The object is not a pod'],
    [
      'a pod that is nested too deeply',
      `{"metadata":{},"spec":{"containers":[],"x":${deep(100)}}}`,
      'nested deeper',
    ],
    [
      'labels that are numbers',
      '{"metadata":{"labels":{"a":1}},"spec":{}}',
      'metadata.labels must map names to text',
    ],
    ['a prototype for metadata', '{"__proto__":{"metadata":{}},"spec":{}}', 'The object is not a pod'],
  ])('with %s is a denial that says so', async (_name, object, message) => {
    const body = innocent.replace(JSON.stringify(aPod()), object);

    const { code, body: answer } = await injector.post(body);

    expect(code).toBe(200);
    expect(JSON.parse(answer).response).toMatchObject({ allowed: false, status: { code: 400 } });
    expect(answer).toContain(message);
    expect((await injector.post(innocent)).body).toBe(usual);
  });

  test('with keys that reach for prototypes changes no answer', async () => {
    const keys = '"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"allowed":false}}';
    const body = innocent
      .replace('"request":{', `${keys},"request":{${keys},`)
      .replace('"metadata":{', `"metadata":{${keys},`)
      .replace('"spec":{', `"spec":{${keys},`);

    const { code, body: answer } = await injector.post(body);

    expect(code).toBe(200);
    expect(JSON.parse(answer).response.allowed).toBe(true);
    expect((await injector.post(innocent)).body).toBe(usual);
  });

  test('that never ends its body is cut off, while others are answered', async () => {
    const socket = connect({ host: '127.0.0.1', port: injector.port, ca: injector.authority.caPem });
    const cutOff = new Promise((resolve) => socket.once('close', resolve));
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('error', () => {});
    socket.write(
      'POST /inject HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );

    expect((await injector.post(innocent)).body).toBe(usual);
    await cutOff;

    expect(answer).toContain('408');
  });

  test('that goes away in the middle is counted, and holds nothing', async () => {
    const aborted = 'mesh_operator_injection_failures_total{reason="Aborted"}';
    const before = await injector.metric(aborted);
    for (let round = 0; round < 5; round += 1) {
      const request = await injector.beginPost(innocent.length);
      await request.send(innocent.slice(0, 300));
      request.abort();
    }

    await waitUntil(
      { what: 'all five are counted' },
      async () => (await injector.metric(aborted)) === before + 5,
    );
    expect((await injector.post(innocent)).body).toBe(usual);
  });

  test('that is no TLS harms nobody', async () => {
    const socket = connectTcp({ host: '127.0.0.1', port: injector.port });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write('POST /inject HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.resume();
    await closed;

    expect((await injector.post(innocent)).body).toBe(usual);
  });

  test('leaves nothing of itself in the log, and no bug', async () => {
    const secret = 'very-private';
    await injector.post(`{"${secret}`);
    await injector.post(innocent.replace('"metadata":{', `"metadata":{"annotations":{"${secret}":7},`));

    expect(JSON.stringify(injector.log)).not.toContain(secret);
    expect(injector.logged('Injection failed')).toEqual([]);
    expect((await injector.ready()).code).toBe(200);
  });
});
