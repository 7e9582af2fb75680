import type { ProxyDefaults } from '../api/resolved-injection.ts';
import type { ResolvedMesh } from '../api/resolved-mesh.ts';

/** What the mesh gives to proxies of one namespace alone; undefined: the same as everywhere. */
export function proxyDefaultsOf({ injection }: ResolvedMesh, namespace: string): ProxyDefaults | undefined {
  const { proxyDefaults = {} } = injection;
  return Object.hasOwn(proxyDefaults, namespace) ? proxyDefaults[namespace] : undefined;
}
