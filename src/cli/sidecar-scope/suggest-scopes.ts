import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type EgressHost, egressHostText, importOf, readEgressHosts } from './egress-host.ts';
import { recordOf, recordsIn, textsIn } from './mesh-host.ts';
import { neededHosts } from './needed-hosts.ts';
import {
  type ObservedCall,
  type ObservedTraffic,
  trafficResolutionMs,
  workloadText,
} from './observed-traffic.ts';
import {
  amountOf,
  type KnownAmount,
  knownHosts,
  type MeshKnowledge,
  meshKnowledge,
  routeDestinations,
  type ScopeCluster,
} from './proxy-knowledge.ts';
import type { SuggestOptions } from './scope-options.ts';
import { hasLabels, type SidecarWorkload, sidecarWorkloads } from './sidecar-workload.ts';

/** A Sidecar that would do. */
export interface ScopeSuggestion {
  readonly namespace: string;
  /** The workloads that it would be for. */
  readonly workloads: readonly string[];
  /** Ready to apply. */
  readonly sidecar: KubernetesObject;
  /** The calls of these workloads that were seen. */
  readonly calls: readonly ObservedCall[];
  /** What each of the proxies knows now, and what it would know. */
  readonly before: KnownAmount;
  readonly after: KnownAmount;
  /** How many services they would not know any more, by namespace. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The Sidecar that is in force now. */
  readonly existing?: ExistingScope | undefined;
  /** How many services each proxy would know on average, had each workload a Sidecar of its own. */
  readonly servicesPerWorkload?: number | undefined;
  /** What makes it doubtful: sentences without their full stops. */
  readonly doubts: readonly string[];
}

/** A Sidecar that there is, beside the calls. */
export interface ExistingScope {
  readonly name: string;
  /** Hosts of its egress by which nothing was called. */
  readonly unusedHosts: readonly string[];
  /** What was called and does not go by its egress. */
  readonly missingHosts: readonly string[];
}

/** Whom nothing is suggested for. */
export interface ScopeRefusal {
  readonly namespace: string;
  readonly workloads: readonly string[];
  /** A sentence without its full stop. */
  readonly why: string;
  readonly existing?: ExistingScope | undefined;
}

export interface ScopeReport {
  readonly suggestions: readonly ScopeSuggestion[];
  readonly refusals: readonly ScopeRefusal[];
}

/** A namespace with workloads, and what decides about their proxies. */
interface Place {
  readonly namespace: string;
  readonly knowledge: MeshKnowledge;
  readonly traffic: ObservedTraffic;
  readonly options: SuggestOptions;
  /** Those of the namespace, the oldest first. */
  readonly sidecars: readonly KubernetesObject[];
  /** In force where the namespace has none. */
  readonly rootSidecar: KubernetesObject | undefined;
}

/** The workloads that one Sidecar is for. */
interface Group {
  readonly workloads: readonly SidecarWorkload[];
  /** Whose calls count; those of workloads that have gone may belong to the namespace. */
  readonly isCaller: (workload: string) => boolean;
  /** The Sidecar that is theirs now, and that the suggestion would replace. */
  readonly own: KubernetesObject | undefined;
  readonly inForce: KubernetesObject | undefined;
}

const everything: readonly EgressHost[] = [{ namespace: '*', host: '*' }];

/** A workload that less of the window is known of, is said to be so: at its beginning or its end. */
const negligiblePart = 0.05;

/** kubectl keeps it on what is applied. */
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Sidecars by which each proxy knows its own namespace, that of its control plane, and what its workload has called; no
 * call that was seen is left out. Pure. A workload without any metric has none, since nobody knows what it calls.
 */
export function suggestScopes(
  cluster: ScopeCluster,
  traffic: ObservedTraffic,
  options: SuggestOptions,
): ScopeReport {
  const knowledgeOf = meshKnowledge(cluster);
  const sidecars = cluster.istioObjects.filter(({ kind }) => kind === 'Sidecar').sort(byAge);
  const outcomes = [...Map.groupBy(sidecarWorkloads(cluster), ({ namespace }) => namespace)]
    .filter(([namespace]) => options.namespace === undefined || namespace === options.namespace)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([namespace, workloads]): (ScopeSuggestion | ScopeRefusal)[] => {
      const knowledge = knowledgeOf(workloads[0]?.revision ?? 'default');
      const [rootNamespace] = knowledge.rootNamespaces.slice(-1);
      const place: Place = {
        ...{ namespace, knowledge, traffic, options },
        sidecars: sidecars.filter(({ metadata }) => metadata.namespace === namespace),
        rootSidecar: sidecars.find(
          (sidecar) => sidecar.metadata.namespace === rootNamespace && selectorOf(sidecar) === undefined,
        ),
      };
      return groupsOf(place, workloads).map((group) => suggestOne(place, group));
    });
  return {
    suggestions: outcomes.filter((outcome) => 'sidecar' in outcome),
    refusals: outcomes.filter((outcome) => 'why' in outcome),
  };
}

