import { z } from 'zod';
import { cidr, dnsLabel, labels, port } from './field-format.ts';

const ranges = () => z.array(cidr()).max(100, 'must not have more than 100 ranges').optional();
const portList = () =>
  z.array(port()).min(1, 'must have a port').max(16, 'must not have more than 16 ports').optional();

/** Which traffic the mesh's own pods may have; what they need for it is in code. */
export const networkPolicySchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether there are NetworkPolicies. Default: `true` where the block is given.'),
  apiServer: z
    .strictObject({
      cidrs: ranges().describe(
        'Addresses of the API server, and of those that clusters known by remote secrets have: as they are behind the Service `kubernetes`, or of the agents that connect for it. Default: everywhere.',
      ),
      ports: portList().describe('Ports of the API server. Default: 443 and 6443.'),
    })
    .optional()
    .describe('Where the API server is, which calls webhooks and which istiod asks.'),
  dns: z
    .strictObject({
      namespace: dnsLabel()
        .optional()
        .describe('Namespace of the DNS pods. Default: `kube-system`, on OpenShift `openshift-dns`.'),
      podLabels: labels()
        .optional()
        .describe(
          'Labels of the DNS pods. Default: `k8s-app: kube-dns`, on OpenShift `dns.operator.openshift.io/daemonset-dns: default`.',
        ),
      cidrs: ranges().describe(
        'Further addresses that answer, such as that of a cache on each node. Default: none.',
      ),
      ports: portList().describe('Ports of the DNS pods, over UDP and TCP. Default: 53, on OpenShift 5353.'),
    })
    .optional()
    .describe('Where names are resolved.'),
  monitoring: z
    .strictObject({
      namespaces: z
        .array(dnsLabel())
        .max(100, 'must not have more than 100 names')
        .describe('Namespaces whose pods may read metrics.'),
    })
    .optional()
    .describe('Who reads metrics. Default: nobody.'),
  meshCIDRs: ranges().describe(
    'Addresses outside of the cluster that belong to the mesh: virtual machines, and pods of other clusters of the same network. Default: none.',
  ),
  jwks: z
    .strictObject({
      cidrs: ranges().describe('Addresses of the issuers. Default: everywhere.'),
      ports: portList().describe('Their ports. Default: 443.'),
    })
    .optional()
    .describe(
      'Where istiod gets the keys of JWT issuers that RequestAuthentications name. Default: nowhere.',
    ),
});

export type NetworkPolicySettings = z.infer<typeof networkPolicySchema>;
