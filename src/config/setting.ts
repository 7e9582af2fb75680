import { TerminalError } from '../base/errors.ts';

/** One thing that can be set by a flag or by an environment variable; the flag wins. */
export interface Setting<T> {
  /** Without the dashes: `log-level`. */
  readonly flag: string;
  readonly env: string;
  /** Placeholder of the value in help texts: `host:port`. */
  readonly value: string;
  readonly description: string;
  /** In the syntax of the flag; absent: `parse` gets undefined. */
  readonly default?: string;
  /** The typed value; throws with what is wrong and what would be right. */
  readonly parse: (text: string | undefined) => T;
}

/** Flags as the command line gave them, by their name without dashes; only those that were given. */
export type FlagValues = Readonly<Record<string, string | undefined>>;

/** Environment variables. An empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The typed value of a setting. Throws TerminalError that names the flag or the variable the bad text came from. */
export function readSetting<T>(setting: Setting<T>, flags: FlagValues, env: Environment): T {
  const fromFlag = flags[setting.flag];
  const fromEnv = env[setting.env] || undefined;
  const source = fromFlag !== undefined ? `--${setting.flag}` : setting.env;
  try {
    return setting.parse(fromFlag ?? fromEnv ?? setting.default);
  } catch (error) {
    throw new TerminalError(`${source}: ${error instanceof Error ? error.message : String(error)}`, {
      reason: 'InvalidConfiguration',
      cause: error,
    });
  }
}
