import type { KubernetesObject } from '../../../api/kubernetes-object.ts';
import type { TagHolding } from '../../../render/revisions/tag-scopes.ts';

/** A pod with a proxy. */
export interface ObservedProxy {
  /** As `podRecord` keeps it. */
  readonly pod: KubernetesObject;
  /** The revision that its proxy follows. */
  readonly revision: string;
  /** Its proxy is older than the control plane of that revision. */
  readonly isOutdated: boolean;
  readonly isReady: boolean;
}

/** A namespace whose pods choose the mesh by one of its names. */
export interface ObservedNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Those that chose it by one of its names, and not by the name of one of its control planes. */
  readonly proxies: readonly ObservedProxy[];
}

/** What an upgrade is decided from. */
export interface ObservedUpgrade {
  /** The control planes there are, by revision; empty where upgrades are `InPlace`. */
  readonly revisions: ReadonlyMap<string, TagHolding>;
  /** The control plane, or what else the mesh consists of, is as the spec has it. */
  readonly isMeshReady: boolean;
  readonly namespaces: readonly ObservedNamespace[];
  readonly gateways: readonly ObservedProxy[];
  /** How many pods follow a revision, and how many pods and namespaces ask for it by its name. */
  readonly following: (revision: string) => number;
}
