import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { operatorAccessLabel } from '../../api/labels.ts';
import { type Right, rightsText } from '../../api/right.ts';
import { TerminalError } from '../../base/errors.ts';
import type { RemoteProblem } from './judge-remote.ts';
import type { RemotePass } from './remote-pass.ts';

/**
 * That another cluster lets the operator do too little, as it may be after an update of that, and the command that mends it;
 * `secret` lets the operator in. Undefined where nothing is missing. Pure.
 */
export function rightsProblem(
  { key: { mesh, clusterName } }: Pick<RemotePass, 'key'>,
  secret: KubernetesObject,
  missing: readonly Right[],
): RemoteProblem | undefined {
  if (missing.length === 0) return undefined;
  const call = `mesh-operator remote-secret create ${mesh.name} ${clusterName} -n ${mesh.namespace} --remote-context CONTEXT`;
  const isOurs = secret.metadata.labels?.[operatorAccessLabel] !== undefined;
  const fix = isOurs
    ? `call "${call}" again with the context of that cluster, which gives it what this version needs`
    : `give that to whom Secret ${secret.metadata.name} lets in; "${call} --dry-run -o yaml" prints roles with all that is needed`;
  const message = `does not let the operator ${rightsText(missing)}: ${fix}`;
  return { reason: 'RightsMissing', isOther: false, message };
}

/** Why nothing is done in a cluster. */
export function refusalFor({ reason, message }: RemoteProblem, cause?: unknown): TerminalError {
  return new TerminalError(message, { reason, cause });
}

/** What something has failed for: where rights are known to be missing, that, rather than what the API server has refused. */
export function causeOf(error: unknown, unallowed: RemoteProblem | undefined): unknown {
  return unallowed !== undefined && error instanceof TerminalError ? refusalFor(unallowed, error) : error;
}
