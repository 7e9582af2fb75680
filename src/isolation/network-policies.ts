import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { labelsOfNamespace } from '../api/labels.ts';
import { resolveNetworkPolicy } from '../api/resolve-network-policy.ts';
import type { LabelSelector } from '../api/resolved-injection.ts';
import { matchesSelector } from '../injection/label-selector.ts';
import {
  type EvaluatedPod,
  NetworkPolicyEvaluator,
  type Packet,
  type PolicyWorld,
  type SideVerdict,
} from '../render/network-policy/evaluate-network-policies.ts';
import {
  renderControlPlanePolicies,
  renderGatewayPolicies,
  renderMemberPolicies,
} from '../render/network-policy/network-policies.ts';
import type { IsolationFinding, LayerResult } from './finding.ts';
import { recordIn } from './lenient-fields.ts';
import type { ObservedCluster } from './observed-cluster.ts';
import {
  type AddressClass,
  addressClasses,
  addressTexts,
  labelsFor,
  peerSelectors,
  podClasses,
  portClasses,
  portText,
  type Range,
  withoutPorts,
} from './packet-classes.ts';
import type { Tenant } from './tenant.ts';

type Policies = PolicyWorld['policies'];
type Direction = 'ingress' | 'egress';

/** Somebody who sends or gets packets: a pod, or all pods or addresses that no policy tells from it. */
interface Place {
  /** As a packet has it. */
  readonly address: string;
  readonly pod?: EvaluatedPod;
  /** How a finding names it. */
  readonly name: string;
  /** A pod without labels that anybody who may make pods in this namespace could make. */
  readonly isAnyOf?: string;
  readonly addresses?: AddressClass;
}

/** One packet that gets through against the table of flows. */
interface Leak {
  readonly outside: Place;
  readonly own: Place;
  readonly protocol: Packet['protocol'];
  readonly ports: Range<number>;
}

/** What opens the way for packets: a rule, or that there is none. */
interface Opening {
  readonly direction: Direction;
  readonly object: string;
  readonly path?: string;
  readonly leaks: Leak[];
  /** Those that policies of the other side alone hold. */
  readonly held: Leak[];
  readonly heldBy: Set<string>;
}

const protocols = ['TCP', 'UDP', 'SCTP'] as const;

/**
 * Packets that a tenant's own NetworkPolicies let in from outside, or out, and that the table of flows does not have.
 * Looks at every pod there is, every pod that could be made (in a member, or by somebody outside with labels that a rule
 * asks for), every address and every port, each once for all that no rule tells apart. Policies of the other side do not
 * count for closed: who they belong to may open them.
 */
export function proveNetworkPolicies(tenant: Tenant, cluster: ObservedCluster): LayerResult {
  // The API server takes one without a spec: it selects every pod, and lets nothing in.
  const policies = cluster.networkPolicies.map(({ metadata, spec }) => ({ metadata, spec: recordIn(spec) }));
  const expected = expectedPolicies(tenant);
  const { own, outside, hosts } = placesOf(tenant, cluster, policies, expected);
  const namespaces = cluster.namespaces.map((namespace) => ({
    metadata: { ...namespace.metadata, labels: labelsOfNamespace(namespace) },
  }));
  const pods = [...own, ...outside].flatMap(({ pod }) => pod ?? []);
  const evaluatorOf = (these: Policies) => new NetworkPolicyEvaluator({ policies: these, namespaces, pods });
  const [real, wanted] = [evaluatorOf(policies), evaluatorOf(expected)];
  const onAnyPort = evaluatorOf(withoutPorts(policies));
  const byNamespace = Map.groupBy([...policies, ...expected], ({ metadata }) => metadata.namespace ?? '');
  const openings = new Map<string, Opening>();
  for (const { own: inner, outside: outer, direction } of waysBetween(own, outside)) {
    const [from, to] = direction === 'ingress' ? [outer, inner] : [inner, outer];
    const between = { from: from.address, to: to.address };
    if (onAnyPort.judge({ ...between, port: 1, protocol: 'TCP' })[direction].outcome === 'denied') continue;
    const cuts = [inner, outer].flatMap(({ pod }) => byNamespace.get(pod?.metadata.namespace ?? '') ?? []);
    for (const ports of portClasses(cuts, to.pod === undefined ? [] : [to.pod])) {
      for (const protocol of protocols) {
        const packet = { ...between, port: ports.first, protocol };
        const verdict = real.judge(packet);
        const isMeant =
          isBy('rule', wanted.judge(packet)[direction]) || isBy('from-own-node', verdict[direction]);
        if (isMeant || verdict[direction].outcome === 'denied') continue;
        const foreign = verdict[direction === 'ingress' ? 'egress' : 'ingress'];
        const leak = { own: inner, outside: outer, protocol, ports };
        addLeak(openings, direction, verdict[direction], foreign, leak);
      }
    }
  }
  return {
    findings: [
      ...[...openings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, opening]) => findingOf(opening)),
      ...hosts.map(hostFinding),
      ...notesOf(tenant),
    ],
  };
}