/** istiod takes the oldest Sidecar with a selector that matches, then the oldest without one, then that of the mesh. */
function groupsOf({ sidecars, rootSidecar, options }: Place, workloads: readonly SidecarWorkload[]): Group[] {
  const ofNamespace = sidecars.find((sidecar) => selectorOf(sidecar) === undefined);
  const selected = Map.groupBy(workloads, ({ labels }) =>
    sidecars.find((sidecar) => {
      const selector = selectorOf(sidecar);
      return selector !== undefined && hasLabels(labels, selector);
    }),
  );
  const others = selected.get(undefined) ?? [];
  selected.delete(undefined);
  const ofSelectors = [...selected].map(([own, members]): Group => {
    const names = new Set(members.map(({ workload }) => workload));
    return { workloads: members, isCaller: (name) => names.has(name), own, inForce: own };
  });
  if (options.per === 'workload') {
    const inForce = ofNamespace ?? rootSidecar;
    const single = (member: SidecarWorkload): Group => ({
      ...{ workloads: [member], own: undefined, inForce },
      isCaller: (name) => name === member.workload,
    });
    return [...ofSelectors, ...others.map(single)];
  }
  if (others.length === 0) return ofSelectors;
  return [
    ...ofSelectors,
    {
      workloads: others,
      isCaller: (name) => !ofSelectors.some(({ isCaller }) => isCaller(name)),
      own: ofNamespace,
      inForce: ofNamespace ?? rootSidecar,
    },
  ];
}

function suggestOne(place: Place, group: Group): ScopeSuggestion | ScopeRefusal {
  const { namespace, knowledge, traffic, options } = place;
  const workloads = group.workloads.map(({ workload }) => workload).sort();
  const calls = traffic.calls.filter(
    ({ source }) => source.namespace === namespace && group.isCaller(source.workload),
  );
  const hosts = neededHosts(knowledge, namespace, calls);
  const existing = existingScope(place, group, calls, hosts);
  const refusal = refusalOf(place, group);
  if (refusal !== undefined) return { namespace, workloads, why: refusal, existing };

  const known = knownHosts(knowledge, namespace, egressInForce(group));
  const kept = new Set(knownHosts(knowledge, namespace, hosts).map(({ host }) => host));
  const lost = known.filter(({ host }) => !kept.has(host));
  if (lost.length === 0 && (existing?.missingHosts ?? []).length === 0) {
    return { namespace, workloads, why: 'its proxies know no more than they need', existing };
  }
  return {
    ...{ namespace, workloads, calls, existing },
    sidecar: sidecarOf(place, group, hosts),
    before: amountOf(known),
    after: amountOf(knownHosts(knowledge, namespace, hosts)),
    leftOut: Object.fromEntries(
      [...Map.groupBy(lost, (host) => host.namespace)]
        .map(([name, { length }]) => [name, length] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    servicesPerWorkload:
      options.per === 'namespace' && workloads.length > 1 ? meanPerWorkload(place, group, calls) : undefined,
    doubts: doubtsOf(traffic, group, calls),
  };
}

function refusalOf({ namespace, knowledge, traffic, options }: Place, group: Group): string | undefined {
  const { own, workloads } = group;
  const seen = new Set(traffic.workloads.map(workloadText));
  const unseen = workloads
    .filter((workload) => !seen.has(workloadText(workload)))
    .map(({ workload }) => workload);
  if (knowledge.rootNamespaces.includes(namespace) && options.per === 'namespace' && !isSelective(own)) {
    return 'a Sidecar of this namespace without a selector is for the whole mesh';
  }
  if (unseen.length > 0) {
    const others = unseen.length < workloads.length ? '; --per workload gives the others theirs' : '';
    return `there are no metrics of ${unseen.sort().join(', ')}, so nobody knows what is called from there${others}`;
  }
  if (recordsIn(recordOf(own?.spec).egress).some(isListener)) {
    return `Sidecar ${own?.metadata.name} has listeners with ports, binds or capture modes of their own, which calls do not tell`;
  }
  const [single] = workloads;
  if (options.per === 'workload' && own === undefined && single?.selector === undefined) {
    return 'no labels tell its pods from others: its controller names none, or others have them as well';
  }
  return undefined;
}

/** The Sidecar that is theirs with another egress, or a new one. */
function sidecarOf({ namespace, sidecars, options }: Place, group: Group, hosts: readonly EgressHost[]) {
  const egress = [{ hosts: hosts.map(egressHostText) }];
  const [single] = group.workloads;
  const kind = { apiVersion: 'networking.istio.io/v1', kind: 'Sidecar' };
  if (group.own !== undefined) {
    const { name, labels, annotations = {} } = group.own.metadata;
    const { [lastAppliedAnnotation]: _, ...kept } = annotations;
    return {
      ...kind,
      metadata: {
        ...{ name, namespace },
        ...(labels === undefined ? {} : { labels }),
        ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }),
      },
      spec: { ...recordOf(group.own.spec), egress },
    };
  }
  const isSingle = options.per === 'workload' && single?.selector !== undefined;
  const wanted = isSingle ? single.workload : 'default';
  const isTaken = sidecars.some(({ metadata }) => metadata.name === wanted);
  return {
    ...kind,
    metadata: { name: isTaken ? `${wanted}-scope` : wanted, namespace },
    spec: { ...(isSingle ? { workloadSelector: { labels: { ...single.selector } } } : {}), egress },
  };
}

