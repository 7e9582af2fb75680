import type { MeshOperatorSpec } from '../../api/mesh-operator-spec.ts';
import type { UpgradeStatus } from '../../api/mesh-operator-status.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { type NamespaceSet, namespacesOf } from './namespace-set.ts';
import { versionRevision } from './revision-spec.ts';
import { handedOver, movedTo, nextHoldings, type TagHolding } from './tag-scopes.ts';

/** A control plane of a mesh as the cluster has it. */
export interface ObservedRevision extends TagHolding {
  readonly spec: MeshOperatorSpec;
}

/** What control planes are rendered by that is not in the spec: where the upgrade is, and the control planes there are, by revision. */
export interface ObservedRevisions {
  readonly upgrade: UpgradeStatus | undefined;
  readonly revisions: ReadonlyMap<string, ObservedRevision>;
}

/** The control planes that a mesh needs now, and what each is for. */
export interface RevisionPlan {
  /** Of the spec's version. */
  readonly wanted: string;
  /** Of every control plane that there should be. */
  readonly revisions: readonly string[];
  readonly active: string;
  readonly gateways: string;
  readonly holdings: ReadonlyMap<string, NamespaceSet>;
}

/**
 * Where an upgrade is of which nothing is written: nowhere yet, or, when somebody has lost what was, at the control plane
 * that has the tags, from which it begins anew.
 */
export function standingUpgrade(
  wanted: string,
  revisions: ReadonlyMap<string, TagHolding>,
): Omit<UpgradeStatus, 'since'> {
  const holder = [...revisions].find(([, { scope }]) => namespacesOf(scope).isComplement)?.[0] ?? wanted;
  const others = [...revisions.keys()].filter((revision) => revision !== holder);
  return {
    ...({ phase: 'Complete', active: holder, target: holder, gateways: holder } as const),
    ...(others.length === 0 ? {} : { retired: others.map((revision) => ({ revision })) }),
  };
}

/** The plan for where the upgrade is. A control plane that a person has deleted is not made again unless the spec asks for it. */
export function planRevisions(mesh: ResolvedMesh, { upgrade, revisions }: ObservedRevisions): RevisionPlan {
  const wanted = versionRevision(mesh);
  const known = upgrade ?? standingUpgrade(wanted, revisions);
  const { phase, active = wanted, target = active, gateways = active, moved = [], retired = [] } = known;
  const isUnderWay = phase !== 'Complete' && phase !== 'RolledBack';
  const wish = phase === 'Finishing' ? handedOver : movedTo(phase === 'RollingBack' ? [] : moved);
  const next = nextHoldings(wish, revisions.get(active), revisions.get(target));
  const holdings: [string, NamespaceSet][] =
    active === target
      ? [[active, movedTo([]).active]]
      : [
          [active, next.active],
          [target, next.target],
        ];
  return {
    wanted,
    revisions: [
      ...new Set([
        active,
        ...(isUnderWay ? [target] : []),
        ...retired.map(({ revision }) => revision).filter((revision) => revisions.has(revision)),
      ]),
    ],
    ...{ active, gateways },
    holdings: new Map(holdings),
  };
}