interface Way {
  readonly own: Place;
  readonly outside: Place;
  readonly direction: Direction;
}

function waysBetween(own: readonly Place[], outside: readonly Place[]): Way[] {
  return own.flatMap((inner) =>
    outside.flatMap((outer) =>
      (['ingress', 'egress'] as const).map((direction) => ({ own: inner, outside: outer, direction })),
    ),
  );
}

/** What the table of flows means for this mesh, also where its spec asks for no policies. */
function expectedPolicies({ mesh, members }: Tenant): Policies {
  const { networkPolicy = resolveNetworkPolicy({}, mesh.platform) } = mesh;
  if (networkPolicy === undefined) return [];
  const guarded = { ...mesh, networkPolicy };
  // Nothing of the context is in a policy but its owner.
  const context = { operatorImage: '', kubernetesMinor: 0 };
  return [
    ...renderControlPlanePolicies(guarded, context),
    ...renderGatewayPolicies(guarded, context),
    ...renderMemberPolicies(guarded, context, members),
  ] as unknown as Policies;
}

interface Places {
  readonly own: readonly Place[];
  readonly outside: readonly Place[];
  /** Pods of the tenant on the network of their nodes, of which no policy can say anything. */
  readonly hosts: readonly KubernetesObject[];
}

function placesOf(
  tenant: Tenant,
  { pods, namespaces }: ObservedCluster,
  policies: Policies,
  expected: Policies,
): Places {
  const all = pods as unknown as EvaluatedPod[];
  const running = all.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const isOwn = ownPods(tenant, expected);
  const connected = running.filter(({ spec }) => spec.hostNetwork !== true);
  const separate = connected.flatMap(atEachAddress);
  const [inner, outer] = [separate.filter(isOwn), separate.filter((pod) => !isOwn(pod))];
  const relevant = [...policies, ...expected];
  const other = namespaces
    .map(({ metadata }) => metadata.name)
    .filter((name) => !tenant.namespaces.has(name));
  const gatewayNamespaces = tenant.mesh.gateways.map(({ namespace }) => namespace);
  const places = new Set([...tenant.namespaces, ...gatewayNamespaces]);
  const ownPolicies = relevant.filter(({ metadata }) => places.has(metadata.namespace ?? ''));
  const isInMember = ({ metadata }: Policies[number]) => tenant.members.includes(metadata.namespace ?? '');
  // What runs beside the control plane is the platform's to say, so nobody chooses labels there.
  const madeInside = [...policies.filter(isInMember), ...expected].flatMap(({ metadata, spec }) =>
    chosenPod(metadata.namespace ?? '', spec.podSelector ?? {}),
  );
  const madeOutside = peerSelectors(ownPolicies)
    .flatMap((selector) => other.flatMap((name) => chosenPod(name, selector)))
    .filter((pod) => !isOwn(pod));
  const nodes = all.flatMap(({ status }) => [status?.hostIP, ...(status?.hostIPs ?? []).map(({ ip }) => ip)]);
  const byNamespace = Map.groupBy(relevant, ({ metadata }) => metadata.namespace ?? '');
  // Policies of others are about them and their peers; what they say of each other is not asked.
  const aboutOutsider = ({ metadata: { namespace = '' } }: EvaluatedPod) => [
    ...ownPolicies,
    ...(byNamespace.get(namespace) ?? []),
  ];
  return {
    own: podClasses([...inner, ...tenant.members.map(anyPodOf), ...madeInside], () => relevant).map(
      placeOfClass,
    ),
    outside: [
      ...podClasses([...outer, ...other.map(anyPodOf), ...madeOutside], aboutOutsider).map(placeOfClass),
      ...addressClasses(ownPolicies, {
        pods: connected.flatMap(addressesOf),
        nodes: nodes.filter((address) => address !== undefined),
      }).map((addresses): Place => ({ address: addresses.address, name: addresses.address, addresses })),
    ],
    hosts: running.filter(
      (pod) => pod.spec.hostNetwork === true && isOwn(pod),
    ) as unknown as KubernetesObject[],
  };
}

