import { isRecord } from '../../base/stable-json.ts';
import { type Problem, pathText } from '../problem.ts';
import type { ProtoField, ProtoMessages } from '../proto-fields.ts';
import { notOneOf, unknownKey } from './schema-problems.ts';
import { valueText } from './value-text.ts';

type Path = readonly PropertyKey[];

/**
 * Checks a JSON document against a protobuf message: every unknown field, wrong type, unknown enum value and
 * second member of a `oneof`. A null means "not set", as Istio reads it.
 */
export function findProtoProblems(
  messages: ProtoMessages,
  message: string,
  value: unknown,
  path: Path,
): Problem[] {
  const fields = messages[message] ?? {};
  if (!isRecord(value)) return [wrongType(path, 'an object', value)];
  const problems: Problem[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const innerPath = [...path, key];
    if (field === undefined) problems.push(unknownKey(pathText(innerPath), key, Object.keys(fields)));
    else if (inner !== null) problems.push(...findFieldProblems(messages, field, inner, innerPath));
  }
  return [...problems, ...findOneofProblems(fields, value, path)];
}

function findFieldProblems(
  messages: ProtoMessages,
  field: ProtoField,
  value: unknown,
  path: Path,
): Problem[] {
  if (field.map === true) {
    if (!isRecord(value)) return [wrongType(path, 'an object', value)];
    return Object.entries(value).flatMap(([key, inner]) =>
      findValueProblems(messages, field, inner, [...path, key]),
    );
  }
  if (field.repeated === true) {
    if (!Array.isArray(value)) return [wrongType(path, 'a list', value)];
    return value.flatMap((inner: unknown, index) =>
      findValueProblems(messages, field, inner, [...path, index]),
    );
  }
  return findValueProblems(messages, field, value, path);
}

function findValueProblems(
  messages: ProtoMessages,
  field: ProtoField,
  value: unknown,
  path: Path,
): Problem[] {
  if (field.message !== undefined) return findProtoProblems(messages, field.message, value, path);
  if (field.values !== undefined) {
    return field.values.includes(value as string) ? [] : [notOneOf(pathText(path), field.values, value)];
  }
  const rule = scalarRules[field.kind];
  if (rule === undefined || rule.accepts(value)) return [];
  return [wrongType(path, rule.wanted, value)];
}

interface ScalarRule {
  readonly wanted: string;
  accepts(value: unknown): boolean;
}

const durationPattern = /^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)$/;

const scalarRules: Readonly<Record<string, ScalarRule>> = {
  string: { wanted: 'text', accepts: (value) => typeof value === 'string' },
  bytes: { wanted: 'text', accepts: (value) => typeof value === 'string' },
  bool: { wanted: 'true or false', accepts: (value) => typeof value === 'boolean' },
  double: { wanted: 'a number', accepts: isNumber },
  float: { wanted: 'a number', accepts: isNumber },
  int32: { wanted: 'a whole number', accepts: isWholeNumberIn(-(2 ** 31), 2 ** 31 - 1) },
  uint32: { wanted: 'a whole number that is not negative', accepts: isWholeNumberIn(0, 2 ** 32 - 1) },
  int64: { wanted: 'a whole number', accepts: isWholeNumberIn(-(2 ** 63), 2 ** 63) },
  uint64: { wanted: 'a whole number that is not negative', accepts: isWholeNumberIn(0, 2 ** 64) },
  duration: {
    wanted: 'a duration with units, for example 10s',
    accepts: (value) => typeof value === 'string' && durationPattern.test(value),
  },
  struct: { wanted: 'an object', accepts: isRecord },
};

function isNumber(value: unknown): boolean {
  return (
    typeof value === 'number' || (typeof value === 'string' && value !== '' && Number.isFinite(Number(value)))
  );
}

/** Istio also reads whole numbers from text. */
function isWholeNumberIn(minimum: number, maximum: number): (value: unknown) => boolean {
  return (value) => {
    const number = typeof value === 'string' && /^-?[0-9]+$/.test(value) ? Number(value) : value;
    return Number.isInteger(number) && (number as number) >= minimum && (number as number) <= maximum;
  };
}

function wrongType(path: Path, wanted: string, value: unknown): Problem {
  const isUnquoted = wanted === 'text' && (typeof value === 'number' || typeof value === 'boolean');
  // A value that should stay secret must not be repeated in status or logs.
  const isSecret = /token|secret|password/i.test(String(path.at(-1)));
  const found = isSecret ? '' : `, but is ${valueText(value)}`;
  return {
    path: pathText(path),
    message: `must be ${wanted}${found}${isUnquoted ? ': put it in quotes' : ''}`,
  };
}

function findOneofProblems(
  fields: Readonly<Record<string, ProtoField>>,
  value: Record<string, unknown>,
  path: Path,
): Problem[] {
  const chosen = new Map<string, string[]>();
  // Sorted, since the API server gives keys back in another order than they were written in.
  for (const key of Object.keys(value).sort()) {
    const oneof = Object.hasOwn(fields, key) ? fields[key]?.oneof : undefined;
    if (oneof !== undefined && value[key] !== null) chosen.set(oneof, [...(chosen.get(oneof) ?? []), key]);
  }
  return [...chosen.values()]
    .filter((keys) => keys.length > 1)
    .map((keys) => ({ path: pathText(path), message: `must have only one of ${keys.join(', ')}` }));
}
