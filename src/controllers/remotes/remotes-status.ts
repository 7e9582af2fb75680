import type { ConditionUpdate } from '../../api/conditions.ts';
import type { RemoteStatus } from '../../api/mesh-operator-status.ts';
import type { StatusPart } from '../../kube/status-writer.ts';
import type { RemoteStatement } from './remote-outcome.ts';

export const remotesConditionType = 'RemotesReady';

/** What `status.remotes` says; `before` is what it said, which knows since when. */
export function remotesStatus(
  statements: readonly RemoteStatement['said'][],
  before: readonly RemoteStatus[],
  now: Date,
): RemoteStatus[] {
  return statements.map((said) => {
    const last = before.find(({ clusterName }) => clusterName === said.clusterName);
    return { ...said, since: last?.state === said.state ? last.since : now.toISOString() };
  });
}

/** What condition `RemotesReady` says: of the worst of them, and how many there are. */
export function remotesStatement(
  statements: readonly RemoteStatement['said'][],
): Omit<ConditionUpdate, 'observedGeneration'> {
  const waiting = statements.filter(({ state }) => state !== 'Ready');
  const worst = severity.flatMap((state) => waiting.filter((said) => said.state === state))[0];
  if (worst === undefined) {
    const all = statements.length === 1 ? 'the other cluster' : `all ${statements.length} other clusters`;
    const isRead = statements.every(({ reason }) => reason !== 'IstiodNotReady');
    const said = isRead
      ? { reason: 'Connected', message: `istiod reads ${all}` }
      : {
          reason: 'IstiodNotReady',
          message: `No replica of istiod is Ready: the next one reads ${all}`,
        };
    return { type: remotesConditionType, status: 'True', ...said };
  }
  const others = waiting.length - 1;
  const more = others === 0 ? '' : ` (and ${others} more: see status.remotes)`;
  return {
    type: remotesConditionType,
    status: 'False',
    ...byState[worst.state],
    message: `Cluster ${worst.clusterName} ${worst.message}${more}`,
  };
}

const severity = ['Refused', 'Unreachable', 'Degraded', 'Progressing'] as const;
const byState = {
  Refused: { reason: 'RemoteRefused' },
  Unreachable: { reason: 'RemoteUnreachable' },
  Degraded: { reason: 'RemoteDegraded' },
  Progressing: { reason: 'Progressing' },
  Ready: { reason: 'Connected' },
} as const;

/** What changes with every credential waits for what a person looks for. */
const detailIntervalMs = 2_000;

/** How soon after the last write this change may be written, in milliseconds. */
export function leastStatusIntervalMs(before: StatusPart, after: StatusPart): number {
  const told = ({ remotes, conditions }: StatusPart) =>
    JSON.stringify([
      remotes?.map(({ clusterName, state, reason }) => [clusterName, state, reason]),
      conditions?.map(({ status, reason }) => [status, reason]),
    ]);
  return told(before) === told(after) ? detailIntervalMs : 0;
}
