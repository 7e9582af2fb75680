import { load } from 'js-yaml';
import { messageOf } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import { PodRejectedError } from './pod-rejected-error.ts';

interface Bounds {
  readonly depth: number;
  readonly nodes: number;
}

/** Far above what an API server stores (1.5 MiB), and shallow enough for every recursive walk. */
const podBounds: Bounds = { depth: 64, nodes: 200_000 };
const annotationBounds: Bounds = { depth: 32, nodes: 10_000 };
const maxAnnotationLength = 262_144;

/** Throws PodRejectedError for a pod that is nested too deeply or has too many fields to be worked on. */
export function assertPodBounded(pod: unknown): void {
  assertBounded(pod, podBounds, 'The pod');
}

/** The JSON object in an annotation; throws PodRejectedError, naming the annotation, when it is none. */
export function parseJsonAnnotation(name: string, text: string): Record<string, unknown> | unknown[] {
  const value = parsed(name, text, 'JSON', () => JSON.parse(text) as unknown);
  if (isRecord(value) || Array.isArray(value)) return value;
  throw new PodRejectedError(`Annotation ${name} must be a JSON object`);
}

/** The YAML object in an annotation, `{}` when it is empty; throws as `parseJsonAnnotation`. */
export function parseYamlAnnotation(name: string, text: string): Record<string, unknown> {
  const value = parsed(name, text, 'YAML', () => load(text) as unknown);
  if (value === undefined || value === null) return {};
  if (isRecord(value)) return value;
  throw new PodRejectedError(`Annotation ${name} must be a YAML object`);
}

function parsed(name: string, text: string, format: string, parse: () => unknown): unknown {
  if (text.length > maxAnnotationLength) throw new PodRejectedError(`Annotation ${name} is too long`);
  let value: unknown;
  try {
    value = parse();
  } catch (error) {
    const [reason] = messageOf(error).split('\n');
    throw new PodRejectedError(`Annotation ${name} must be ${format}: ${reason}`);
  }
  assertBounded(value, annotationBounds, `Annotation ${name}`);
  return value;
}

/** Counts a shared part (a YAML alias) as often as it is met, so that a small text cannot mean a huge document. */
function assertBounded(value: unknown, bounds: Bounds, what: string): void {
  let nodes = 0;
  const visit = (inner: unknown, depth: number): void => {
    nodes += 1;
    if (nodes > bounds.nodes) throw new PodRejectedError(`${what} has more than ${bounds.nodes} fields`);
    if (typeof inner !== 'object' || inner === null) return;
    if (depth >= bounds.depth) {
      throw new PodRejectedError(`${what} is nested deeper than ${bounds.depth} levels`);
    }
    if (Array.isArray(inner)) for (const item of inner) visit(item, depth + 1);
    else for (const key of Object.keys(inner)) visit((inner as Record<string, unknown>)[key], depth + 1);
  };
  visit(value, 0);
}
