import { z } from 'zod';
import {
  annotations,
  countOrPercent,
  dnsName,
  goDuration,
  imageHub,
  imageName,
  imageTag,
  imageVariant,
  integer,
  istioLogLevel,
  labels,
  labelValue,
  priorityClass,
  proxyComponentLogLevel,
  secretName,
} from './field-format.ts';
import { resourcesSchema } from './kubernetes-settings.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './pod-scheduling.ts';

const proxyLogLevel = z.enum(['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off']);

const proxyValuesSchema = z.strictObject({
  image: imageName()
    .optional()
    .describe('Image of the proxy; verbatim when it contains `/`. Default: `proxyv2`.'),
  clusterDomain: dnsName().optional().describe('DNS domain of the cluster. Default: `cluster.local`.'),
  logLevel: proxyLogLevel.optional().describe('Log level of Envoy. Default: `warning`.'),
  componentLogLevel: proxyComponentLogLevel()
    .optional()
    .describe('Log levels of Envoy components. Default: `misc:error`.'),
  resources: resourcesSchema
    .optional()
    .describe(
      'Resources of proxies that set none themselves. Default: 100m and 128Mi, at most 2000m and 1024Mi.',
    ),
  readinessInitialDelaySeconds: integer(0)
    .optional()
    .describe('Delay before the first readiness check. Default: 0.'),
  readinessPeriodSeconds: integer(1).optional().describe('Seconds between readiness checks. Default: 15.'),
  readinessFailureThreshold: integer(1)
    .optional()
    .describe('Failed checks until a proxy is not ready. Default: 4.'),
});

const meshNetworksSchema = z
  .record(z.string(), z.unknown())
  .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });

const globalValuesSchema = z.strictObject({
  hub: imageHub().optional().describe('As `spec.hub`, which is the better place.'),
  tag: imageTag().optional().describe('As `spec.tag`, which is the better place.'),
  variant: imageVariant().optional().describe('Image variant, added to the tag: `distroless` or `debug`.'),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional().describe('When images are pulled.'),
  imagePullSecrets: z.array(secretName()).optional().describe('Added to `spec.imagePullSecrets`.'),
  priorityClassName: priorityClass().optional().describe('PriorityClass of istiod and the gateways.'),
  logAsJson: z.boolean().optional().describe('Whether istiod and proxies log JSON. Default: `false`.'),
  logging: z
    .strictObject({
      level: istioLogLevel().optional().describe('Log levels by scope. Default: `default:info`.'),
    })
    .optional()
    .describe('Logging of istiod.'),
  meshID: labelValue().optional().describe('Identity of the mesh, for meshes of several clusters.'),
  network: labelValue().optional().describe('Network that this cluster is in.'),
  meshNetworks: meshNetworksSchema
    .optional()
    .describe('Networks of the mesh by name, as in the MeshNetworks document.'),
  multiCluster: z
    .strictObject({
      clusterName: dnsName().optional().describe('Name of this cluster in the mesh. Default: `Kubernetes`.'),
    })
    .optional()
    .describe('Place of this cluster in a mesh of several.'),
  proxy: proxyValuesSchema.optional().describe('Settings of every proxy.'),
});

const pilotValuesSchema = z.strictObject({
  autoscaleEnabled: z
    .boolean()
    .optional()
    .describe('Whether there is a HorizontalPodAutoscaler. Default: `true`.'),
  autoscaleMin: integer(1).optional().describe('Fewest pods. Default: 1.'),
  autoscaleMax: integer(1).optional().describe('Most pods. Default: 5.'),
  cpu: z
    .strictObject({
      targetAverageUtilization: integer(1)
        .optional()
        .describe('Percentage of the requested CPU. Default: 80.'),
    })
    .optional()
    .describe('Scaling by CPU.'),
  memory: z
    .strictObject({
      targetAverageUtilization: integer(1)
        .optional()
        .describe('Percentage of the requested memory. Default: unset.'),
    })
    .optional()
    .describe('Scaling by memory.'),
  replicaCount: integer(1)
    .optional()
    .describe('Number of pods when `autoscaleEnabled` is false. Default: 1.'),
  rollingMaxSurge: countOrPercent()
    .optional()
    .describe('Pods above the wanted number in a rollout. Default: `100%`.'),
  rollingMaxUnavailable: countOrPercent()
    .optional()
    .describe('Pods that may be missing in a rollout. Default: `25%`.'),
  resources: resourcesSchema
    .optional()
    .describe('Resources of istiod. Default: requests of 500m and 2048Mi.'),
  env: z
    .record(z.string(), z.string())
    .optional()
    .describe('Environment of istiod; values must be quoted text.'),
  image: imageName().optional().describe('Image of istiod; verbatim when it contains `/`. Default: `pilot`.'),
  hub: imageHub().optional().describe('Registry of the istiod image. Default: `spec.hub`.'),
  tag: imageTag().optional().describe('Tag of the istiod image. Default: `spec.tag`.'),
  variant: imageVariant().optional().describe('Variant of the istiod image. Default: `global.variant`.'),
  nodeSelector: z.record(z.string(), labelValue()).optional().describe('Labels that the node must have.'),
  tolerations: z.array(tolerationSchema).optional().describe('Taints that do not keep the pods away.'),
  affinity: affinitySchema.optional().describe('Where the pods should and should not run.'),
  topologySpreadConstraints: z
    .array(topologySpreadConstraintSchema)
    .optional()
    .describe('How pods are spread over places.'),
  podAnnotations: annotations().optional().describe('Annotations of the pods.'),
  podLabels: labels().optional().describe('Further labels of the pods.'),
  serviceAnnotations: annotations().optional().describe('Annotations of the Service.'),
  traceSampling: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('Percentage of requests that are traced unless mesh configuration says otherwise. Default: 1.'),
  keepaliveMaxServerConnectionAge: goDuration()
    .optional()
    .describe('Age at which proxies are asked to connect anew. Default: `30m`.'),
  extraContainerArgs: z.array(z.string()).optional().describe('Further command line arguments of istiod.'),
});

/** The Helm values of Istio's charts whose effect exists here. */
export const valuesSchema = z.strictObject({
  global: globalValuesSchema.optional().describe('Settings of all components.'),
  pilot: pilotValuesSchema
    .optional()
    .describe('Settings of istiod. `components.pilot.k8s` wins where both say something.'),
  meshConfig: z
    .record(z.string(), z.unknown())
    .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
    .optional()
    .describe('Merged over `spec.meshConfig`, which is the better place.'),
});

export type Values = z.infer<typeof valuesSchema>;
export type ImageValues = Pick<z.infer<typeof pilotValuesSchema>, 'image' | 'hub' | 'tag' | 'variant'>;
export type Resources = z.infer<typeof resourcesSchema>;
