import type { JsonObject } from '../api/resolved-mesh.ts';

/**
 * A volume that is a folder of the node. Its type is written out: the API server would add the empty one, and then it
 * would look like drift.
 */
export function hostPath(
  name: string,
  path: string,
  type: 'Directory' | 'DirectoryOrCreate' | '' = '',
): JsonObject {
  return { name, hostPath: { path, type } };
}
