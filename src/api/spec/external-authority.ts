import { z } from 'zod';
import { configMapKey, configMapName, hostAndPort } from './field-format.ts';

/** An authority that neither istiod nor the operator has a part in. */
export const externalAuthoritySchema = z.strictObject({
  address: hostAndPort().describe(
    'host:port of the service that signs for proxies, such as that of istio-csr. Every proxy asks it.',
  ),
  trustBundle: z
    .strictObject({
      configMapName: configMapName().describe('ConfigMap in the namespace of the MeshOperator.'),
      key: configMapKey().optional().describe('Its key with the roots, in PEM. Default: `ca.crt`.'),
    })
    .optional()
    .describe(
      'The roots, for an authority that does not distribute them itself: the operator keeps them in ConfigMap `istio-ca-root-cert` of every namespace of the mesh. Default: the authority does so, as istio-csr does.',
    ),
});
