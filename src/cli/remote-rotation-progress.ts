import type { RemoteStatus } from '../api/mesh-operator-status.ts';
import type { ProgressStep } from './rotation-progress.ts';

/** Follows the replacement of credentials for other clusters from one look at the status to the next. */
export class RemoteRotationProgress {
  readonly #clusterNames: readonly string[];
  /** By cluster, when the credential was issued that was there before. */
  readonly #before: ReadonlyMap<string, string | undefined>;
  readonly #said = new Map<string, string>();

  constructor(clusterNames: readonly string[], before: readonly RemoteStatus[]) {
    this.#clusterNames = clusterNames;
    this.#before = new Map(before.map(({ clusterName, credential }) => [clusterName, credential?.issuedAt]));
  }

  /** Has ended when each cluster has another credential, and the one before has been seen to be refused. */
  next(remotes: readonly RemoteStatus[]): ProgressStep {
    const lines: string[] = [];
    let hasEnded = true;
    for (const clusterName of this.#clusterNames) {
      const remote = remotes.find((candidate) => candidate.clusterName === clusterName);
      const isDone = remote !== undefined && this.#isReplaced(remote);
      hasEnded &&= isDone;
      const line = lineOf(clusterName, remote, isDone);
      if (line !== this.#said.get(clusterName)) lines.push(line);
      this.#said.set(clusterName, line);
    }
    return { lines, hasEnded };
  }

  #isReplaced({ clusterName, reason, credential }: RemoteStatus): boolean {
    return (
      atRest.includes(reason) &&
      credential !== undefined &&
      credential.issuedAt !== this.#before.get(clusterName)
    );
  }
}

/** Reasons of a cluster with one credential, and nothing to do about it. */
const atRest: readonly string[] = ['Connected', 'IstiodNotReady'];

function lineOf(clusterName: string, remote: RemoteStatus | undefined, isDone: boolean): string {
  if (remote === undefined) return `${clusterName}: the operator has not seen it yet`;
  if (!isDone && atRest.includes(remote.reason)) return `${clusterName}: the operator has not begun yet`;
  if (!isDone) return `${clusterName}: ${remote.state} (${remote.reason}), ${remote.message}`;
  return `${clusterName}: replaced; the credential of before is refused`;
}
