import type { Problem } from '../problem.ts';

/** A problem for each item of the list at a path that is the same as an earlier one; undefined is the same as nothing. */
export function findDuplicates<T>(
  at: string,
  list: readonly (T | undefined)[],
  identity: (item: T) => string | undefined,
): Problem[] {
  return findRepeated(
    list.map((item) => (item === undefined ? undefined : identity(item))),
    (index, first, name) => ({
      path: `${at}[${index}]`,
      message: `is a second ${name} beside ${at}[${first}]: keep one of them`,
    }),
  );
}

/** The same, in the words of whoever asks: `first` is where the value is for the first time. */
export function findRepeated(
  values: readonly (string | undefined)[],
  problemOf: (index: number, first: number, value: string) => Problem,
): Problem[] {
  return findRepeatedBy(
    [...values.entries()],
    ([, value]) => value,
    ([index], [first], value) => problemOf(index, first, value),
  );
}

/** The same for items that are not in one list: `first` is the first that is the same; undefined is no problem. */
export function findRepeatedBy<T>(
  items: readonly T[],
  identity: (item: T) => string | undefined,
  problemOf: (item: T, first: T, value: string) => Problem | undefined,
): Problem[] {
  const firsts = new Map<string, T>();
  return items.flatMap((item) => {
    const value = identity(item);
    if (value === undefined) return [];
    const first = firsts.get(value);
    if (first !== undefined) return problemOf(item, first, value) ?? [];
    firsts.set(value, item);
    return [];
  });
}
