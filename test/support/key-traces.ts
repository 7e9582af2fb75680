import { createPrivateKey } from 'node:crypto';

/** So much of a key in a row is no accident. */
const traceLength = 24;

/** What pieces of a key are written in, whatever the form: base64, base64url and hexadecimal. */
const run = new RegExp(`[\\w+/-]{${traceLength},}`, 'g');

/**
 * Counts how many traces of these private keys (PEM) a text has: the line that begins one in PEM, and pieces of them as
 * they are in PEM, in a Secret's `data`, or in hexadecimal. A number and no text, so that a failure prints nothing of
 * them.
 */
export function keyTracesIn(keysPem: readonly string[]): (text: string) => number {
  const pieces = new Set(keysPem.flatMap(piecesOf));
  return (text) => {
    let found = text.match(/PRIVATE KEY/g)?.length ?? 0;
    for (const [letters] of text.matchAll(run)) {
      for (let start = 0; start + traceLength <= letters.length; start += 1) {
        if (pieces.has(letters.slice(start, start + traceLength))) found += 1;
      }
    }
    return found;
  };
}

/** The middle of each form: there is the secret, while both ends say what kind of key it is or are the public half. */
function piecesOf(keyPem: string): string[] {
  const key = createPrivateKey(keyPem);
  const secret = Buffer.from(String(key.export({ format: 'jwk' }).d), 'base64url');
  const lines = keyPem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const inData = Buffer.from(keyPem).toString('base64');
  return [
    ...lines.slice(0, -1).map((line) => line.slice(-traceLength)),
    inData.slice(Math.floor(inData.length / 3)).slice(0, traceLength),
    ...[secret.toString('hex'), secret.toString('base64url')].map((text) => text.slice(0, traceLength)),
  ];
}
