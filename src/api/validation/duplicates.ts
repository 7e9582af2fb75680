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
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return value === undefined || first === index ? [] : [problemOf(index, first, value)];
  });
}
