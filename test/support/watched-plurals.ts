import { ownedKinds } from '../../src/controllers/mesh/owned-kinds.ts';

/** The resources that the operator watches, each once: everything meshes own, and what its controllers look at. */
export const watchedPlurals: readonly string[] = [
  ...ownedKinds.map(({ plural }) => plural),
  ...['meshoperators', 'customresourcedefinitions', 'secrets', 'pods', 'events'],
];
