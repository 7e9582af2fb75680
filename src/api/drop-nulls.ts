import { isRecord } from '../base/stable-json.ts';

/**
 * A copy without the keys whose value is null, as the API server stores it: `pilot:` with nothing after it says
 * nothing. Lists keep their items. `meshConfig` stays as it is: a null there takes a default away.
 */
export function dropNulls<T>(value: T): T {
  return dropped(value) as T;
}

function dropped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropped);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, key === 'meshConfig' ? inner : dropped(inner)]),
  );
}
