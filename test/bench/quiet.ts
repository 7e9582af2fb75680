import { type AuditCounter, type RequestCounts, requestsOf, sumOf } from './audit-counts.ts';

/** Longer than the operator holds back a status that only tells of progress. */
const quietMs = 11_000;
const limitMs = 120_000;

/** Returns once the operator has asked nothing for a while, with all it asked until then. */
export async function awaitQuiet(audit: AuditCounter, forMs = quietMs): Promise<RequestCounts> {
  const deadlineMs = performance.now() + limitMs;
  const pieces = [await audit.take()];
  for (let quietSinceMs = performance.now(); performance.now() - quietSinceMs < forMs; ) {
    if (performance.now() > deadlineMs)
      throw new Error(`the operator was not quiet within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const counts = await audit.take();
    if (requestsOf(counts) === 0) continue;
    pieces.push(counts);
    quietSinceMs = performance.now();
  }
  return sumOf(pieces);
}
