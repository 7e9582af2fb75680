import { z } from 'zod';
import { hpaSpecSchema } from './autoscaling.ts';
import { containerProbeSchema } from './container-probe.ts';
import {
  annotations,
  cidr,
  countOrPercent,
  environmentName,
  integer,
  ipAddress,
  labelValue,
  port,
  portName,
  portOrName,
  priorityClass,
  quantity,
} from './field-format.ts';
import { overlaysSchema } from './overlays.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './pod-scheduling.ts';
import { volumeMountSchema, volumeSchema } from './pod-volumes.ts';

export const resourcesSchema = z.strictObject({
  requests: z
    .record(z.string(), quantity())
    .optional()
    .describe('What the scheduler sets aside, by resource name.'),
  limits: z
    .record(z.string(), quantity())
    .optional()
    .describe('What the container may use, by resource name.'),
});

export const strategySchema = z.strictObject({
  type: z.enum(['RollingUpdate', 'Recreate']).optional().describe('Default: `RollingUpdate`.'),
  rollingUpdate: z
    .strictObject({
      maxSurge: countOrPercent().optional().describe('Pods above the wanted number. Default: `100%`.'),
      maxUnavailable: countOrPercent().optional().describe('Pods that may be missing. Default: `25%`.'),
    })
    .optional()
    .describe('Limits of a rolling update.'),
});

/** How the pods of a DaemonSet are replaced. */
export const updateStrategySchema = z.strictObject({
  type: z
    .enum(['RollingUpdate', 'OnDelete'])
    .optional()
    .describe('`OnDelete` leaves it to you to delete the pods. Default: `RollingUpdate`.'),
  rollingUpdate: z
    .strictObject({
      maxSurge: countOrPercent()
        .optional()
        .describe('Nodes that may have two pods. Default: 0; of ztunnel 1.'),
      maxUnavailable: countOrPercent()
        .optional()
        .describe('Nodes that may be without a pod. Default: 1; of ztunnel 0.'),
    })
    .optional()
    .describe('Limits of a rolling update.'),
});

const keyReference = (what: string) =>
  z.strictObject({
    name: z.string().describe(`Name of the ${what}.`),
    key: z.string().describe('Key in its data.'),
    optional: z.boolean().optional().describe('Whether it may be missing.'),
  });

/** One environment variable of the component's container. */
export const envVarSchema = z.strictObject({
  name: environmentName().describe('Name of the variable.'),
  value: z.string().optional().describe('Its value. Numbers and booleans must be quoted.'),
  valueFrom: z
    .strictObject({
      fieldRef: z
        .strictObject({
          apiVersion: z.string().optional().describe('Version of the path. Default: `v1`.'),
          fieldPath: z.string().describe('Path in the pod, for example `metadata.name`.'),
        })
        .optional()
        .describe('A field of the pod.'),
      resourceFieldRef: z
        .strictObject({
          containerName: z.string().optional().describe('The container. Default: the own one.'),
          resource: z.string().describe('For example `limits.cpu`.'),
          divisor: quantity().optional().describe('Unit of the value.'),
        })
        .optional()
        .describe('A resource of a container.'),
      configMapKeyRef: keyReference('ConfigMap').optional().describe('A key of a ConfigMap.'),
      secretKeyRef: keyReference('Secret').optional().describe('A key of a Secret.'),
    })
    .optional()
    .describe('Where the value comes from instead.'),
});

const podDisruptionBudgetSchema = z.strictObject({
  minAvailable: countOrPercent().optional().describe('Pods that must stay, as a number or a percentage.'),
  maxUnavailable: countOrPercent().optional().describe('Pods that may go, as a number or a percentage.'),
  unhealthyPodEvictionPolicy: z
    .enum(['IfHealthyBudget', 'AlwaysAllow'])
    .optional()
    .describe('Whether unhealthy pods may always be evicted.'),
});

const profileReference = (what: string) =>
  z.strictObject({
    type: z.enum(['RuntimeDefault', 'Unconfined', 'Localhost']).describe(`Kind of ${what} profile.`),
    localhostProfile: z.string().optional().describe('Profile on the node, for `Localhost`.'),
  });

/** The SELinux context of processes. */
export const seLinuxOptionsSchema = z.strictObject({
  level: z.string().optional().describe('SELinux level.'),
  role: z.string().optional().describe('SELinux role.'),
  type: z.string().optional().describe('SELinux type.'),
  user: z.string().optional().describe('SELinux user.'),
});

