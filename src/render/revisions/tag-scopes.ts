import type { RevisionTagScope } from '../../api/spec/upgrade.ts';
import {
  allBut,
  allNamespaces,
  type NamespaceSet,
  namespacesOf,
  noNamespaces,
  onlyNamespaces,
  unite,
  without,
} from './namespace-set.ts';

/** Where the tags of a control plane count. */
export interface TagHolding {
  /** As it is written. */
  readonly scope: RevisionTagScope;
  /** True when its own controllers have done all that its spec says, so that its webhooks are there. */
  readonly isSettled: boolean;
  /** False when none of its webhooks selects by a tag. */
  readonly hasTagWebhooks: boolean;
}

/** Where the tags of the two control planes of an upgrade should count. */
export interface TagWish {
  readonly active: NamespaceSet;
  readonly target: NamespaceSet;
}

/** While namespaces move: these are the target's. */
export function movedTo(names: readonly string[]): TagWish {
  return { active: allBut(names), target: onlyNamespaces(names) };
}

/** At the end: whatever there is or will be is the target's. */
export const handedOver: TagWish = { active: noNamespaces, target: allNamespaces };

/**
 * The next step towards what is wished for: a control plane is given namespaces at once, and gives one up only when the
 * other is known to have it. So there is never a namespace whose pods would get no sidecar; for a moment one may belong
 * to both, and the later webhook replaces what the earlier one has put in.
 */
export function nextHoldings(
  wish: TagWish,
  active: TagHolding | undefined,
  target: TagHolding | undefined,
): TagWish {
  return {
    active: unite(wish.active, without(heldBy(active), knownOf(target))),
    target: unite(wish.target, without(heldBy(target), knownOf(active))),
  };
}

/** The namespaces in which webhooks of it are known to be in force. */
export function knownOf(holding: TagHolding | undefined): NamespaceSet {
  return holding?.isSettled === true ? namespacesOf(holding.scope) : noNamespaces;
}

function heldBy(holding: TagHolding | undefined): NamespaceSet {
  return holding === undefined ? noNamespaces : namespacesOf(holding.scope);
}
