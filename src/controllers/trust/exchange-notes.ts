import type { EventNote } from '../../kube/event-recorder.ts';
import type { AuthorityState, TrustMember } from '../../pki/authority-state.ts';
import { factsOf } from '../../pki/certificate-facts.ts';
import type { Blocker } from '../../pki/gates.ts';

/** An Event for each cluster whose roots are others from here on. */
export function exchangeNotes(before: AuthorityState, after: AuthorityState): EventNote[] {
  const [former, latter] = [membersOf(before), membersOf(after)];
  const names = new Set([...former, ...latter].map(({ clusterName }) => clusterName));
  return [...names].flatMap((name) => {
    const [old, young] = [rootsOf(former, name), rootsOf(latter, name)];
    if (old.join() === young.join()) return [];
    const message =
      young.length === 0
        ? `The roots of cluster ${name} are trusted no more`
        : `The roots of cluster ${name} are trusted: ${young.join(', ')}`;
    return [{ type: 'Normal' as const, reason: 'RootsExchanged', message }];
  });
}

/** The Event for a cluster that a rotation has not waited for. */
export function leftBehindNote({ phase }: AuthorityState, { what, why }: Blocker): EventNote {
  return {
    type: 'Warning',
    reason: 'MemberLeftBehind',
    message: `The rotation leaves ${phase} without ${what}, which ${why}. Until it has caught up, its proxies and those of this cluster may refuse each other`,
  };
}

/** The Event for a cluster that follows and was not waited for before others are told what everybody here holds. */
export function unansweredNote({ what, why }: Blocker): EventNote {
  return {
    type: 'Warning',
    reason: 'MemberLeftBehind',
    message: `The other clusters are told that all proxies here hold their roots, but for those of ${what}, which ${why}. Until it has caught up, they may refuse those of other clusters`,
  };
}

function membersOf({ exchange }: AuthorityState): readonly TrustMember[] {
  return exchange?.members ?? [];
}

function rootsOf(members: readonly TrustMember[], name: string): string[] {
  const member = members.find(({ clusterName }) => clusterName === name);
  return member?.roots.map((root) => `serial ${factsOf(root).serial}`) ?? [];
}
