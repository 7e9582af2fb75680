import { createLogger as createWinston, format, transports, type Logger as WinstonLogger } from 'winston';
import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';

/** Levels from the most severe; a logger prints its own level and those before it. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Variables of a log line; never a whole object, a key, a token or Secret data. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one JSON object a line. The message is constant; what varies goes into fields. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Takes each line without its end. */
export type LogSink = NodeJS.WritableStream;

/**
 * A logger of JSON lines: `time`, `level`, `message`, then the fields. An `error` field that holds an Error is
 * printed as its message, and its stack only at level debug.
 */
export function createLogger(level: LogLevel, sink: LogSink): Logger {
  const winston = createWinston({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: format.printf(lineText),
    transports: [new transports.Stream({ stream: sink })],
  });
  return wrap(winston);
}

function wrap(winston: WinstonLogger): Logger {
  return {
    error: (message, fields) => void winston.error(message, fields),
    warn: (message, fields) => void winston.warn(message, fields),
    info: (message, fields) => void winston.info(message, fields),
    debug: (message, fields) => void winston.debug(message, fields),
    child: (fields) => wrap(winston.child(fields)),
  };
}

type Line = Parameters<Parameters<typeof format.printf>[0]>[0];

function lineText({ level, message, error, ...fields }: Line): string {
  const line = { time: systemClock.now().toISOString(), level, message };
  try {
    return JSON.stringify({ ...line, ...fields, ...errorFields(level, error) });
  } catch {
    // A field that JSON cannot hold must not stop whoever wanted to say something.
    return JSON.stringify({ ...line, fields: 'cannot be printed' });
  }
}

function errorFields(level: string, error: unknown): { error?: string; stack?: string | undefined } {
  if (error === undefined) return {};
  const isStackWanted = level === 'debug' && error instanceof Error;
  return { error: messageOf(error), ...(isStackWanted ? { stack: error.stack } : {}) };
}
