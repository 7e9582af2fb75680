import { z } from 'zod';
import { configMapKey, configMapName, dnsLabel, dnsName } from './field-format.ts';

/** SPIRE, which hands certificates to proxies by its Workload API. */
export const spireAuthoritySchema = z.strictObject({
  csiDriver: dnsName()
    .optional()
    .describe('CSI driver that mounts the socket of the SPIRE agent into proxies. Default: `csi.spiffe.io`.'),
  trustBundle: z
    .strictObject({
      namespace: dnsLabel().optional().describe('Namespace of the ConfigMap. Default: `spire`.'),
      configMapName: configMapName().optional().describe('Name of the ConfigMap. Default: `spire-bundle`.'),
      key: configMapKey().optional().describe('Its key with the roots, in PEM. Default: `bundle.crt`.'),
    })
    .optional()
    .describe(
      "Where SPIRE's notifier `k8sbundle` keeps its roots. They are watched: their trust domain and their ends. Default: where the notifier does by default, if it does.",
    ),
});
