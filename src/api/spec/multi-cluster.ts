import { z } from 'zod';
import {
  dnsLabel,
  dnsName,
  goDuration,
  labelValue,
  secretName,
  type TextRule,
  textOf,
} from './field-format.ts';

/** As many as a status can name. */
const maxRemotes = 100;

const secretKeyRule: TextRule = {
  pattern: /^[-._a-zA-Z0-9]+$/,
  maxLength: 253,
  message: 'must be a key of a Secret: letters, digits, "-", "_" and "."',
};

const serverRule: TextRule = {
  pattern:
    /^https:\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?(\/[-A-Za-z0-9._~]+)*\/?$/,
  maxLength: 512,
  message: 'must be the https address of an API server, for example https://west.example.com:6443',
};

const proxyRule: TextRule = {
  pattern:
    /^(https?|socks5):\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?\/?$/,
  maxLength: 512,
  message: 'must be the address of a proxy: http, https or socks5, for example http://proxy.example.com:3128',
};

const remoteSchema = z.strictObject({
  clusterName: dnsLabel().describe('`multiCluster.clusterName` of that cluster.'),
  role: z
    .enum(['Primary', 'Remote'])
    .optional()
    .describe(
      '`Remote`: it follows the istiod of this cluster, which east-west gateways let it reach. Default: `Primary`.',
    ),
  kubeconfig: z
    .strictObject({
      secretName: secretName().describe('Secret in the namespace of the MeshOperator.'),
      key: textOf(secretKeyRule).optional().describe('Its key with the kubeconfig. Default: `kubeconfig`.'),
    })
    .optional()
    .describe('Whom the operator is in that cluster, by a kubeconfig without programs and paths of files.'),
  token: z
    .strictObject({
      secretName: secretName().describe(
        'Secret in the namespace of the MeshOperator, with `token` and `ca.crt` as a Secret of type `kubernetes.io/service-account-token` has them.',
      ),
      server: textOf(serverRule).describe('Address of the API server.'),
    })
    .optional()
    .describe(
      'Whom the operator is in that cluster, by the token of a ServiceAccount there; instead of `kubeconfig`.',
    ),
  server: textOf(serverRule)
    .optional()
    .describe("Address of its API server for istiod, where that is not the operator's own."),
  tlsServerName: dnsName()
    .optional()
    .describe("Name in the API server's certificate, where that is not the host of its address."),
  proxyURL: textOf(proxyRule)
    .optional()
    .describe(
      'Proxy on the way to the API server, for the operator and istiod. The certificate of an `https` one must be of the authority of the API server, and for `tlsServerName` where that is set.',
    ),
  credential: z
    .strictObject({
      type: z
        .enum(['Bound', 'LongLived'])
        .optional()
        .describe(
          '`Bound`: tokens that end by themselves and are replaced before. `LongLived`: a token without an end, replaced when somebody asks. Default: `Bound`.',
        ),
      lifetime: goDuration()
        .optional()
        .describe(
          'For `Bound`: how long a token is valid, of which half is used. Default: `24h`; least: `10m`.',
        ),
    })
    .optional()
    .describe('What istiod reads that cluster with.'),
});

/** The place of this cluster in a mesh of several. */
export const multiClusterSchema = z.strictObject({
  meshID: labelValue().describe('Identity of the mesh, the same in all its clusters.'),
  clusterName: dnsLabel().describe('Name of this cluster, which no other cluster of the mesh has.'),
  network: labelValue()
    .optional()
    .describe(
      'Network of this cluster: pods of one network reach each other by their addresses. Default: all in one.',
    ),
  role: z
    .enum(['Primary', 'Remote'])
    .optional()
    .describe(
      '`Primary` has an istiod of its own; `Remote` follows that of another cluster, as profile `remote` does. Default: `Remote` with profile `remote`, else `Primary`.',
    ),
  configCluster: dnsLabel()
    .optional()
    .describe(
      'One of `remotes`, which istiod has for its own cluster: there are the workloads and the resources of Istio, and here runs istiod alone. It cannot be changed. Default: this cluster.',
    ),
  remotes: z
    .array(remoteSchema)
    .max(maxRemotes, `must not have more than ${maxRemotes} clusters`)
    .optional()
    .describe('The other clusters of the mesh.'),
});

export type MultiCluster = z.infer<typeof multiClusterSchema>;
export type Remote = z.infer<typeof remoteSchema>;
