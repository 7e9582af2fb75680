import { idOf, idText, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownerByLabels } from '../../api/labels.ts';
import { specChanges } from '../spec-changes.ts';
import { type ComparedCluster, groupsBy, listText, placeInMesh } from './compared-cluster.ts';
import type { AnalysisFinding } from './finding.ts';

/** What changes how services are called, and by whom; each istiod reads those of its own cluster alone. */
const comparedKinds = new Set([
  ...['VirtualService', 'DestinationRule', 'ServiceEntry'],
  ...['PeerAuthentication', 'RequestAuthentication', 'AuthorizationPolicy'],
]);

/** More would not be read. */
const maxPaths = 3;

/** Rules that hold in one cluster and not in another, or are other ones there. */
export function compareIstioObjects(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  // A cluster without an istiod follows the rules of another one.
  const primaries = clusters.filter(({ facts }) => placeInMesh(facts)?.role !== 'Remote');
  const compared = primaries.map((cluster) => ({
    ...cluster,
    objects: new Map(cluster.istioObjects.filter(isCompared).map((object) => [idText(idOf(object)), object])),
    names: new Set(cluster.namespaces.map(({ metadata }) => metadata.name)),
  }));
  const all = new Set(compared.flatMap(({ objects }) => [...objects.keys()]));
  return [...all].sort().flatMap((object): AnalysisFinding[] => {
    const having = compared.filter(({ objects }) => objects.has(object));
    const namespace = having[0]?.objects.get(object)?.metadata.namespace ?? '';
    const lacking = compared.filter(({ objects, names }) => !objects.has(object) && names.has(namespace));
    const one = { severity: 'warning', object } as const;
    if (lacking.length > 0) {
      const [with_, without] = [having, lacking].map((some) => listText(some.map(({ name }) => name)));
      return [
        {
          ...one,
          rule: 'OneSidedIstioObject',
          why: `it is in ${with_} and not in ${without}, so calls from there go by other rules`,
          fix: `apply it in ${without} as well, or remove it in ${with_}`,
        },
      ];
    }
    const [first, second] = groupsBy(having, ({ objects }) => objects.get(object)?.spec ?? {});
    if (first === undefined || second === undefined) return [];
    const changes = specChanges(first.value, second.value, 'spec');
    const paths = changes
      .slice(0, maxPaths)
      .map(({ path, from, to }) => `${path} (${short(from)}, ${short(to)})`);
    const more = changes.length > maxPaths ? ` and ${changes.length - maxPaths} more` : '';
    return [
      {
        ...one,
        rule: 'IstioObjectDiffers',
        why: `in ${listText(first.clusters)} and ${listText(second.clusters)} it differs: ${paths.join(', ')}${more}`,
        fix: 'make it the same in every cluster',
      },
    ];
  });
}

/** What the operator renders follows the MeshOperator of each cluster; its mutual TLS is a rule as any other one. */
function isCompared({ kind, metadata }: KubernetesObject): boolean {
  return (
    comparedKinds.has(kind) && (kind === 'PeerAuthentication' || ownerByLabels(metadata.labels) === undefined)
  );
}

function short(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
