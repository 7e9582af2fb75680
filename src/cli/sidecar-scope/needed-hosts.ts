import { type EgressHost, egressHostText, importOf, isWithin, type KnownHost } from './egress-host.ts';
import type { AliasHost } from './mesh-host.ts';
import type { MeshKnowledge } from './proxy-knowledge.ts';

/**
 * The hosts of an egress by which workloads of a namespace can call all of `calls`: their own namespace, what the whole
 * mesh has, and each service elsewhere by its name. What a call is named by may be another host, of a route that leads to
 * the service or of a Service that stands for it; metrics do not say, so all such names are in it.
 */
export function neededHosts(
  knowledge: MeshKnowledge,
  namespace: string,
  calls: readonly KnownHost[],
): EgressHost[] {
  const always = alwaysNeeded(knowledge, namespace);
  const isThere = importOf(always, namespace);
  const hosts = new Map<string, EgressHost>();
  for (const needed of calls.flatMap((call) => namesOf(call, knowledge))) {
    if (isThere(needed)) continue;
    const host = { namespace: needed.namespace ?? '*', host: needed.host };
    hosts.set(egressHostText(host), host);
  }
  return [...always, ...[...hosts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, host]) => host)];
}

function alwaysNeeded({ rootNamespaces }: MeshKnowledge, namespace: string): EgressHost[] {
  const roots = rootNamespaces.filter((root) => root !== namespace);
  return ['.', ...roots].map((name) => ({ namespace: name, host: '*' }));
}

/** Every name by which a service may have been called, the routes behind some included. */
function namesOf(call: KnownHost, { routes, hosts, aliases }: MeshKnowledge): KnownHost[] {
  const routed = routes
    .filter(({ destinations }) => destinations.has(call.host))
    .flatMap((route) =>
      route.hosts.flatMap((host): KnownHost[] => [
        { namespace: route.namespace, host },
        ...hosts.filter((known) => isWithin(known.host, host)),
      ]),
    );
  const services = [call, ...routed];
  // An alias is told with its service, so it goes by the service's namespace (Istio: matchingAliasService).
  const further = services.flatMap(({ namespace, host }) =>
    aliasesOf(host, aliases).map((alias) => ({ namespace, host: alias })),
  );
  return [...services, ...further];
}

/** The names that stand for a host, also by way of others. */
function aliasesOf(host: string, aliases: readonly AliasHost[]): string[] {
  const found = new Set([host]);
  for (const name of found) {
    for (const alias of aliases) if (alias.target === name) found.add(alias.host);
  }
  found.delete(host);
  return [...found];
}
