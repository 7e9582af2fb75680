import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { ObservedCall } from '../../../../src/cli/sidecar-scope/observed-traffic.ts';
import { scopeUnits } from '../../../../src/cli/sidecar-scope/scope-options.ts';
import { type ScopeSuggestion, suggestScopes } from '../../../../src/cli/sidecar-scope/suggest-scopes.ts';
import { pick, type RandomNumbers, randomNumbers } from '../../../support/random.ts';
import {
  aCall,
  anIstioObject,
  aScopeCluster,
  aScopedService,
  aScopedWorkload,
  aTraffic,
} from '../../../support/scope-cluster.ts';

const namespaces = ['a', 'b', 'c', 'd', 'istio-system'];
const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

/** A call as its caller makes it, and as metrics have it: they differ where a route or another name is between. */
interface MadeCall {
  readonly observed: ObservedCall;
  /** What the proxy must have, `NAMESPACE/HOST`, besides the service that metrics name. */
  readonly alsoNeeded: readonly string[];
}

test.each(seeds)('no call that was seen is left out (seed %i)', (seed) => {
  const random = randomNumbers(seed);
  const { cluster, made } = aWorld(random);
  const callers = cluster.pods.map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.app}`);
  const traffic = aTraffic(
    made.map(({ observed }) => observed),
    callers,
  );

  for (const per of scopeUnits) {
    const { suggestions } = suggestScopes(cluster, traffic, { per });

    for (const suggestion of suggestions) {
      const mine = made.filter(({ observed }) => isOf(observed, suggestion));
      const needed = mine.flatMap(({ observed: { namespace, host }, alsoNeeded }) => [
        `${namespace}/${host}`,
        ...alsoNeeded,
      ]);
      expect(needed.filter((name) => !goesBy(name, suggestion))).toEqual([]);
      expect(suggestion.calls).toHaveLength(mine.length);
    }
  }
});

test('the worlds of this test have calls, routes, and other names between', () => {
  const worlds = seeds.map((seed) => aWorld(randomNumbers(seed)));
  const suggestions = worlds.flatMap(({ cluster, made }) => {
    const callers = cluster.pods.map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.app}`);
    const traffic = aTraffic(
      made.map(({ observed }) => observed),
      callers,
    );
    return suggestScopes(cluster, traffic, { per: 'workload' }).suggestions;
  });

  expect(worlds.flatMap(({ made }) => made).length).toBeGreaterThan(1000);
  expect(worlds.flatMap(({ made }) => made.flatMap(({ alsoNeeded }) => alsoNeeded)).length).toBeGreaterThan(
    300,
  );
  expect(suggestions.length).toBeGreaterThan(200);
});

/** As Istio documents `hosts` of a Sidecar's egress. */
function goesBy(name: string, { sidecar, namespace }: ScopeSuggestion): boolean {
  const [ownNamespace, host = ''] = name.split('/');
  const [listener] = (sidecar.spec as { egress: { hosts: string[] }[] }).egress;
  return (listener?.hosts ?? []).some((text) => {
    const [from, dnsName = ''] = text.split('/');
    const isFrom = from === '*' || from === ownNamespace || (from === '.' && namespace === ownNamespace);
    return (
      isFrom &&
      (dnsName === '*' || dnsName === host || (dnsName.startsWith('*.') && host.endsWith(dnsName.slice(1))))
    );
  });
}

function isOf({ source }: ObservedCall, { namespace, workloads }: ScopeSuggestion): boolean {
  return source.namespace === namespace && workloads.includes(source.workload);
}

/** Workloads and services, some routes and aliases, some Sidecars that are there, and calls. */
function aWorld(random: RandomNumbers) {
  const workloads = namespaces.flatMap((namespace) =>
    ['x', 'y', 'z'].filter(() => random() < 0.6).map((name) => aScopedWorkload(namespace, name)),
  );
  const own = namespaces.flatMap((namespace) => ['x', 'y', 'z'].map((name) => ({ namespace, name })));
  const hostOf = ({ namespace, name }: { namespace: string; name: string }) =>
    `${name}.${namespace}.svc.cluster.local`;
  const routes = own
    .filter(() => random() < 0.3)
    .map((from) => ({ from, to: pick(random, own), routeIn: pick(random, namespaces) }));
  const aliases = own
    .filter(() => random() < 0.2)
    .map((target, index) => ({ target, name: `alias-${index}` }));
  const services = [
    ...own.map(({ namespace, name }) => aScopedService(namespace, name)),
    ...aliases.map(({ target, name }) =>
      aScopedService('d', name, { type: 'ExternalName', externalName: hostOf(target) }),
    ),
  ];
  const virtualServices = routes.map(({ from, to, routeIn }, index) =>
    anIstioObject('VirtualService', routeIn, `route-${index}`, {
      hosts: [hostOf(from)],
      http: [{ route: [{ destination: { host: hostOf(to) } }] }],
    }),
  );
  const sidecars: KubernetesObject[] = namespaces
    .filter(() => random() < 0.3)
    .map((namespace) =>
      anIstioObject('Sidecar', namespace, 'mine', {
        ...(random() < 0.5 ? { workloadSelector: { labels: { app: 'x' } } } : {}),
        egress: [{ hosts: ['./*', `${pick(random, namespaces)}/*`] }],
      }),
    );
  const made = workloads.flatMap(({ pod: { metadata } }) =>
    own
      .filter(() => random() < 0.25)
      .map((called): MadeCall => {
        const caller = `${metadata.namespace}/${metadata.labels?.app}`;
        const to = (destination: typeof called) =>
          aCall(caller, `${destination.namespace}/${hostOf(destination)}`, Math.ceil(random() * 9));
        const route = routes.find(({ from }) => from === called);
        const alias = aliases.find(({ target }) => target === called);
        const byAlias = alias === undefined ? [] : [`${called.namespace}/${alias.name}.d.svc.cluster.local`];
        if (route === undefined) return { observed: to(called), alsoNeeded: byAlias };
        const name = hostOf(called);
        return {
          observed: to(route.to),
          alsoNeeded: [`${called.namespace}/${name}`, `${route.routeIn}/${name}`, ...byAlias],
        };
      }),
  );
  return {
    cluster: aScopeCluster({ workloads, services, istioObjects: [...virtualServices, ...sidecars] }),
    made,
  };
}
