import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { skewProblem } from '../../api/version-skew.ts';
import { TerminalError } from '../../base/errors.ts';

/** Throws TerminalError for a version that the proxies of what is installed could not follow; `installed` is the mesh as it is in the cluster. */
export function refuseSkew(installed: KubernetesObject, { upgrade, version }: ResolvedMesh): void {
  const { version: before, inventory = [] } = (installed.status ?? {}) as MeshOperatorStatus;
  if (upgrade.strategy === 'RevisionBased' || before === undefined || inventory.length === 0) return;
  const problem = skewProblem(before, version);
  if (problem !== undefined) throw new TerminalError(problem, { reason: 'VersionSkew' });
}
