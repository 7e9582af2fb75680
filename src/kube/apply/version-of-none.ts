/**
 * A version that no object of ours ever has. Server-side apply refuses an object whose version differs, and creates
 * one that does not exist whatever version it names: so this applies to new objects only, without a read before.
 */
export const versionOfNone = '1';
