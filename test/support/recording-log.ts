import { Writable } from 'node:stream';
import { createLogger, type Logger } from '../../src/observability/logger.ts';

/** A log line as it was written. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A real logger at level debug whose lines land in an array. */
export function recordingLog(): {
  readonly log: Logger;
  readonly lines: LogLine[];
  readonly sink: NodeJS.WritableStream;
} {
  const lines: LogLine[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n'))
        if (line !== '') lines.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  return { log: createLogger('debug', sink), lines, sink };
}