/** Pods of the tenant: those of its namespaces, and of its gateways wherever they are. */
function ownPods({ namespaces }: Tenant, expected: Policies): (pod: EvaluatedPod) => boolean {
  return ({ metadata }) =>
    namespaces.has(metadata.namespace ?? '') ||
    expected.some(
      (policy) =>
        policy.metadata.namespace === metadata.namespace &&
        matchesSelector(policy.spec.podSelector ?? {}, metadata.labels ?? {}),
    );
}

/** A pod of IPv4 and IPv6 is two to policies with ranges. */
function atEachAddress(pod: EvaluatedPod): EvaluatedPod[] {
  const addresses = [...new Set(addressesOf(pod))];
  if (addresses.length === 0) return [pod];
  return addresses.map((podIP) => ({ ...pod, status: { ...pod.status, podIP, podIPs: [] } }));
}

function addressesOf({ status }: EvaluatedPod): string[] {
  return [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)].filter(
    (address) => address !== undefined,
  );
}

/** A pod that there is stands for those that are not told from it, or could be made. */
function placeOfClass(pods: readonly EvaluatedPod[]): Place {
  const real = pods.filter(({ status }) => status !== undefined);
  const [pod = pods[0]] = real;
  if (pod === undefined) throw new Error('A class has a pod');
  const { namespace = '', name, labels } = pod.metadata;
  const address = pod.status?.podIP ?? `pod ${namespace}/${name}`;
  const place = { address, pod: { ...pod, status: { ...pod.status, podIP: address } } };
  if (pods.some((each) => each.metadata.name === anyName)) {
    return { ...place, name: `any pod of namespace ${namespace}`, isAnyOf: namespace };
  }
  const more = real.length > 1 ? ` and ${real.length - 1} like it` : '';
  if (real.length > 0) return { ...place, name: `Pod ${namespace}/${name}${more}` };
  return { ...place, name: `a pod of namespace ${namespace} with labels ${labelText(labels)}` };
}

/** Of a pod that nobody has made; no pod that there is has it. */
const anyName = '';

function anyPodOf(namespace: string): EvaluatedPod {
  return { metadata: { name: anyName, namespace }, spec: {} };
}

