import { ownedKinds } from '../../src/controllers/mesh/owned-kinds.ts';

/**
 * What an operator reads that starts and reconciles, as the audit log has it: one list of each kind that it watches, and
 * the version of the API server, which is no resource.
 */
export const expectedReads: readonly string[] = [
  ...[
    ...ownedKinds.map(({ plural }) => plural),
    ...['meshoperators', 'customresourcedefinitions', 'secrets', 'pods', 'namespaces', 'events'],
  ].map((plural) => `list ${plural}`),
  'get ',
].sort();
