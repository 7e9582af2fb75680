import {
  type ComparedCluster,
  type DataPlaneMode,
  dataPlaneMode,
  groupsBy,
  groupsText,
  listText,
} from './compared-cluster.ts';
import type { AnalysisFinding } from './finding.ts';

/** One namespace of the mesh in one cluster. */
interface NamespaceThere {
  readonly name: string;
  /** Undefined where it does not exist. */
  readonly mode: DataPlaneMode | undefined;
  readonly services: number;
}

/** Namespaces of one name are one: what is of the mesh in one cluster should be so in all. */
export function compareNamespaces(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  return meshNamespaces(clusters).flatMap((namespace) => {
    const there = clusters.map((cluster) => lookAt(cluster, namespace));
    return [...findMissing(namespace, there), ...findModes(namespace, there)];
  });
}

/** Namespaces whose pods are in the mesh in some cluster, in the order of their names. */
export function meshNamespaces(clusters: readonly ComparedCluster[]): string[] {
  const names = clusters.flatMap(({ namespaces }) =>
    namespaces
      .filter((namespace) => dataPlaneMode(namespace) !== 'nobody')
      .map(({ metadata }) => metadata.name),
  );
  return [...new Set(names)].sort();
}

function lookAt({ name, namespaces, services }: ComparedCluster, namespace: string): NamespaceThere {
  const found = namespaces.find(({ metadata }) => metadata.name === namespace);
  return {
    name,
    mode: found === undefined ? undefined : dataPlaneMode(found),
    services: services.filter(({ metadata }) => metadata.namespace === namespace).length,
  };
}

function findMissing(namespace: string, there: readonly NamespaceThere[]): AnalysisFinding[] {
  const lacking = there.filter(({ mode }) => mode === undefined).map(({ name }) => name);
  const serving = there.filter(({ services }) => services > 0).map(({ name }) => name);
  if (lacking.length === 0 || serving.length === 0) return [];
  return [
    {
      ...({ severity: 'warning', rule: 'OneSidedNamespace', object: `Namespace ${namespace}` } as const),
      why: `it has services in ${listText(serving)} and does not exist in ${listText(lacking)}, where nobody finds them by name`,
      fix: `create the namespace in ${listText(lacking)}, with the Services that are called from there`,
    },
  ];
}

function findModes(namespace: string, there: readonly NamespaceThere[]): AnalysisFinding[] {
  const groups = groupsBy(there, ({ mode }) => mode);
  if (groups.length < 2) return [];
  return [
    {
      ...({ severity: 'warning', rule: 'InjectionDiffers', object: `Namespace ${namespace}` } as const),
      why: `its pods are taken into the mesh by ${groupsText(groups)}, so a Service has endpoints with and without mutual TLS`,
      fix: 'give the namespace the same labels for injection in every cluster',
    },
  ];
}
