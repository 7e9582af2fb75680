import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { PolicyPeer, PolicyPort } from '../../api/network-policy.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderObject } from '../template-engine.ts';
import { type Flow, flows } from './flows.ts';
import { type End, type GuardedMesh, type PartyName, type PodSet, parties } from './parties.ts';

/** Policies of what a control plane consists of: they let through what the table of flows says, and nothing else. */
export function renderControlPlanePolicies(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return renderPoliciesOf(['istiod', 'injector'], mesh, context);
}

/** Those of gateways, each in the namespace of its gateway. */
export function renderGatewayPolicies(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  return renderPoliciesOf(['ingressGateways', 'egressGateways', 'eastWestGateways'], mesh, context);
}

/** One for every pod of each member namespace of a tenant. Nothing for a mesh without tenancy. */
export function renderMemberPolicies(
  mesh: ResolvedMesh,
  context: RenderContext,
  members: readonly string[],
): KubernetesObject[] {
  return renderPoliciesOf(['workloads'], mesh, context, members);
}

function renderPoliciesOf(
  names: readonly PartyName[],
  { networkPolicy, ...rest }: ResolvedMesh,
  context: RenderContext,
  memberNamespaces: readonly string[] = [],
): KubernetesObject[] {
  if (networkPolicy === undefined) return [];
  const mesh: GuardedMesh = { ...rest, networkPolicy, memberNamespaces };
  return names.flatMap((name) =>
    endsOf(name, mesh).flatMap((end) =>
      (end.pods ?? []).map((pods) => renderPolicy({ name, end, pods }, mesh, context)),
    ),
  );
}

interface Subject {
  readonly name: PartyName;
  readonly end: End;
  readonly pods: PodSet;
}

function renderPolicy(subject: Subject, mesh: GuardedMesh, context: RenderContext): KubernetesObject {
  const { name, namespace, component, selector } = subject.pods;
  const rows = flows.filter(({ when }) => when === undefined || when.holds(mesh));
  return renderObject('network-policy/10-network-policy', {
    metadata: objectMetadata(mesh, context, { name, namespace, component }),
    podSelector: { matchLabels: selector },
    ingress: nonEmpty(rows.flatMap((flow) => ingressRules(flow, subject, mesh))),
    egress: nonEmpty(rows.flatMap((flow) => egressRules(flow, subject, mesh))),
  });
}

/** One rule for a row, since the ports are the subject's own. */
function ingressRules({ from, to, ports }: Flow, { name, end }: Subject, mesh: GuardedMesh): object[] {
  if (!to.includes(name)) return [];
  const peers = allPeers(from.flatMap((party) => endsOf(party, mesh)));
  return rules('from', peers, ports.of(mesh, end));
}

/** A rule for each other end, which may have ports of its own. */
function egressRules({ from, to, ports }: Flow, { name }: Subject, mesh: GuardedMesh): object[] {
  if (!from.includes(name)) return [];
  return to
    .flatMap((party) => endsOf(party, mesh))
    .flatMap((end) => rules('to', end.peers, ports.of(mesh, end)));
}

/** Nobody, or no port, is no rule: one without the field would mean all of them. */
function rules(
  side: 'from' | 'to',
  peers: End['peers'],
  ports: readonly PolicyPort[] | 'every port',
): object[] {
  if (peers.length === 0 || ports.length === 0) return [];
  return [
    {
      ...(peers === 'everywhere' ? {} : { [side]: peers }),
      ...(ports === 'every port' ? {} : { ports }),
    },
  ];
}

function allPeers(ends: readonly End[]): End['peers'] {
  const peers: PolicyPeer[] = [];
  for (const end of ends) {
    if (end.peers === 'everywhere') return 'everywhere';
    peers.push(...end.peers);
  }
  // Those that every pod of the cluster is among need no word of their own.
  return peers.some(isEveryPod)
    ? peers.filter((peer) => isEveryPod(peer) || peer.ipBlock !== undefined)
    : peers;
}

function isEveryPod({ namespaceSelector, podSelector }: PolicyPeer): boolean {
  return (
    namespaceSelector !== undefined &&
    Object.keys(namespaceSelector).length === 0 &&
    podSelector === undefined
  );
}

function endsOf(name: PartyName, mesh: GuardedMesh): readonly End[] {
  return parties[name].ends(mesh);
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
