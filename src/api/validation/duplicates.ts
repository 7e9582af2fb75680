import type { Problem } from '../problem.ts';

/** A problem for each item of the list at a path that is the same as an earlier one; undefined is the same as nothing. */
export function findDuplicates<T>(
  at: string,
  list: readonly (T | undefined)[],
  identity: (item: T) => string | undefined,
): Problem[] {
  const names = list.map((item) => (item === undefined ? undefined : identity(item)));
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return [];
    return [
      { path: `${at}[${index}]`, message: `is a second ${name} beside ${at}[${first}]: keep one of them` },
    ];
  });
}
