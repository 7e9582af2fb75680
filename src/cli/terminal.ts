/** Where a verb reads and writes; the process's own streams, or buffers in a test. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** A mistake in how a verb was called: printed as one line, exit code 2. */
export class UsageError extends Error {}

/** Codes that every verb exits with: `failed` when what it looked at is wrong, `usage` when it was called wrongly. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
