import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';

/** The labels of a namespace; undefined when it is not known (yet). Must answer at once. */
export type NamespaceLabels = (name: string) => Readonly<Record<string, string>> | undefined;

/** All namespaces, with nothing but their labels. Needs list and watch on namespaces. */
export function createNamespaceInformer(deps: InformerDeps): Informer {
  return new Informer({ kind: kindInfo('v1', 'Namespace'), transform: withLabelsOnly }, deps);
}

/** Looks into the cache of `createNamespaceInformer`. */
export function namespaceLabelsOf(informer: Informer): NamespaceLabels {
  return (name) => {
    const namespace = informer.get(undefined, name);
    return namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
  };
}

function withLabelsOnly({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, resourceVersion = '', labels = {} } = metadata;
  return { apiVersion, kind, metadata: { name, resourceVersion, labels } };
}
