import { factsOf } from './certificate-facts.ts';

/** The text of `root-cert.pem` as its certificates, one PEM each, first to last; one may be there twice. */
export type RootOrder = readonly string[];

/**
 * The next text on the way from one that every replica of istiod has loaded to one that holds just the wanted roots;
 * undefined when it is there. What every step keeps to:
 *
 * - One text is a part of the other: so releases take it that compare texts (1.29), and those that compare sets. Roots
 *   are therefore added first, and others dropped later.
 * - Its first certificate ends at another second (`isShown`), by which a replica shows that it has loaded it, wherever
 *   there are certificates for that.
 *
 * It takes four steps at most, if nothing else is wanted meanwhile.
 */
export function nextOrder(present: RootOrder, wanted: RootOrder): RootOrder | undefined {
  const missing = without(wanted, present);
  if (missing.length > 0) return extended(present, missing);
  if (without(present, wanted).length === 0) return undefined;
  const isDistinct = present.some((root) => isShown(present, [root]));
  return (
    partOf(present, wanted, (part) => !isDistinct || isShown(present, part)) ?? prepared(present, wanted)
  );
}

/** Another text of the same roots, by which proxies ask for certificates anew (Istio pilot/pkg/xds, PCDS). */
export function turnedOrder(present: RootOrder): RootOrder {
  const part = partOf(present, present, ({ length }) => length < present.length);
  return part ?? extended(present, [...new Set(present)].slice(0, 1));
}

/** Whether a replica shows which of two texts it has loaded. */
export function isShown(before: RootOrder, after: RootOrder): boolean {
  return !hasSameEnd(before[0] ?? '', after[0] ?? '');
}

/** Those of a list that another one lacks, each once. */
export function without(roots: RootOrder, others: RootOrder): string[] {
  const seen = new Set(others.map(fingerprintOf));
  return roots.filter((root) => {
    const fingerprint = fingerprintOf(root);
    if (seen.has(fingerprint)) return false;
    seen.add(fingerprint);
    return true;
  });
}

function extended(present: RootOrder, more: readonly string[]): RootOrder {
  const lead = [...more, ...present].find((root) => isShown(present, [root]));
  if (lead === undefined) return [...more, ...present];
  return [lead, ...more.filter((root) => root !== lead), ...present];
}

/** The shortest unbroken part that holds the wanted roots and no others. */
function partOf(
  present: RootOrder,
  wanted: RootOrder,
  isGood: (part: RootOrder) => boolean,
): RootOrder | undefined {
  for (let { length } = without(wanted, []); length <= present.length; length += 1) {
    for (let start = 0; start + length <= present.length; start += 1) {
      const part = present.slice(start, start + length);
      if (isGood(part) && without(wanted, part).length === 0 && without(part, wanted).length === 0)
        return part;
    }
  }
  return undefined;
}

/** A longer text, of which the wanted roots are a part that shows: at once, or after another such step. */
function prepared(present: RootOrder, wanted: RootOrder): RootOrder {
  const roots = without(wanted, []);
  const startingWith = (start: string) => [start, ...roots.filter((root) => root !== start)];
  for (const lead of present) {
    const first = roots.find((root) => !hasSameEnd(root, lead));
    if (first !== undefined && isShown(present, [lead])) return [lead, ...startingWith(first), ...present];
  }
  const shown = roots.find((root) => isShown(present, [root])) ?? roots[0] ?? '';
  return [...startingWith(shown), ...present];
}

function hasSameEnd(one: string, other: string): boolean {
  return endOf(one) === endOf(other);
}

/** In seconds, as istiod shows it. */
function endOf(certPem: string): number {
  return Math.floor(factsOf(certPem).notAfter.getTime() / 1000);
}

function fingerprintOf(certPem: string): string {
  return factsOf(certPem).fingerprint;
}