/** A pod that somebody could make in a namespace to be selected; none for a selector that `anyPodOf` meets. */
function chosenPod(namespace: string, selector: LabelSelector): EvaluatedPod[] {
  const labels = labelsFor(selector);
  const name = labelText(labels);
  return name === '' ? [] : [{ metadata: { name, namespace, labels }, spec: {} }];
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function isBy(because: 'rule' | 'from-own-node', verdict: SideVerdict): boolean {
  return verdict.outcome === 'allowed' && verdict.because === because;
}

/** Puts it to what opens its way. */
function addLeak(
  openings: Map<string, Opening>,
  direction: Direction,
  verdict: SideVerdict,
  foreign: SideVerdict,
  leak: Leak,
): void {
  const rule = verdict.outcome === 'allowed' && verdict.because === 'rule' ? verdict : undefined;
  const { namespace = '' } = leak.own.pod?.metadata ?? {};
  const object = rule === undefined ? `Namespace ${namespace}` : `NetworkPolicy ${rule.policy}`;
  const key = [direction, object, rule?.rule].join(' ');
  const opening = openings.get(key) ?? {
    ...{ direction, object, leaks: [], held: [], heldBy: new Set<string>() },
    ...(rule === undefined ? {} : { path: rule.rule }),
  };
  openings.set(key, opening);
  if (foreign.outcome === 'allowed') {
    opening.leaks.push(leak);
  } else {
    opening.held.push(leak);
    for (const policy of foreign.policies) opening.heldBy.add(policy);
  }
}

/** Where anybody gets through, who is held is not worth a word. */
function findingOf({ direction, object, path, leaks, held, heldBy }: Opening): IsolationFinding {
  const isHeld = leaks.length === 0;
  const said = isHeld ? held : leaks;
  const [own, outside] = [namesOf(said.map((leak) => leak.own)), namesOf(said.map((leak) => leak.outside))];
  const ports = protocolTexts(said);
  const what = `${direction === 'ingress' ? 'takes' : 'sends'} on ${ports} what the table of flows does not have`;
  const obstacles = isHeld ? `; only ${[...heldBy].sort().join(', ')} of the other side is in the way` : '';
  return {
    layer: 'NetworkPolicy',
    severity: isHeld ? 'note' : 'open',
    from: direction === 'ingress' ? outside : own,
    to: direction === 'ingress' ? own : outside,
    object,
    ...(path === undefined ? {} : { path }),
    ...(path === undefined
      ? {
          why: `no NetworkPolicy selects ${own.join(', ')} for ${direction}, which ${what}${obstacles}`,
          fix: 'have every pod selected: spec.networkPolicy of the MeshOperator does so for those of the tenant, a NetworkPolicy of your own for what else runs there',
        }
      : {
          why: `its rule ${path} ${what}${obstacles}`,
          fix: 'remove the rule, or narrow its peers to the tenant; what the mesh needs is in docs/reference/flows.md',
        }),
  };
}

/** Each once; of a namespace any pod of which is meant, no single one is named. */
function namesOf(places: readonly Place[]): string[] {
  const whole = new Set(places.map(({ isAnyOf }) => isAnyOf).filter((name) => name !== undefined));
  const pods = places.filter(
    ({ pod, isAnyOf }) =>
      pod !== undefined && (isAnyOf !== undefined || !whole.has(pod.metadata.namespace ?? '')),
  );
  const addresses = new Set(places.map((place) => place.addresses).filter((each) => each !== undefined));
  return [...[...new Set(pods.map(({ name }) => name))].sort(), ...addressTexts([...addresses])];
}

function protocolTexts(leaks: readonly Leak[]): string {
  const texts = protocols.flatMap((protocol) => {
    const ports = leaks.filter((leak) => leak.protocol === protocol).map((leak) => leak.ports);
    return ports.length === 0 ? [] : [{ protocol, text: portText(ports) }];
  });
  const [first] = texts;
  return texts.length === protocols.length && texts.every(({ text }) => text === first?.text)
    ? (first?.text ?? '')
    : texts.map(({ protocol, text }) => `${text}/${protocol}`).join(', ');
}

function hostFinding({ metadata: { namespace, name } }: KubernetesObject): IsolationFinding {
  const pod = `Pod ${namespace}/${name}`;
  return {
    ...{ layer: 'NetworkPolicy', severity: 'open', from: [pod], to: ['every IPv4 address'] },
    ...{ object: pod, path: 'spec.hostNetwork' },
    why: 'it is on the network of its node, so no NetworkPolicy is about it',
    fix: 'take hostNetwork out of its spec',
  };
}

/** What the table of flows leaves open, since the spec does not say more. */
function notesOf({ mesh, tenancy }: Tenant): IsolationFinding[] {
  const { networkPolicy, namespace, name } = mesh;
  const object = `MeshOperator ${namespace}/${name}`;
  const note = { layer: 'NetworkPolicy', severity: 'note', object } as const;
  const notes: IsolationFinding[] = [];
  if (networkPolicy !== undefined && networkPolicy.apiServer.cidrs.length === 0) {
    notes.push({
      ...{ ...note, from: ['every pod and address'], to: [`webhooks of namespace ${namespace} (15017)`] },
      path: 'spec.networkPolicy.apiServer.cidrs',
      why: 'it is not given, so webhooks take calls from everybody, and istiod may send to everybody on ports of API servers',
      fix: 'give the addresses of the API server',
    });
  }
  if (tenancy.isolation === 'Open') {
    notes.push({
      ...{ ...note, from: ['members'], to: ['everybody'], path: 'spec.tenancy.isolation' },
      why: 'it is Open, which allows members to send everywhere',
      fix: 'set it to Strict where that is not meant',
    });
  }
  for (const [index, { host, ports, cidrs }] of tenancy.egress.entries()) {
    if (cidrs.length > 0) continue;
    const numbers = ports.map(({ port }) => port).join(', ');
    notes.push({
      ...{
        ...note,
        from: ['members'],
        to: [`everybody on ${numbers}`],
        path: `spec.tenancy.egress[${index}].cidrs`,
      },
      why: `it is not given, so members may send everywhere on the ports of ${host}, to pods of others as well`,
      fix: `give the addresses of ${host}`,
    });
  }
  return notes;
}