/** The pod's security context. */
export const podSecurityContextSchema = z.strictObject({
  runAsUser: integer(0).optional().describe('User ID of the processes.'),
  runAsGroup: integer(0).optional().describe('Group ID of the processes.'),
  runAsNonRoot: z.boolean().optional().describe('Refuse to start as user 0. Default: `true`.'),
  fsGroup: integer(0).optional().describe('Group that owns the volumes.'),
  fsGroupChangePolicy: z.enum(['Always', 'OnRootMismatch']).optional().describe('When ownership is changed.'),
  supplementalGroups: z.array(integer(0)).optional().describe('Further groups of the processes.'),
  supplementalGroupsPolicy: z
    .enum(['Merge', 'Strict'])
    .optional()
    .describe('Whether groups of the image count.'),
  seLinuxOptions: seLinuxOptionsSchema.optional().describe('SELinux context.'),
  seccompProfile: profileReference('seccomp')
    .optional()
    .describe('Seccomp profile. Default: `RuntimeDefault`.'),
  appArmorProfile: profileReference('AppArmor').optional().describe('AppArmor profile.'),
  sysctls: z
    .array(
      z.strictObject({
        name: z.string().describe('Name of the kernel parameter.'),
        value: z.string().describe('Its value.'),
      }),
    )
    .optional()
    .describe(
      'Kernel parameters of the pod. A gateway needs `net.ipv4.ip_unprivileged_port_start=0` for ports below 1024 and has it by default; a list given here replaces that.',
    ),
});

const servicePortSchema = z.strictObject({
  name: portName().optional().describe('Unique name. Default: `port-` and the number.'),
  port: port().describe('Port of the Service.'),
  targetPort: portOrName().optional().describe('Port of the pod. Default: `port`.'),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).optional().describe('Default: `TCP`.'),
  nodePort: port()
    .optional()
    .describe('Port on every node; only for NodePort and LoadBalancer. Default: assigned.'),
  appProtocol: z.string().optional().describe('Protocol hint for load balancers and meshes.'),
});

/** Service of a gateway. */
export const serviceSchema = z.strictObject({
  type: z
    .enum(['LoadBalancer', 'NodePort', 'ClusterIP'])
    .optional()
    .describe('Default: `LoadBalancer`; `ClusterIP` for an egress gateway.'),
  ports: z
    .array(servicePortSchema)
    .min(1, 'must have at least one port')
    .optional()
    .describe(
      'Replaces the default ports. Ingress: 15021 `status-port`, 80 `http2`, 443 `https`; egress: 80 `http2`, 443 `https`; east-west: 15021 `status-port`, 15443 `tls`, 15012 `tls-istiod`, 15017 `tls-webhook`. Name 15021 as well if a load balancer checks it.',
    ),
  loadBalancerIP: ipAddress().optional().describe('Address to ask of the cloud.'),
  loadBalancerClass: z
    .string()
    .min(1)
    .optional()
    .describe('Which load balancer serves it. Cannot be changed later.'),
  loadBalancerSourceRanges: z.array(cidr()).optional().describe('Clients that may connect.'),
  allocateLoadBalancerNodePorts: z
    .boolean()
    .optional()
    .describe('Whether node ports are assigned. Default: `true`.'),
  externalTrafficPolicy: z
    .enum(['Cluster', 'Local'])
    .optional()
    .describe('`Local` keeps the client address and sends only to pods of the same node.'),
  internalTrafficPolicy: z
    .enum(['Cluster', 'Local'])
    .optional()
    .describe('The same for traffic from the cluster.'),
  healthCheckNodePort: port().optional().describe('Node port of the health check for `Local`.'),
  externalIPs: z.array(ipAddress()).optional().describe('Addresses that nodes accept traffic for.'),
  clusterIP: z.string().optional().describe('Address in the cluster, or `None`. Default: assigned.'),
  ipFamilyPolicy: z
    .enum(['SingleStack', 'PreferDualStack', 'RequireDualStack'])
    .optional()
    .describe('IPv4, IPv6 or both.'),
  ipFamilies: z
    .array(z.enum(['IPv4', 'IPv6']))
    .optional()
    .describe('Families, the preferred one first.'),
  sessionAffinity: z.enum(['None', 'ClientIP']).optional().describe('Whether a client stays with one pod.'),
  trafficDistribution: z.string().optional().describe('For example `PreferClose`.'),
});

