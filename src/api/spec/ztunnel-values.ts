import { z } from 'zod';
import { resourceQuotasSchema } from './cni-values.ts';
import {
  annotations,
  hostAndPort,
  imageHub,
  imageName,
  imageTag,
  imageVariant,
  integer,
  labels,
  labelValue,
} from './field-format.ts';
import { resourcesSchema, seLinuxOptionsSchema, updateStrategySchema } from './kubernetes-settings.ts';
import { affinitySchema, tolerationSchema } from './pod-scheduling.ts';

/** Values of Istio's chart `ztunnel`. */
export const ztunnelValuesSchema = z.strictObject({
  image: imageName()
    .optional()
    .describe('Image of ztunnel; verbatim when it contains `/`. Default: `ztunnel`.'),
  hub: imageHub().optional().describe('Registry of the image. Default: `spec.hub`.'),
  tag: imageTag().optional().describe('Tag of the image. Default: `spec.tag`.'),
  variant: imageVariant().optional().describe('Variant of the image. Default: `global.variant`.'),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('When the image is pulled. Default: `global.imagePullPolicy`.'),
  network: labelValue().optional().describe('Network that its nodes are in. Default: `global.network`.'),
  caAddress: hostAndPort()
    .optional()
    .describe('host:port of the certificate authority. Default: as for sidecars.'),
  xdsAddress: hostAndPort()
    .optional()
    .describe('host:port of what configures it. Default: istiod of the mesh.'),
  logLevel: z
    .string()
    .regex(
      /^[A-Za-z0-9_:=,.[\]{}-]+$/,
      'must be a level such as info, or levels by module such as info,h2=warn',
    )
    .max(1024)
    .optional()
    .describe('Log level, or levels by module. Default: `info`.'),
  logAsJson: z.boolean().optional().describe('Whether it logs JSON. Default: `global.logAsJson`.'),
  peerCaCrl: z
    .strictObject({ enabled: z.boolean().optional().describe('Default: `false`.') })
    .optional()
    .describe('Whether certificates are checked against the list of revoked ones in `istio-ca-crl`.'),
  seLinuxOptions: seLinuxOptionsSchema.optional().describe('SELinux context of ztunnel.'),
  resources: resourcesSchema
    .optional()
    .describe('Resources of ztunnel. Default: requests of 200m and 512Mi.'),
  resourceQuotas: resourceQuotasSchema
    .optional()
    .describe('ResourceQuota for the priority `system-node-critical`, which some clusters restrict.'),
  nodeSelector: z.record(z.string(), labelValue()).optional().describe('Labels that the node must have.'),
  tolerations: z
    .array(tolerationSchema)
    .optional()
    .describe('Taints that do not keep ztunnel away. Default: all.'),
  affinity: affinitySchema.optional().describe('Nodes that it should and should not run on.'),
  podAnnotations: annotations().optional().describe('Annotations of the pods.'),
  podLabels: labels().optional().describe('Further labels of the pods.'),
  labels: labels().optional().describe('Further labels of its objects.'),
  annotations: annotations().optional().describe('Annotations of its objects.'),
  updateStrategy: updateStrategySchema
    .optional()
    .describe('As `components.ztunnel.k8s.strategy`, the better place.'),
  terminationGracePeriodSeconds: integer(1)
    .optional()
    .describe('Time for connections to end when a pod goes. Default: 30.'),
  env: z
    .record(z.string(), z.string())
    .optional()
    .describe('Environment of ztunnel; values must be quoted text.'),
});
