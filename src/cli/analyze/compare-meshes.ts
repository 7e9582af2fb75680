import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { networkLabel } from '../../api/labels.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import { validateMeshOperator } from '../../api/validate.ts';
import { judgeRemote } from '../../controllers/remotes/judge-remote.ts';
import { withoutStatus } from './analysis-input.ts';
import { type ComparedCluster, groupsBy, groupsText, placeInMesh } from './compared-cluster.ts';
import type { AnalysisFinding } from './finding.ts';

/** What each operator would hold against the other cluster: identity, roots, addresses, clock. */
export function comparePairs(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  return clusters.flatMap((one, index) =>
    clusters.slice(index + 1).flatMap((other): AnalysisFinding[] => {
      const place = placeInMesh(one.facts);
      if (place === undefined) return [];
      const problem = judgeRemote({
        mesh: { meshId: place.meshID ?? '', podNetwork: networkOf(one.facts) },
        ...{ clusterName: other.name, own: one.facts, other: other.facts },
      });
      if (problem === undefined) return [];
      const { reason, isOther, message } = problem;
      const [what, fix] = splitMessage(message);
      return [
        {
          ...{ severity: isOther || reason === 'RootsDiffer' ? 'error' : 'warning', rule: reason },
          object: `Cluster ${other.name}`,
          why: `seen from ${one.name}, it ${what}`,
          fix: fix ?? 'see docs/guides/multi-cluster.md',
        },
      ];
    }),
  );
}

/** What is wrong, and after the last colon what to do about it. */
function splitMessage(message: string): [what: string, fix: string | undefined] {
  const at = message.lastIndexOf(': ');
  return at === -1 ? [message, undefined] : [message.slice(0, at), message.slice(at + 2)];
}

/** Identities of one cluster mean nothing to another one with a trust domain that it does not know. */
export function compareTrustDomains(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  const known = clusters.flatMap(({ name, facts }) => facts.meshes.flatMap((mesh) => trustIn(name, mesh)));
  const groups = groupsBy(known, ({ trustDomain }) => trustDomain);
  const isKnownEverywhere = groups.every(({ value }) =>
    known.every(({ trustDomain, aliases }) => trustDomain === value || aliases.includes(value)),
  );
  const [first] = known;
  if (first === undefined || isKnownEverywhere) return [];
  return [
    {
      ...({ severity: 'error', rule: 'TrustDomainsDiffer', object: first.object } as const),
      why: `the trust domain is ${groupsText(groups)}, so AuthorizationPolicies of one cluster do not know who calls from the other`,
      fix: 'give all the same spec.meshConfig.trustDomain, or name those of the others in trustDomainAliases',
    },
  ];
}

function trustIn(name: string, object: KubernetesObject) {
  if (validateMeshOperator(withoutStatus(object)).length > 0) return [];
  const { trustDomain, trustDomainAliases } = resolveMesh(object as unknown as MeshOperator).meshConfig;
  const aliases = Array.isArray(trustDomainAliases) ? trustDomainAliases.map(String) : [];
  return [{ name, object: idText(idOf(object)), trustDomain: String(trustDomain), aliases }];
}

/** A cluster of another network that no gateway leads into. */
export function compareNetworks(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  const networks = groupsBy(clusters, ({ facts }) => networkOf(facts));
  if (networks.length < 2) return [];
  return clusters.flatMap(({ name, facts, services }): AnalysisFinding[] => {
    const network = networkOf(facts);
    const [mesh] = facts.meshes;
    const isReached = services.some(({ metadata }) => metadata.labels?.[networkLabel] === network);
    if (network === undefined || mesh === undefined || (network !== '' && isReached)) return [];
    const others = groupsText(networks.filter(({ value }) => value !== network && value !== ''));
    return [
      {
        ...({ severity: 'error', rule: 'NetworkWithoutGateway' } as const),
        object: `${name}: ${idText(idOf(mesh))}`,
        why: `it is in ${network === '' ? 'no network' : `network ${network}`}, others are in ${others}, and no Service with label ${networkLabel} lets these in`,
        fix: 'give it spec.multiCluster.network and a gateway in spec.components.eastWestGateways',
      },
    ];
  });
}

/** Empty for the network without a name; undefined when nobody knows, or where no pods of the mesh are. */
function networkOf(facts: ComparedCluster['facts']): string | undefined {
  const place = placeInMesh(facts);
  return place === undefined || place.configCluster !== undefined ? undefined : (place.network ?? '');
}
