import { z } from 'zod';
import { platformNames } from '../platforms.ts';
import { cniValuesSchema } from './cni-values.ts';
import {
  annotations,
  cidrList,
  countOrPercent,
  dnsName,
  dnsNameOrAddressRule,
  goDuration,
  imageHub,
  imageName,
  imageTag,
  imageVariant,
  integer,
  istioLogLevel,
  labels,
  labelValue,
  portList,
  priorityClass,
  proxyComponentLogLevel,
  secretName,
  textOf,
} from './field-format.ts';
import { resourcesSchema } from './kubernetes-settings.ts';
import {
  affinitySchema,
  labelSelectorSchema,
  tolerationSchema,
  topologySpreadConstraintSchema,
} from './pod-scheduling.ts';
import { ztunnelValuesSchema } from './ztunnel-values.ts';

const proxyLogLevel = z.enum(['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off']);

/** An object of the Kubernetes API that is passed through as it is. */
const passedThrough = () =>
  z.record(z.string(), z.unknown()).meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });

const proxyValuesSchema = z.strictObject({
  autoInject: z
    .enum(['enabled', 'disabled'])
    .optional()
    .describe(
      'Whether pods of a selected namespace get a sidecar that neither ask for one nor refuse it. Default: `enabled`.',
    ),
  statusPort: integer(0, 65535)
    .optional()
    .describe('Port on which the agent of a sidecar answers probes; 0 turns its probes off. Default: 15020.'),
  startupProbe: z
    .strictObject({
      enabled: z.boolean().optional().describe('Default: `true`.'),
      failureThreshold: integer(1).optional().describe('Failed checks, one a second. Default: 600.'),
    })
    .optional()
    .describe('Startup probe of sidecars.'),
  includeIPRanges: cidrList()
    .optional()
    .describe('Destinations that sidecars capture; empty for none. Default: `*`.'),
  excludeIPRanges: cidrList().optional().describe('Destinations that sidecars do not capture.'),
  includeInboundPorts: portList()
    .optional()
    .describe('Ports at which sidecars capture; empty for none. Default: `*`.'),
  excludeInboundPorts: portList().optional().describe('Ports at which sidecars do not capture.'),
  includeOutboundPorts: portList()
    .optional()
    .describe('Destination ports that sidecars capture, whatever the address.'),
  excludeOutboundPorts: portList().optional().describe('Destination ports that sidecars do not capture.'),
  capNetBindService: z
    .boolean()
    .optional()
    .describe('Let sidecars listen on ports below 1024, as root. Default: `false`.'),
  privileged: z
    .boolean()
    .optional()
    .describe('Run sidecars and their init containers privileged. Default: `false`.'),
  holdApplicationUntilProxyStarts: z
    .boolean()
    .optional()
    .describe('Start the containers of a pod after its sidecar. Default: `false`.'),
  lifecycle: passedThrough().optional().describe('Lifecycle hooks of sidecars, instead of the usual ones.'),
  seccompProfile: passedThrough().optional().describe('seccomp profile of sidecars.'),
  outlierLogPath: z.string().max(1024).optional().describe('File for outlier events of sidecars.'),
  tracer: z
    .enum(['none', 'datadog'])
    .optional()
    .describe('`datadog` hands the annotation `apm.datadoghq.com/env` to sidecars as environment.'),
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
      'Resources of injected proxies that set none themselves; gateways of the spec have their own. Default: 100m and 128Mi, at most 2000m and 1024Mi.',
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
  platform: z
    .enum(platformNames)
    .optional()
    .describe('What the cluster is, where nodes or rights are not as usual. Profile `openshift` sets it.'),
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
  remotePilotAddress: textOf(dnsNameOrAddressRule)
    .optional()
    .describe('Address or host name of the istiod of another cluster, for profile `remote`.'),
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
  proxy_init: z
    .strictObject({
      image: imageName()
        .optional()
        .describe('Image of the container that captures traffic. Default: `proxyv2`.'),
      forceApplyIptables: z
        .boolean()
        .optional()
        .describe('Apply iptables rules even where rules exist. Default: `false`.'),
    })
    .optional()
    .describe('The container that captures traffic.'),
  nativeNftables: z.boolean().optional().describe('Use nftables instead of iptables. Default: `false`.'),
  mountMtlsCerts: z
    .boolean()
    .optional()
    .describe('Mount the Secret `istio.<service account>` into sidecars. Default: `false`.'),
  pilotCertProvider: z
    .string()
    .regex(/^[A-Za-z0-9./-]+$/, 'must be a name such as istiod')
    .max(253)
    .optional()
    .describe('Who signs the certificate of istiod. Default: `istiod`.'),
  caAddress: z
    .string()
    .max(253)
    .optional()
    .describe('host:port of the certificate authority. Default: istiod.'),
  caName: z
    .enum(['', 'GkeWorkloadCertificate'])
    .optional()
    .describe('`GkeWorkloadCertificate` mounts certificates of GKE. Default: istiod signs.'),
  sts: z
    .strictObject({ servicePort: integer(0, 65535).optional().describe('0 turns it off. Default: 0.') })
    .optional()
    .describe('Secure token service of the agent.'),
  trustBundleName: dnsName()
    .optional()
    .describe('ConfigMap with the root certificates. Default: `istio-ca-root-cert`.'),
  sds: z
    .strictObject({
      token: z
        .strictObject({ aud: z.string().min(1).max(253).optional().describe('Default: `istio-ca`.') })
        .optional()
        .describe('The token that proxies show istiod.'),
    })
    .optional()
    .describe('How proxies get certificates.'),
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
  cni: z
    .strictObject({
      enabled: z
        .boolean()
        .optional()
        .describe(
          'Traffic is captured by the CNI plugin and not by an init container. Default: whether `components.cni` is enabled.',
        ),
      provider: z
        .enum(['default', 'multus'])
        .optional()
        .describe('Who calls the plugin: `multus` needs an annotation on each pod. Default: `cni.provider`.'),
    })
    .optional()
    .describe("Istio's CNI plugin, as far as injection depends on it."),
  crlConfigMapName: dnsName()
    .optional()
    .describe('ConfigMap with revoked certificates. Default: `istio-ca-crl`.'),
  extraContainerArgs: z.array(z.string()).optional().describe('Further command line arguments of istiod.'),
});

