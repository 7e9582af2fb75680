import { afterAll, beforeAll } from 'vitest';
import type { JoinMode } from '../cluster/join-clusters.ts';
import { JoinedMeshes } from './joined-meshes.ts';
import { installShop, shopNamespace } from './shop-apps.ts';

/**
 * A mesh of two clusters by a folder of examples, and the shop in it, for all tests of a file: made before the first of
 * them, and removed after the last, whatever there is of it by then. Its clusters can be asked for once it is made. The
 * servers are in the west; the client is in the east, unless it is said to be there as well.
 */
export function joinedShop(folder: string, mode: JoinMode, client: 'east' | 'west' = 'east'): JoinedMeshes {
  const both = new JoinedMeshes();

  beforeAll(() => both.install(folder, mode));
  beforeAll(() => installShop(both[client], both.west));

  afterAll(() => both.remove(shopNamespace));

  return both;
}
