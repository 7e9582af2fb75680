import { afterAll, beforeAll } from 'vitest';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { JoinMode } from '../cluster/join-clusters.ts';
import { JoinedMeshes } from './joined-meshes.ts';
import { installShop, shopNamespace } from './shop-apps.ts';

/** What is not as usual. */
interface JoinedShopOptions {
  /** Where the client is; the servers are in the west. @defaultValue the other cluster */
  readonly client?: 'east' | 'west';
  /** Settings of both meshes, besides those of the folder. */
  readonly spec?: MeshOperatorSpec;
}

/**
 * A mesh of two clusters by a folder of examples, and the shop in it, for all tests of a file: made before the first of
 * them, and removed after the last, whatever there is of it by then. Its clusters can be asked for once it is made.
 */
export function joinedShop(
  folder: string,
  mode: JoinMode,
  { client = 'east', spec = {} }: JoinedShopOptions = {},
): JoinedMeshes {
  const both = new JoinedMeshes();

  beforeAll(() => both.install(folder, mode, spec));
  beforeAll(() => installShop(both[client], both.west));

  afterAll(() => both.remove(shopNamespace));

  return both;
}
