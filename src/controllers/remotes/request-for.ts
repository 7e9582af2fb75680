/** What asks for another credential for one cluster, by the value of the annotation; undefined when that names another one alone. */
export function requestFor(clusterName: string, asked: string | undefined): string | undefined {
  const [name, ...rest] = asked?.split('/') ?? [];
  return rest.length === 0 || name === clusterName ? asked : undefined;
}

/** The value of the annotation that asks for all, or for one cluster alone; another instant asks again. */
export function requestText(clusterName: string | undefined, now: Date): string {
  const at = now.toISOString();
  return clusterName === undefined ? at : `${clusterName}/${at}`;
}
