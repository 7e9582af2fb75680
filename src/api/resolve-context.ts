import type { Values } from './spec/values.ts';

/** What every component resolves against, once version, profile and values are merged. */
export interface ResolveContext {
  readonly namespace: string;
  readonly revision: string;
  readonly hub: string;
  readonly tag: string;
  readonly values: Values;
}
