import { createPrivateKey } from 'node:crypto';

/** So much of a key in a row is no accident. */
const traceLength = 24;

/**
 * How many traces of private keys a text has: the line that begins one in PEM, and pieces of these keys (PEM) as they
 * are in PEM, in a Secret's `data`, or in hexadecimal. A number and no text, so that a failure prints nothing of them.
 */
export function keyTraces(text: string, keysPem: readonly string[]): number {
  const pieces = keysPem.flatMap(piecesOf).filter((piece) => text.includes(piece)).length;
  return pieces + (text.match(/PRIVATE KEY/g) ?? []).length;
}

/** The middle of each form: there is the secret, while both ends say what kind of key it is or are the public half. */
function piecesOf(keyPem: string): string[] {
  const key = createPrivateKey(keyPem);
  const secret = Buffer.from(String(key.export({ format: 'jwk' }).d), 'base64url');
  const hexadecimal = secret.toString('hex').slice(0, 2 * traceLength);
  const lines = keyPem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const inData = Buffer.from(keyPem).toString('base64');
  const third = Math.floor(inData.length / 3);
  return [
    ...lines.slice(0, -1).map((line) => line.slice(-traceLength)),
    ...[
      inData.slice(third, third + traceLength),
      hexadecimal,
      secret.toString('base64url').slice(0, traceLength),
    ],
  ];
}
