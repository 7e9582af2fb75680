import type { Clock } from '../../base/clock.ts';
import { stableJson } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { analyzeInput } from './analyze-input.ts';
import { compareClusters } from './compare-clusters.ts';
import type { AnalysisFinding } from './finding.ts';
import { type NamedClient, readClusters, readRemotes } from './read-clusters.ts';
import { readCluster } from './read-input.ts';

/** What one cluster has, and with `remotes` where it is not like the other clusters of its meshes. */
export async function analyzeCluster(
  client: KubeClient,
  remotes: boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<AnalysisFinding[]> {
  const own = analyzeInput(await readCluster(client, signal), clock.now());
  const meshes = remotes ? await readRemotes(client, clock, signal) : [];
  return [
    ...own,
    ...once(meshes.flatMap(({ clusters, unread }) => [...unread, ...compareClusters(clusters)])),
  ];
}

/** What each cluster has, under its name, and where they are not alike. */
export async function analyzeClusters(
  clients: readonly NamedClient[],
  clock: Clock,
  signal: AbortSignal,
): Promise<AnalysisFinding[]> {
  const clusters = await readClusters(clients, clock, signal);
  const own = await Promise.all(
    clients.map(async ({ client }, index) => {
      const findings = analyzeInput(await readCluster(client, signal), clock.now());
      return findings.map((finding) => ({
        ...finding,
        object: `${clusters[index]?.name}: ${finding.object}`,
      }));
    }),
  );
  return [...own.flat(), ...compareClusters(clusters)];
}

/** Meshes of one cluster may have the same others. */
function once(findings: readonly AnalysisFinding[]): AnalysisFinding[] {
  return [...new Map(findings.map((finding) => [stableJson(finding), finding])).values()];
}
