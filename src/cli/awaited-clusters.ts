import type { CertificateAuthorityStatus } from '../api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';
import { remotesOf } from '../api/resolved-multi-cluster.ts';
import { exchangesRoots } from '../controllers/trust/own-statement.ts';

/** Another cluster that a rotation waits for. */
export interface AwaitedCluster {
  readonly clusterName: string;
  /** Whether its proxies follow the istiod of this cluster; else it has an istiod of its own. */
  readonly follows: boolean;
  /** What it must have finished before each phase ends, a clause. */
  readonly finishes: Readonly<Partial<Record<'Trusting' | 'Signing' | 'Distrusting', string>>>;
}

/** The other clusters that a rotation of the root waits for, in the order of the spec. */
export function awaitedClusters(mesh: ResolvedMesh): AwaitedCluster[] {
  if (!exchangesRoots(mesh)) return [];
  return remotesOf(mesh).map(({ clusterName, role }) => {
    const follows = role === 'Remote';
    return { clusterName, follows, finishes: follows ? ofFollower : ofMember };
  });
}

const ofMember = {
  Trusting: 'everybody there trusts the next root',
  Distrusting: 'nobody there holds the previous root',
};
const ofFollower = {
  Trusting: 'its proxies trust the next root',
  Signing: 'they have certificates of the next intermediate',
  Distrusting: 'they trust the previous root no more',
};

/** Clusters of the status that would hold a rotation which begins now, as long as they cannot be reached: sentences. */
export function absentObstacles(
  { members = [], followers = [] }: CertificateAuthorityStatus,
  patience: string,
): string[] {
  return [...members, ...followers]
    .filter(({ absentSince }) => absentSince !== undefined)
    .map(
      ({ clusterName, absentSince }) =>
        `Cluster ${clusterName} cannot be reached since ${absentSince}, and a phase waits for it ${patience}: see mesh-operator status --remotes`,
    );
}
