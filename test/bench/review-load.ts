import { Client } from 'undici';

export interface ReviewLoadOptions {
  /** Of the webhook, on 127.0.0.1. */
  readonly port: number;
  readonly caPem: string;
  readonly connections: number;
}

/**
 * Asks one webhook over connections that stay open, one request at a time on each, in HTTP/1.1: as API servers do. It
 * does as little as it can, since what it does counts as time of the webhook.
 */
export class ReviewLoad {
  readonly #clients: readonly Client[];

  constructor({ port, caPem, connections }: ReviewLoadOptions) {
    this.#clients = Array.from(
      { length: connections },
      () =>
        new Client(`https://127.0.0.1:${port}`, { allowH2: false, pipelining: 1, connect: { ca: caPem } }),
    );
  }

  /**
   * Sends the reviews in turn for this long, on all connections at once. Returns the milliseconds that each answer took;
   * throws when an answer is no injection.
   */
  async run(reviews: readonly Buffer[], forMs: number): Promise<number[]> {
    const latenciesMs: number[] = [];
    const endMs = performance.now() + forMs;
    let sent = 0;
    const keepAsking = async (client: Client) => {
      for (let startMs = performance.now(); startMs < endMs; startMs = performance.now()) {
        const review = reviews[sent % reviews.length] ?? Buffer.alloc(0);
        sent += 1;
        const answer = await ask(client, review);
        latenciesMs.push(performance.now() - startMs);
        if (!isInjection(answer)) throw new Error(`an answer is no injection: ${answer.toString()}`);
      }
    };
    await Promise.all(this.#clients.map(keepAsking));
    return latenciesMs;
  }

  /** Whether a review is answered with a patch. */
  async isInjected(review: Buffer): Promise<boolean> {
    const [client] = this.#clients;
    if (client === undefined) throw new Error('there is no connection');
    return isInjection(await ask(client, review));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

/** Both webhooks write `"patchType":"JSONPatch"`, and nothing of that in any other answer. */
function isInjection(answer: Buffer): boolean {
  return answer.includes('"patchType":"JSONPatch"');
}

const headers = { 'content-type': 'application/json' };

/** The body of the answer; rejects when it is not HTTP 200. */
function ask(client: Client, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let code = 0;
    client.dispatch(
      { method: 'POST', path: '/inject?timeout=10s', headers, body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, statusCode) => {
          code = statusCode;
        },
        onResponseData: (_controller, chunk) => {
          chunks.push(chunk);
        },
        onResponseEnd: () => {
          const answer = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
          if (code === 200) resolve(answer);
          else reject(new Error(`HTTP ${code}: ${answer.toString()}`));
        },
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
