import { z } from 'zod';
import { gatewayApiChannels } from '../gateway-api.ts';
import { dnsLabel, labels, labelValue, serviceName } from './field-format.ts';
import {
  daemonSetSettingsSchema,
  gatewaySettingsSchema,
  istiodSettingsSchema,
  objectSettingsSchema,
} from './kubernetes-settings.ts';

/** More gateways of one kind than this in one mesh is taken for a mistake; it also bounds the cost of CEL rules. */
export const maxGateways = 64;

const gatewayFields = {
  name: serviceName().describe('Name of its Deployment and Service.'),
  namespace: dnsLabel().optional().describe('Where it runs. Default: the namespace of the MeshOperator.'),
  enabled: z.boolean().optional().describe('Default: `true` for a gateway in the list.'),
  label: labels()
    .optional()
    .describe(
      'Labels of its pods and Service. `app` and `istio` are the selector; their defaults are the name, and the name without `istio-`.',
    ),
  k8s: gatewaySettingsSchema.optional().describe('Kubernetes settings of the gateway.'),
};

export const gatewaySchema = z.strictObject(gatewayFields);

export const eastWestGatewaySchema = z.strictObject({
  ...gatewayFields,
  network: labelValue()
    .optional()
    .describe(
      'Network whose gateway it is: other clusters find it by this name, and it sends traffic to this network only. Default: `values.global.network`; without either it serves workloads outside the cluster, such as virtual machines.',
    ),
});

/** A component that has a pod on every node, and is there once in a cluster. */
function nodeComponent(name: string, subject: string) {
  return z.strictObject({
    enabled: z
      .boolean()
      .optional()
      .describe(`Default: \`true\` when \`${name}\` is given, else as in the profile.`),
    namespace: dnsLabel()
      .optional()
      .describe(
        'Where it runs. Default: the namespace of the MeshOperator; `kube-system` with profile `openshift`.',
      ),
    k8s: daemonSetSettingsSchema.optional().describe(`Kubernetes settings of ${subject}.`),
  });
}

/** The parts of a mesh; each can be turned off. */
export const componentsSchema = z.strictObject({
  base: z
    .strictObject({
      enabled: z
        .boolean()
        .optional()
        .describe(
          'Custom resource definitions and the default validating webhook. Default: as in the profile.',
        ),
      gatewayApi: z
        .enum(gatewayApiChannels)
        .optional()
        .describe(
          'Channel of the Gateway API whose CRDs are installed where they are missing; those that are there are neither changed nor removed. Default: none are installed.',
        ),
      k8s: objectSettingsSchema.optional().describe('Kubernetes settings of what the cluster shares.'),
    })
    .optional()
    .describe('What the whole cluster shares.'),
  pilot: z
    .strictObject({
      enabled: z
        .boolean()
        .optional()
        .describe('Default: `true` when `pilot` is given, else as in the profile.'),
      k8s: istiodSettingsSchema.optional().describe('Kubernetes settings of istiod.'),
    })
    .optional()
    .describe('The control plane, istiod.'),
  cni: nodeComponent('cni', 'the agent')
    .optional()
    .describe(
      'The agent on each node that has traffic of pods captured, so that no pod needs the rights for it. One MeshOperator of a cluster can have it.',
    ),
  ztunnel: nodeComponent('ztunnel', 'ztunnel')
    .optional()
    .describe(
      'The proxy that the ambient pods of each node share; needs `cni` with `values.cni.ambient.enabled`, and istiod with `PILOT_ENABLE_AMBIENT`: see profile `ambient`. One MeshOperator of a cluster can have it.',
    ),
  ingressGateways: listOf(gatewaySchema).describe(
    'Gateways for traffic from outside. Replaces the list of the profile.',
  ),
  egressGateways: listOf(gatewaySchema).describe(
    'Gateways for traffic to the outside. Replaces the list of the profile.',
  ),
  eastWestGateways: listOf(eastWestGatewaySchema).describe(
    'Gateways for traffic from other networks of the mesh, and for proxies that find istiod there.',
  ),
});

/** Gateways of one kind, each at a place of its own. */
function listOf<Schema extends z.ZodType>(gateway: Schema) {
  return z
    .array(gateway)
    .max(maxGateways, `must not have more than ${maxGateways} gateways`)
    .meta({
      'x-kubernetes-validations': [
        {
          // CEL keeps the word namespace for itself and reads the field under this name.
          rule: 'self.all(a, self.exists_one(b, a.name == b.name && (has(a.__namespace__) ? a.__namespace__ : "") == (has(b.__namespace__) ? b.__namespace__ : "")))',
          message: 'two gateways have the same name and namespace',
        },
      ],
    })
    .optional();
}

export type Components = z.infer<typeof componentsSchema>;
export type NodeComponent = NonNullable<Components['cni']>;
export type Gateway = z.infer<typeof gatewaySchema>;
