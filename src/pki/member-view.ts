import type { AuthorityState, TrustMember } from './authority-state.ts';
import { readTrustStatement, type TrustStatement } from './trust-statement.ts';

/** What was heard of another cluster: the text of its statement, and why there may be a later one. */
export interface HeardMember {
  readonly clusterName: string;
  /** As it was last seen; absent when it was not since the operator has started, or when there is none. */
  readonly text?: string;
  /** Since when it cannot be asked. */
  readonly absentSince?: Date;
}

/** The same as a rotation goes by it. */
export interface MemberView {
  readonly clusterName: string;
  readonly statement?: TrustStatement;
  /** Whether the statement names this cluster; absent without one. */
  readonly takesOurs?: boolean;
  readonly absentSince?: Date;
  /** Why nothing new is known of it, a clause: `cannot be reached since 2026-01-10T12:00:00Z`. */
  readonly trouble?: string;
}

/** This cluster, as others name it. */
export interface OwnName {
  readonly clusterName: string;
  readonly meshID: string;
}

/** Reads what was heard. */
export function memberView(
  { clusterName, text, absentSince }: HeardMember,
  own: OwnName,
  now: Date,
): MemberView {
  const absent = absentSince === undefined ? {} : { absentSince };
  const isAway =
    absentSince === undefined ? undefined : `cannot be reached since ${absentSince.toISOString()}`;
  if (text === undefined) {
    return {
      clusterName,
      ...absent,
      trouble: isAway ?? 'says nothing of its trust: no operator keeps its authority',
    };
  }
  const { statement, problem } = readTrustStatement(text, { clusterName, meshID: own.meshID }, now);
  if (statement === undefined) {
    return { clusterName, ...absent, trouble: `says of its trust what cannot be read: ${problem}` };
  }
  return {
    ...{ clusterName, statement, takesOurs: statement.members.includes(own.clusterName), ...absent },
    ...(isAway === undefined ? {} : { trouble: isAway }),
  };
}

/** The members as they were heard now; of whoever was not, what is known stays. Those that nobody names any more go. */
export function heardMembers(
  { exchange }: Pick<AuthorityState, 'exchange'>,
  views: readonly MemberView[],
): TrustMember[] {
  return views.flatMap(({ clusterName, statement, takesOurs = false }) => {
    const known = exchange?.members.find((member) => member.clusterName === clusterName);
    if (statement === undefined) return known === undefined ? [] : [known];
    return [{ clusterName, roots: statement.roots, takesOurs }];
  });
}
