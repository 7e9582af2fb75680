import { z } from 'zod';
import {
  annotations,
  dnsLabel,
  fileName,
  imageHub,
  imageName,
  imageTag,
  imageVariant,
  integer,
  istioLogLevel,
  labels,
  labelValue,
  nodePath,
  qualifiedNameRule,
  textOf,
} from './field-format.ts';
import { resourcesSchema, seLinuxOptionsSchema, updateStrategySchema } from './kubernetes-settings.ts';
import { affinitySchema, labelSelectorSchema, tolerationSchema } from './pod-scheduling.ts';

/** The number of pods that may have the highest priority, where Kubernetes wants that said. */
export const resourceQuotasSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether there is one. Default: `false`; `true` on platform `gke`.'),
  pods: integer(1).optional().describe('Pods that it allows. Default: 5000.'),
});

const enablementSelectorSchema = z.strictObject({
  podSelector: labelSelectorSchema.optional().describe('Pods, by label.'),
  namespaceSelector: labelSelectorSchema.optional().describe('Their namespaces, by label.'),
});

const ambientSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether traffic of pods is handed to ztunnel. Default: `false`; `true` in profile `ambient`.'),
  enablementSelectors: z
    .array(enablementSelectorSchema)
    .optional()
    .describe(
      'Whose traffic that is; one of them must match. Default: pods and namespaces with label `istio.io/dataplane-mode=ambient`.',
    ),
  dnsCapture: z.boolean().optional().describe('Whether DNS requests are captured as well. Default: `true`.'),
  ipv6: z.boolean().optional().describe('Whether IPv6 is captured as well. Default: `true`.'),
  reconcileIptablesOnStartup: z
    .boolean()
    .optional()
    .describe(
      'Whether rules that an older agent has made are replaced when the agent starts. Default: `true`.',
    ),
  shareHostNetworkNamespace: z
    .boolean()
    .optional()
    .describe('Whether the agent runs in the network of its node. Default: `false`.'),
  enableAmbientDetectionRetry: z
    .boolean()
    .optional()
    .describe(
      'Whether the plugin asks again whether a pod is ambient when it got no answer. Default: `false`.',
    ),
});

const repairSchema = z.strictObject({
  enabled: z
    .boolean()
    .optional()
    .describe('Whether the agent looks for pods that started before it was ready. Default: `true`.'),
  repairPods: z
    .boolean()
    .optional()
    .describe('Repair them in place; counts before the other two. Default: `true`.'),
  deletePods: z
    .boolean()
    .optional()
    .describe('Delete them, so that they start anew; needs `repairPods: false`. Default: `false`.'),
  labelPods: z
    .boolean()
    .optional()
    .describe('Label them and no more; needs the other two to be false. Default: `false`.'),
  initContainerName: dnsLabel()
    .optional()
    .describe('Init container by whose failure they are found. Default: `istio-validation`.'),
  brokenPodLabelKey: textOf(qualifiedNameRule)
    .optional()
    .describe('Label that they get. Default: `cni.istio.io/uninitialized`.'),
  brokenPodLabelValue: labelValue().optional().describe('Its value. Default: `true`.'),
});

/** Values of Istio's chart `cni`. */
export const cniValuesSchema = z.strictObject({
  image: imageName()
    .optional()
    .describe('Image of the agent; verbatim when it contains `/`. Default: `install-cni`.'),
  hub: imageHub().optional().describe('Registry of the image. Default: `spec.hub`.'),
  tag: imageTag().optional().describe('Tag of the image. Default: `spec.tag`.'),
  variant: imageVariant().optional().describe('Variant of the image. Default: `global.variant`.'),
  pullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('When the image is pulled. Default: `global.imagePullPolicy`.'),
  logging: z
    .strictObject({
      level: istioLogLevel().optional().describe('Log levels by scope. Default: `global.logging.level`.'),
    })
    .optional()
    .describe('Logging of the agent.'),
  cniBinDir: nodePath()
    .optional()
    .describe('Where the node has its CNI plugins. Default: `/opt/cni/bin`, or as the platform has it.'),
  cniConfDir: nodePath()
    .optional()
    .describe('Where it has their configuration. Default: `/etc/cni/net.d`, or as the platform has it.'),
  cniConfFileName: fileName()
    .optional()
    .describe('The configuration that the plugin is added to. Default: the first one.'),
  cniNetnsDir: nodePath()
    .optional()
    .describe('Where it has the networks of pods. Default: `/var/run/netns`, or as the platform has it.'),
  istioOwnedCNIConfig: z
    .boolean()
    .optional()
    .describe(
      'Whether the plugin has a configuration of its own beside the one it extends. Default: `false`.',
    ),
  istioOwnedCNIConfigFileName: fileName()
    .optional()
    .describe('Name of that. Default: `02-istio-cni.conflist`.'),
  excludeNamespaces: z
    .array(dnsLabel())
    .optional()
    .describe('Namespaces whose pods are left alone. Default: `kube-system`.'),
  chained: z
    .boolean()
    .optional()
    .describe('Whether the plugin is added to the configuration of another. Default: `true`.'),
  provider: z
    .enum(['default', 'multus'])
    .optional()
    .describe('Who calls the plugin: `multus` needs its own operator in the cluster. Default: `default`.'),
  ambient: ambientSchema.optional().describe('Traffic of pods without a sidecar.'),
  repair: repairSchema.optional().describe('Pods that started before the agent was ready on their node.'),
  seccompProfile: z
    .record(z.string(), z.unknown())
    .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
    .optional()
    .describe('seccomp profile of the agent.'),
  seLinuxOptions: seLinuxOptionsSchema
    .optional()
    .describe('SELinux context of the agent; type `spc_t` when something else is set.'),
  resources: resourcesSchema
    .optional()
    .describe('Resources of the agent. Default: requests of 100m and 100Mi.'),
  resourceQuotas: resourceQuotasSchema
    .optional()
    .describe('ResourceQuota for the priority `system-node-critical`, which some clusters restrict.'),
  tolerations: z
    .array(tolerationSchema)
    .optional()
    .describe('Taints that do not keep the agent away. Default: all.'),
  affinity: affinitySchema.optional().describe('Nodes that it should and should not run on.'),
  podAnnotations: annotations().optional().describe('Annotations of the pods.'),
  podLabels: labels().optional().describe('Further labels of the pods.'),
  daemonSetLabels: labels().optional().describe('Further labels of the DaemonSet.'),
  updateStrategy: updateStrategySchema
    .optional()
    .describe('As `components.cni.k8s.strategy`, the better place.'),
  terminationGracePeriodSeconds: integer(0)
    .optional()
    .describe('Time to take the plugin out of the node. Default: 30.'),
  env: z
    .record(z.string(), z.string())
    .optional()
    .describe('Environment of the agent; values must be quoted text.'),
});
