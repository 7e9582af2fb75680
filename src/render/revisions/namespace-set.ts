import type { RevisionTagScope } from '../../api/spec/upgrade.ts';

/** Namespaces, of which nobody knows which there will be: some, or all but some. */
export interface NamespaceSet {
  readonly isComplement: boolean;
  readonly names: ReadonlySet<string>;
}

export const noNamespaces = onlyNamespaces([]);
export const allNamespaces = allBut([]);

export function onlyNamespaces(names: Iterable<string>): NamespaceSet {
  return { isComplement: false, names: new Set(names) };
}

export function allBut(names: Iterable<string>): NamespaceSet {
  return { isComplement: true, names: new Set(names) };
}

export function unite(a: NamespaceSet, b: NamespaceSet): NamespaceSet {
  if (!a.isComplement && !b.isComplement) return onlyNamespaces([...a.names, ...b.names]);
  if (a.isComplement && b.isComplement) return allBut([...a.names].filter((name) => b.names.has(name)));
  const [some, most] = a.isComplement ? [b, a] : [a, b];
  return allBut([...most.names].filter((name) => !some.names.has(name)));
}

/** What `a` has and `b` has not. */
export function without(a: NamespaceSet, b: NamespaceSet): NamespaceSet {
  return complement(unite(complement(a), b));
}

export function isNoNamespace({ isComplement, names }: NamespaceSet): boolean {
  return !isComplement && names.size === 0;
}

export function isEveryNamespace({ isComplement, names }: NamespaceSet): boolean {
  return isComplement && names.size === 0;
}

export function hasNamespace({ isComplement, names }: NamespaceSet, name: string): boolean {
  return names.has(name) !== isComplement;
}

/** The set in the words of a spec; never empty, which server-side apply could not write over a scope. */
export function scopeOf({ isComplement, names }: NamespaceSet): RevisionTagScope {
  const sorted = [...names].sort();
  return isComplement ? { exceptNamespaces: sorted } : { namespaces: sorted };
}

export function namespacesOf({ namespaces, exceptNamespaces = [] }: RevisionTagScope): NamespaceSet {
  const except = onlyNamespaces(exceptNamespaces);
  return namespaces === undefined ? allBut(exceptNamespaces) : without(onlyNamespaces(namespaces), except);
}

function complement({ isComplement, names }: NamespaceSet): NamespaceSet {
  return { isComplement: !isComplement, names };
}
