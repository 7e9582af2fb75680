import { ownedKinds } from '../../src/controllers/mesh/owned-kinds.ts';

/**
 * What an operator reads that starts and reconciles, as the audit log has it: one list of each kind that it watches
 * (some by name or label, apart), and the version of the API server, which is no resource.
 */
export const expectedReads: readonly string[] = [
  ...[
    ...ownedKinds.map(({ plural }) => plural),
    // CRDs once more, for their names alone.
    ...[
      'meshoperators',
      'customresourcedefinitions',
      'customresourcedefinitions',
      'secrets',
      'pods',
      'namespaces',
      'events',
    ],
    // The trust controller's: authorities, `cacerts`, what istiods have made, the roots that they hand out, those of
    // tenants by their label, and what this cluster says to others.
    ...[
      'secrets',
      'secrets cacerts',
      'secrets istio-ca-secret',
      'configmaps istio-ca-root-cert',
      'configmaps mesh-operator-trust',
      'configmaps',
    ],
    // What other clusters say of their istiods, by its label.
    'configmaps',
    // The remotes controller: credentials for other clusters, and the Secrets by which istiods know those.
    ...['secrets', 'secrets'],
  ].map((plural) => `list ${plural}`),
  'get ',
].sort();