/** Service of istiod: what the one of a gateway has, beside ports of its own. */
export const istiodServiceSchema = serviceSchema.extend({
  type: serviceSchema.shape.type.describe('Default: `ClusterIP`.'),
  ports: serviceSchema.shape.ports.describe(
    'Merged by number over the ports of istiod: 15010, 15012, 443, 15014.',
  ),
});

const workloadSettings = {
  resources: resourcesSchema
    .optional()
    .describe('Replaces `requests` and `limits` of the container, key by key.'),
  hpaSpec: hpaSpecSchema
    .optional()
    .describe('HorizontalPodAutoscaler, merged over the default one (1 to 5 pods at 80 % CPU).'),
  replicaCount: integer(1)
    .optional()
    .describe('Fixed number of pods: without `hpaSpec` it turns the HorizontalPodAutoscaler off.'),
  env: z
    .array(envVarSchema)
    .optional()
    .describe('Environment of the container; wins by name over what it has.'),
  nodeSelector: z.record(z.string(), labelValue()).optional().describe('Labels that the node must have.'),
  tolerations: z.array(tolerationSchema).optional().describe('Taints that do not keep the pod away.'),
  affinity: affinitySchema.optional().describe('Where the pods should and should not run.'),
  topologySpreadConstraints: z
    .array(topologySpreadConstraintSchema)
    .optional()
    .describe('How pods are spread over places.'),
  podAnnotations: annotations().optional().describe('Annotations of the pods.'),
  serviceAnnotations: annotations().optional().describe('Annotations of the Service.'),
  strategy: strategySchema.optional().describe('How a change is rolled out.'),
  podDisruptionBudget: podDisruptionBudgetSchema
    .optional()
    .describe('PodDisruptionBudget. Default: one pod must stay, when there are at least two.'),
  priorityClassName: priorityClass().optional().describe('PriorityClass of the pods.'),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('When the image is pulled.'),
  securityContext: podSecurityContextSchema
    .optional()
    .describe('Security context of the pod, merged key by key.'),
  readinessProbe: containerProbeSchema
    .optional()
    .describe(
      'When the container is ready, merged key by key; a check of another kind replaces the one it has.',
    ),
  volumes: z.array(volumeSchema).optional().describe('Volumes of the pod; win by name over what it has.'),
  volumeMounts: z
    .array(volumeMountSchema)
    .optional()
    .describe('Where the container sees volumes; win by `mountPath` over what it has.'),
  overlays: overlaysSchema
    .optional()
    .describe('Changes of the objects of this component once they are rendered.'),
};

/** Kubernetes settings of a workload. */
export const workloadSettingsSchema = z.strictObject(workloadSettings);

/** Kubernetes settings of istiod. */
export const istiodSettingsSchema = z.strictObject({
  ...workloadSettings,
  service: istiodServiceSchema.optional().describe('The Service in front of istiod.'),
});

/** Kubernetes settings of a DaemonSet, whose pods are on every node, as root. */
export const daemonSetSettingsSchema = workloadSettingsSchema
  .omit({
    hpaSpec: true,
    replicaCount: true,
    topologySpreadConstraints: true,
    serviceAnnotations: true,
    podDisruptionBudget: true,
  })
  .extend({
    strategy: updateStrategySchema.optional().describe('How a change is rolled out over the nodes.'),
    securityContext: podSecurityContextSchema
      .optional()
      .describe('Security context of the pod. Default: none.'),
  });

/** Kubernetes settings of a component without a workload. */
export const objectSettingsSchema = z.strictObject({ overlays: workloadSettings.overlays });

/** Kubernetes settings of a gateway. */
export const gatewaySettingsSchema = z.strictObject({
  ...workloadSettings,
  service: serviceSchema.optional().describe('The Service in front of the gateway.'),
});

export type WorkloadSettings = z.infer<typeof workloadSettingsSchema>;
export type IstiodSettings = z.infer<typeof istiodSettingsSchema>;
export type DaemonSetSettings = z.infer<typeof daemonSetSettingsSchema>;
export type GatewaySettings = z.infer<typeof gatewaySettingsSchema>;
export type PodDisruptionBudget = z.infer<typeof podDisruptionBudgetSchema>;