const injectorValuesSchema = z.strictObject({
  enableNamespacesByDefault: z.boolean().optional().describe('As `spec.sidecarInjector`, the better place.'),
  rewriteAppHTTPProbe: z
    .boolean()
    .optional()
    .describe('As `spec.sidecarInjector.rewriteAppHTTPProbers`, the better place.'),
  neverInjectSelector: z
    .array(labelSelectorSchema)
    .optional()
    .describe('As `spec.sidecarInjector`, the better place.'),
  alwaysInjectSelector: z
    .array(labelSelectorSchema)
    .optional()
    .describe('As `spec.sidecarInjector`, the better place.'),
  injectedAnnotations: annotations().optional().describe('As `spec.sidecarInjector`, the better place.'),
  defaultTemplates: z.array(z.string()).optional().describe('As `spec.sidecarInjector`, the better place.'),
});

/** The Helm values of Istio's charts whose effect exists here. */
export const valuesSchema = z.strictObject({
  global: globalValuesSchema.optional().describe('Settings of all components.'),
  pilot: pilotValuesSchema
    .optional()
    .describe('Settings of istiod. `components.pilot.k8s` wins where both say something.'),
  cni: cniValuesSchema
    .optional()
    .describe("The agent of Istio's CNI plugin. `components.cni.k8s` wins where both say something."),
  ztunnel: ztunnelValuesSchema
    .optional()
    .describe('The proxy of ambient pods. `components.ztunnel.k8s` wins where both say something.'),
  sidecarInjectorWebhook: injectorValuesSchema.optional().describe('The sidecar injector.'),
  experimental: z
    .strictObject({
      stableValidationPolicy: z
        .boolean()
        .optional()
        .describe(
          'Whether objects that name this revision may only use what Istio calls stable. Default: `false`; `true` in profile `stable`.',
        ),
    })
    .optional()
    .describe('What may change without notice.'),
  meshConfig: z
    .record(z.string(), z.unknown())
    .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
    .optional()
    .describe('Merged over `spec.meshConfig`, which is the better place.'),
});

export type Values = z.infer<typeof valuesSchema>;
export type Resources = z.infer<typeof resourcesSchema>;