function existingScope(
  { namespace, knowledge }: Place,
  group: Group,
  calls: readonly ObservedCall[],
  hosts: readonly EgressHost[],
): ExistingScope | undefined {
  if (group.inForce === undefined) return undefined;
  const egress = egressInForce(group);
  const imports = importOf(egress, namespace);
  const led = routeDestinations(knowledge.routes, imports);
  const missing = calls.filter((call) => !imports(call) && !led.has(call.host));
  const always = ['.', namespace, '~', ...knowledge.rootNamespaces];
  const isUsed = (entry: EgressHost) => {
    const importsOne = importOf([entry], namespace);
    return hosts.some((host) =>
      importsOne({ ...host, namespace: host.namespace === '.' ? namespace : host.namespace }),
    );
  };
  const { metadata } = group.inForce;
  return {
    name: `${metadata.namespace ?? ''}/${metadata.name}`,
    unusedHosts: egress
      .filter((entry) => !always.includes(entry.namespace) && !isUsed(entry))
      .map(egressHostText),
    missingHosts: [...new Set(missing.map((call) => `${call.namespace ?? '*'}/${call.host}`))].sort(),
  };
}

function meanPerWorkload(
  { namespace, knowledge }: Place,
  { workloads }: Group,
  calls: readonly ObservedCall[],
): number {
  const bySource = Map.groupBy(calls, ({ source }) => source.workload);
  const amounts = workloads.map(({ workload }) => {
    const hosts = neededHosts(knowledge, namespace, bySource.get(workload) ?? []);
    return knownHosts(knowledge, namespace, hosts).length;
  });
  return Math.round(amounts.reduce((sum, amount) => sum + amount, 0) / workloads.length);
}

function doubtsOf(traffic: ObservedTraffic, { workloads }: Group, calls: readonly ObservedCall[]): string[] {
  const windowMs = traffic.to.getTime() - traffic.from.getTime();
  const toleratedMs = Math.max(negligiblePart * windowMs, 2 * trafficResolutionMs(windowMs));
  const seen = new Map(traffic.workloads.map((workload) => [workloadText(workload), workload]));
  const short = workloads.flatMap((workload) => {
    const { from = traffic.from, to = traffic.to } = seen.get(workloadText(workload)) ?? {};
    const since =
      from.getTime() - traffic.from.getTime() > toleratedMs ? [`since ${from.toISOString()}`] : [];
    const until = traffic.to.getTime() - to.getTime() > toleratedMs ? [`until ${to.toISOString()}`] : [];
    const when = [...since, ...until].join(' ');
    return when === '' ? [] : [`there are metrics of ${workload.workload} only ${when}`];
  });
  const unknown = new Set(calls.filter((call) => call.namespace === undefined).map(({ host }) => host));
  return [
    ...short,
    ...[...unknown].map(
      (host) => `metrics do not say whose ${host} is, so it is asked for in all namespaces`,
    ),
  ];
}

function egressInForce({ inForce }: Group): readonly EgressHost[] {
  const listeners = recordsIn(recordOf(inForce?.spec).egress);
  if (listeners.length === 0) return everything;
  return listeners.flatMap(({ hosts }) => readEgressHosts(textsIn(hosts)));
}

/** One that is about some ports, or some addresses, alone. */
function isListener({ port, bind, captureMode }: Record<string, unknown>): boolean {
  return port !== undefined || bind !== undefined || captureMode !== undefined;
}

function isSelective(sidecar: KubernetesObject | undefined): boolean {
  return sidecar !== undefined && selectorOf(sidecar) !== undefined;
}

function selectorOf({ spec }: KubernetesObject): Record<string, unknown> | undefined {
  const { workloadSelector } = recordOf(spec);
  return workloadSelector === undefined ? undefined : recordOf(recordOf(workloadSelector).labels);
}

function byAge(a: KubernetesObject, b: KubernetesObject): number {
  return (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1;
}
