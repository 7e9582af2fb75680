import { type LeafPattern, parseLeafPattern } from './leaf-pattern.ts';

/** One step of the path of a patch: into an object, or into a list. */
export type OverlayStep = KeyStep | IndexStep | ItemStep;

export interface KeyStep {
  readonly kind: 'key';
  readonly key: string;
  /** As it was written. */
  readonly text: string;
}

/** `[2]`; -1 is behind the last item. */
export interface IndexStep {
  readonly kind: 'index';
  readonly index: number;
  readonly text: string;
}

/** `[key:value]` for an item that is an object, `[:text]` for one that is not; which it is, the list says. */
export interface ItemStep {
  readonly kind: 'item';
  /** What an object must have; undefined for a path that cannot mean one. */
  readonly field: { readonly key: string; readonly value: string } | undefined;
  /** What a text must match; undefined for a path that cannot mean one. */
  readonly pattern: LeafPattern | undefined;
  readonly text: string;
}

/** A path that is not understood, as a sentence that follows its place. */
export interface BadPath {
  readonly problem: string;
}

/** Reads the path of a patch as IstioOperator writes it: `spec.template.spec.containers.[name:discovery].args.[:--log]`. */
export function parseOverlayPath(path: string): readonly OverlayStep[] | BadPath {
  const parts = splitPath(path);
  if ('problem' in parts) return parts;
  const steps: OverlayStep[] = [];
  for (const part of parts) {
    const step = part.isBracket
      ? parseBracket(part.text)
      : { kind: 'key' as const, key: unescapeDots(part.text), text: part.text };
    if ('problem' in step) return step;
    steps.push(step);
  }
  if (steps.length === 0) {
    return { problem: 'must name a place, for example spec.template.spec.dnsPolicy' };
  }
  return steps;
}

/** The steps as one path. */
export function overlayPathText(steps: readonly OverlayStep[]): string {
  return steps.map(({ text }) => text).join('.');
}

interface Part {
  readonly text: string;
  readonly isBracket: boolean;
}

/** A key ends at a dot or at a bracket, a bracket where it is closed; a dot in a bracket is no end. */
function splitPath(path: string): Part[] | BadPath {
  const parts: Part[] = [];
  let rest = path;
  while (rest !== '') {
    if (rest.startsWith('.')) {
      rest = rest.slice(1);
      continue;
    }
    const isBracket = rest.startsWith('[');
    const match = isBracket ? /^\[.*?\](?=$|[.[])/s.exec(rest) : /^(\\.|[^\\.[]|\\$)+/s.exec(rest);
    if (match === null)
      return { problem: `must close the bracket of ${rest}, and have a dot or nothing behind it` };
    parts.push({ text: match[0], isBracket });
    rest = rest.slice(match[0].length);
  }
  return parts;
}

function parseBracket(text: string): IndexStep | ItemStep | BadPath {
  const inner = unescapeDots(text.slice(1, -1));
  if (/^[+-]?[0-9]{1,9}$/.test(inner)) {
    const index = Number(inner);
    if (index >= -1) return { kind: 'index', index: index + 0, text };
    return { problem: `has ${text}: an index is 0 or more, or -1 for behind the last` };
  }
  const isPlainText = inner.startsWith(':') && inner.length > 1;
  const field = isPlainText ? undefined : fieldOf(inner);
  const pattern =
    inner === '' || inner === ':' ? undefined : parseLeafPattern(isPlainText ? inner.slice(1) : inner);
  if (field === undefined && pattern === undefined) return { problem: `has ${text}, which names no item` };
  if (pattern !== undefined && 'problem' in pattern) {
    return field === undefined
      ? { problem: `has ${text}, which ${pattern.problem}` }
      : { kind: 'item', field, pattern: undefined, text };
  }
  return { kind: 'item', field, pattern, text };
}

/** `key:value`, in which a colon of the value is written `\:`. */
function fieldOf(text: string): ItemStep['field'] {
  const [, key, value] = /^([A-Za-z0-9_-]+):((?:\\:|[^:])+)$/s.exec(text) ?? [];
  return key === undefined || value === undefined ? undefined : { key, value: value.replaceAll('\\:', ':') };
}

function unescapeDots(text: string): string {
  return text.replaceAll('\\.', '.');
}
