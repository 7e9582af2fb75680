import type { IncomingMessage } from 'node:http';

/** Bytes of bodies that all requests together may hold. */
export interface BodyBudget {
  readonly limitBytes: number;
  heldBytes: number;
}

/** A whole body, or why there is none. `too-large`: beyond its own bound; `overloaded`: beyond all bodies' bound. */
export type BodyResult = Buffer | 'too-large' | 'overloaded' | 'aborted';

/** Beyond this much of a body nobody waits for its end to answer politely. */
const politenessFactor = 8;

/**
 * Reads a request's body up to `limitBytes`. Of a larger one the rest is thrown away as it comes, so that the client
 * has sent all and reads our answer; only one that is larger by far is cut off. Never rejects.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  budget: BodyBudget,
): Promise<BodyResult> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let receivedBytes = 0;
    let heldBytes = 0;
    let refusal: 'too-large' | 'overloaded' | undefined;
    const release = () => {
      chunks = [];
      budget.heldBytes -= heldBytes;
      heldBytes = 0;
    };
    request.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      if (receivedBytes > limitBytes) refusal = 'too-large';
      else if (budget.heldBytes + chunk.length > budget.limitBytes) refusal ??= 'overloaded';
      if (refusal !== undefined) {
        release();
        if (receivedBytes > limitBytes * politenessFactor) request.destroy();
        return;
      }
      chunks.push(chunk);
      heldBytes += chunk.length;
      budget.heldBytes += chunk.length;
    });
    request.on('end', () => {
      const body = refusal ?? (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
      release();
      resolve(body);
    });
    request.on('close', () => {
      release();
      resolve('aborted');
    });
    // Its `close` follows and tells the same.
    request.on('error', () => undefined);
  });
}
