import type { JsonObject } from '../api/resolved-mesh.ts';

/**
 * A variable with a literal value. An empty one is written without `value`, as the API server hands it back;
 * the container still sees it set, to nothing.
 */
export function envValue(name: string, value: string): JsonObject {
  return value === '' ? { name } : { name, value };
}

/** A variable whose value is a field of the pod. */
export function envField(name: string, fieldPath: string): JsonObject {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

/** A variable whose value is a resource of the container; without a limit it is the node's capacity. */
export function envResource(
  name: string,
  resource: 'limits.cpu' | 'limits.memory' | 'requests.cpu',
): JsonObject {
  // The divisor is written out: the API server would add it, and then it would look like drift.
  return { name, valueFrom: { resourceFieldRef: { resource, divisor: '1' } } };
}

/**
 * Our variables and then the user's; a user's variable replaces ours of the same name, in our place, so that
 * `$(NAME)` references in later variables keep working. No name occurs twice.
 */
export function mergeEnv(ours: readonly JsonObject[], users: readonly JsonObject[]): JsonObject[] {
  const byName = new Map<string, JsonObject>();
  for (const variable of [...ours, ...users]) byName.set(String(variable.name), withoutEmptyValue(variable));
  return [...byName.values()];
}

function withoutEmptyValue({ value, ...rest }: JsonObject): JsonObject {
  return value === undefined || value === '' ? rest : { ...rest, value };
}

/** The literal value that the container will see; undefined when there is none. */
export function literalEnv(env: readonly JsonObject[], name: string): string | undefined {
  const value = env.find((variable) => variable.name === name)?.value;
  return typeof value === 'string' ? value : undefined;
}
