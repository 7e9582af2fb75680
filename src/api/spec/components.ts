import { z } from 'zod';
import { dnsLabel, labels, serviceName } from './field-format.ts';
import { gatewaySettingsSchema, istiodSettingsSchema, objectSettingsSchema } from './kubernetes-settings.ts';

/** More gateways than this in one mesh is taken for a mistake; it also bounds the cost of CEL rules. */
export const maxGateways = 64;

export const ingressGatewaySchema = z.strictObject({
  name: serviceName().describe('Name of its Deployment and Service.'),
  namespace: dnsLabel().optional().describe('Where it runs. Default: the namespace of the MeshOperator.'),
  enabled: z.boolean().optional().describe('Default: `true` for a gateway in the list.'),
  label: labels()
    .optional()
    .describe(
      'Labels of its pods and Service. `app` and `istio` are the selector; their defaults are the name, and the name without `istio-`.',
    ),
  k8s: gatewaySettingsSchema.optional().describe('Kubernetes settings of the gateway.'),
});

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
  ingressGateways: z
    .array(ingressGatewaySchema)
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
    .optional()
    .describe('Gateways for traffic from outside. Replaces the list of the profile.'),
});

export type Components = z.infer<typeof componentsSchema>;
export type IngressGateway = z.infer<typeof ingressGatewaySchema>;
