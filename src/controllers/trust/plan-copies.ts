import type { RootConfigMap } from './root-config-map.ts';

/** What one process remembers of its writes of one copy. */
export interface CopyWrites {
  /** Of the bundle that was written. */
  readonly digest: string;
  /** When the first of them was, by the monotonic clock. */
  readonly sinceMs: number;
  readonly count: number;
}

/** A copy that somebody else keeps changing back. */
export interface ContestedCopy {
  readonly namespace: string;
  /** Who: field managers, or another mesh. */
  readonly by: string;
  /** After this long it is written again, in milliseconds; absent: when the other one has gone. */
  readonly againInMs?: number;
}

/** What of the copies is to be written now, and what is left to others. */
export interface CopyPlan {
  /** Namespaces. */
  readonly write: readonly string[];
  readonly contested: readonly ContestedCopy[];
}

export interface CopyQuestion {
  /** Every namespace that should have a copy. */
  readonly namespaces: readonly string[];
  readonly copyIn: (namespace: string) => RootConfigMap | undefined;
  /** Of the bundle that all should hold. */
  readonly digest: string;
  /** The control-plane namespace. */
  readonly owner: string;
  /** The other control-plane namespaces that bring bundles to namespaces. */
  readonly rivals: ReadonlySet<string>;
  readonly writesIn: (namespace: string) => CopyWrites | undefined;
  readonly nowMs: number;
}

/** A copy that was written so often within the window is left to whoever changes it back, until the window ends. */
const maxWrites = 3;
const windowMs = 10 * 60_000;

/** Decides for each copy: it is right, it is to be written, or somebody else wants it otherwise. */
export function planCopies(question: CopyQuestion): CopyPlan {
  const write: string[] = [];
  const contested: ContestedCopy[] = [];
  for (const namespace of question.namespaces) {
    const copy = question.copyIn(namespace);
    if (copy !== undefined && isRight(copy, question)) continue;
    const dispute = disputeOver(namespace, copy, question);
    if (dispute === undefined) write.push(namespace);
    else contested.push(dispute);
  }
  return { write, contested };
}

/** What is remembered after another write. */
export function recordWrite(before: CopyWrites | undefined, digest: string, nowMs: number): CopyWrites {
  return before !== undefined && isOpen(before, digest, nowMs)
    ? { ...before, count: before.count + 1 }
    : { digest, sinceMs: nowMs, count: 1 };
}

/** Whether these writes still count; after the window, nothing need be remembered of them. */
export function stillCounts({ sinceMs }: CopyWrites, nowMs: number): boolean {
  return nowMs - sinceMs < windowMs;
}

function isRight({ digest, hasLabel, owner }: RootConfigMap, question: CopyQuestion): boolean {
  return digest === question.digest && hasLabel && owner === question.owner;
}

function disputeOver(
  namespace: string,
  copy: RootConfigMap | undefined,
  { owner, rivals, writesIn, digest, nowMs }: CopyQuestion,
): ContestedCopy | undefined {
  if (copy?.owner !== undefined && copy.owner !== owner && rivals.has(copy.owner)) {
    return { namespace, by: `the mesh of namespace ${copy.owner}` };
  }
  const writes = writesIn(namespace);
  if (writes === undefined || !isOpen(writes, digest, nowMs) || writes.count < maxWrites) return undefined;
  const by = copy === undefined ? 'somebody who deletes it' : (copy.writer ?? 'somebody');
  return { namespace, by, againInMs: writes.sinceMs + windowMs - nowMs };
}

function isOpen(writes: CopyWrites, digest: string, nowMs: number): boolean {
  return writes.digest === digest && stillCounts(writes, nowMs);
}
