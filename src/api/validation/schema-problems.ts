import { z } from 'zod';
import { isRecord } from '../../base/stable-json.ts';
import { type Problem, pathText } from '../problem.ts';
import { fieldHint } from './field-hint.ts';
import { nearestName } from './nearest-name.ts';
import { schemaAt, unwrapped } from './schema-field.ts';
import { valueText } from './value-text.ts';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** A value of which each part may be missing: what is left once everything of the wrong shape is taken out. */
export type Draft<T> = T extends readonly (infer Element)[]
  ? readonly (Draft<Element> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> | undefined }
    : T;

/** What a schema says of a value. */
export interface SchemaFindings<T> {
  readonly problems: readonly Problem[];
  /** The value without the parts that have problems; list indexes stay as they are. */
  readonly draft: Draft<T>;
}

/**
 * Checks a JSON value against a schema: every unknown key, wrong type and bad format, each with its path.
 * `root` is what paths start with. The value stays as it is.
 */
export function findSchemaProblems<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): SchemaFindings<z.infer<Schema>> {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const draft = structuredClone(value);
  for (const issue of issues) removePart(draft, issue);
  return {
    problems: issues.flatMap((issue) => problemsOf(schema, value, issue)),
    draft: draft as Draft<z.infer<Schema>>,
  };
}

function problemsOf(schema: z.ZodType, value: unknown, issue: Issue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => unknownKey(pathText([...issue.path, key]), key, known));
  }
  const path = pathText(issue.path);
  const found = valueAt(value, issue.path);
  // The API server drops a key with null; whoever reads a file must not be stricter.
  if (found === null && typeof issue.path.at(-1) === 'string') {
    return isOptional(schema, issue.path) ? [] : [{ path, message: 'is required' }];
  }
  if (found === undefined) return [{ path, message: 'is required' }];
  if (issue.code === 'invalid_value') return [notOneOf(path, issue.values, found)];
  return [{ path, message: issueMessage(issue, found) }];
}

/** An unknown key, with the name that was probably meant. */
export function unknownKey(path: string, key: string, known: Iterable<string>): Problem {
  const hint = fieldHint(path);
  if (hint !== undefined) {
    const { message, suggestion } = hint;
    return suggestion === undefined ? { path, message } : { path, message, suggestion };
  }
  const suggestion = nearestName(key, known);
  return suggestion === undefined
    ? { path, message: 'is not a field' }
    : { path, message: 'is not a field', suggestion };
}

/** A value outside a fixed set, with the one that was probably meant. */
export function notOneOf(path: string, allowed: readonly unknown[], found: unknown): Problem {
  const message =
    allowed.length === 1
      ? `must be ${String(allowed[0])}`
      : `must be one of ${allowed.map(String).join(', ')}`;
  const suggestion = typeof found === 'string' ? nearestName(found, allowed.map(String)) : undefined;
  return suggestion === undefined
    ? { path, message: `${message}, but is ${valueText(found)}` }
    : { path, message: `${message}, but is ${valueText(found)}`, suggestion };
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function issueMessage(issue: Issue, found: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = typeWords[issue.expected] ?? issue.expected;
      return `must be ${wanted}, but is ${valueText(found)}${typeAdvice(issue.expected, found)}`;
    }
    case 'too_small':
      if (isOurs(issue)) return issue.message;
      if (found === '') return 'must not be empty';
      if (Array.isArray(found) && found.length === 0) return 'must not be an empty list';
      return `must be at least ${issue.minimum}, but is ${valueText(found)}`;
    case 'too_big':
      return isOurs(issue) ? issue.message : `must be at most ${issue.maximum}, but is ${valueText(found)}`;
    default: {
      if (isRecord(found)) return issue.message;
      const isFraction = typeof found === 'number' && !Number.isInteger(found);
      return `${issue.message}, but is ${valueText(found)}${isFraction ? ': put it in quotes' : ''}`;
    }
  }
}

/** What to do about the usual ways in which YAML gives another type than was meant. */
function typeAdvice(expected: string, found: unknown): string {
  const isScalar = typeof found === 'number' || typeof found === 'boolean';
  if (expected === 'string' && isScalar) return ': put it in quotes';
  if (typeof found !== 'string') return '';
  const isNumeric = (expected === 'number' || expected === 'int') && /^-?[0-9]+(\.[0-9]+)?$/.test(found);
  const isBoolean = expected === 'boolean' && /^(true|false)$/.test(found);
  return isNumeric || isBoolean ? ': leave the quotes out' : '';
}

/** Messages of our schemas complete "<path>: "; those of the schema library do not. */
function isOurs(issue: Issue): boolean {
  return issue.message.startsWith('must ');
}

/** Keys that the schema knows at a path; empty where any key is allowed. */
function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  const found = schemaAt(schema, path);
  const inner = found === undefined ? undefined : unwrapped(found);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** True for a key that may be left out: an optional field, or any key of a map. */
function isOptional(schema: z.ZodType, path: Path): boolean {
  const parent = schemaAt(schema, path.slice(0, -1));
  if (parent !== undefined && unwrapped(parent) instanceof z.ZodRecord) return true;
  return schemaAt(schema, path) instanceof z.ZodOptional;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const segment of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, segment)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[segment];
  }
  return current;
}

function removePart(draft: unknown, issue: Issue): void {
  const paths =
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  for (const path of paths) {
    const last = path.at(-1);
    const parent = last === undefined ? undefined : valueAt(draft, path.slice(0, -1));
    if (last === undefined || typeof parent !== 'object' || parent === null) continue;
    // A list keeps its length, so that the indexes in later problems are those of the user's list.
    if (Array.isArray(parent)) parent[Number(last)] = undefined;
    else delete (parent as Record<PropertyKey, unknown>)[last];
  }
}
