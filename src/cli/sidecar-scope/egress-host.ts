/** A host of a Sidecar's egress, `NAMESPACE/HOST` (Istio: Sidecar, IstioEgressListener.hosts). */
export interface EgressHost {
  /** A name, `.` for the namespace of the Sidecar, `*` for all, or `~` for none. */
  readonly namespace: string;
  /** A host, one with a wildcard in front, or `*`. */
  readonly host: string;
}

/** What `hosts` of a Sidecar says, without what is not of that form, which istiod leaves out as well. */
export function readEgressHosts(hosts: readonly unknown[]): EgressHost[] {
  return hosts.flatMap((text) => {
    const [namespace, host, ...more] = typeof text === 'string' ? text.split('/') : [];
    return namespace === undefined || host === undefined || more.length > 0 ? [] : [{ namespace, host }];
  });
}

/** As `hosts` of a Sidecar has it. */
export function egressHostText({ namespace, host }: EgressHost): string {
  return `${namespace}/${host}`;
}

/** Something that a proxy may know: a service, or a route. */
export interface KnownHost {
  /** Undefined: nobody knows whose it is, so only an entry for all namespaces is sure to have it. */
  readonly namespace: string | undefined;
  readonly host: string;
}

/** What proxies of `ownNamespace` know by these hosts of an egress; a look-up does not depend on how many there are. */
export function importOf(hosts: readonly EgressHost[], ownNamespace: string): (known: KnownHost) => boolean {
  const entries = hosts.map(({ namespace, host }) => ({
    namespace: namespace === '.' ? ownNamespace : namespace,
    host,
  }));
  const exact = new Set(entries.map(egressHostText));
  const patterns = entries.filter(({ host }) => host.startsWith('*'));
  return ({ namespace, host }) =>
    (namespace !== undefined && exact.has(egressHostText({ namespace, host }))) ||
    exact.has(egressHostText({ namespace: '*', host })) ||
    patterns.some(
      (pattern) =>
        (pattern.namespace === '*' || pattern.namespace === namespace) && isWithin(host, pattern.host),
    );
}

/** True when every name that `host` stands for is one that `pattern` stands for (Istio pkg/config/host, `SubsetOf`). */
export function isWithin(host: string, pattern: string): boolean {
  return pattern.startsWith('*') ? host.endsWith(pattern.slice(1)) : host === pattern;
}
