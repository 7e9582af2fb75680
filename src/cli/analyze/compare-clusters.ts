import { compareIstioObjects } from './compare-istio-objects.ts';
import { compareNetworks, comparePairs, compareTrustDomains } from './compare-meshes.ts';
import { compareNamespaces } from './compare-namespaces.ts';
import { compareServices } from './compare-services.ts';
import { type ComparedCluster, placeInMesh } from './compared-cluster.ts';
import type { AnalysisFinding } from './finding.ts';

/** Where the clusters of one mesh are not alike though they should be. Pure. */
export function compareClusters(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  const withPods = clusters.filter(({ facts }) => placeInMesh(facts)?.configCluster === undefined);
  return [
    ...comparePairs(clusters),
    ...compareTrustDomains(clusters),
    ...compareNetworks(clusters),
    ...compareNamespaces(withPods),
    ...compareServices(withPods),
    ...compareIstioObjects(withPods),
  ];
}
