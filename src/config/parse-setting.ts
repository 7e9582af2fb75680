import { goDurationMs } from '../base/duration.ts';

/** Levels of the log, from the most severe. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** A DNS label; throws with what would be right. */
export function parseDnsLabel(text = ''): string {
  if (text.length > 63 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) {
    throw new Error(`${JSON.stringify(text)} is no name; use lower-case letters, digits and -, at most 63`);
  }
  return text;
}

/** `true` or `false`; throws for anything else. */
export function parseBoolean(text = ''): boolean {
  if (text !== 'true' && text !== 'false')
    throw new Error(`${JSON.stringify(text)} is neither true nor false`);
  return text === 'true';
}

/** A whole number within bounds; throws for anything else. */
export function parseCount(text: string | undefined, least: number, most: number): number {
  const count = /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(count >= least && count <= most)) {
    throw new Error(`${JSON.stringify(text)} is no whole number from ${least} to ${most}`);
  }
  return count;
}

/** Milliseconds of a Go duration such as `10m`, at least a second; throws for anything else. */
export function parseDurationMs(text = ''): number {
  const ms = goDurationMs(text);
  if (ms === undefined || ms < 1000) {
    throw new Error(`${JSON.stringify(text)} is no duration of a second or more; write 90s or 10m`);
  }
  return ms;
}

/** `host:port`, `:port` or `[v6]:port`; throws for anything else. */
export function parseAddress(text = ''): string {
  if (!/^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/.test(text)) {
    throw new Error(`${JSON.stringify(text)} is no address; write host:port or :port`);
  }
  return text;
}

/** A level of the log; throws for anything else. */
export function parseLogLevel(text = ''): LogLevel {
  if (text !== 'error' && text !== 'warn' && text !== 'info' && text !== 'debug') {
    throw new Error(`${JSON.stringify(text)} is no level; use error, warn, info or debug`);
  }
  return text;
}
