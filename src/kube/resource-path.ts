import type { KindInfo } from '../api/kinds.ts';

/** What a request path is made of. */
export interface ResourcePathOptions {
  /** Ignored for cluster-scoped kinds; absent for a list over all namespaces. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** The API server's path of a collection, an object or a subresource, without discovery. */
export function resourcePath(kind: KindInfo, options: ResourcePathOptions): string {
  const group = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const namespace =
    kind.namespaced && options.namespace !== undefined
      ? `/namespaces/${encodeURIComponent(options.namespace)}`
      : '';
  const name = options.name === undefined ? '' : `/${encodeURIComponent(options.name)}`;
  const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
  return `${group}${namespace}/${kind.plural}${name}${subresource}`;
}
