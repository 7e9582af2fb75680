import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import type { Gateway } from '../../src/api/spec/components.ts';
import type {
  DaemonSetSettings,
  IstiodSettings,
  WorkloadSettings,
} from '../../src/api/spec/kubernetes-settings.ts';
import { wholeMultiCluster } from './whole-multi-cluster.ts';
import { wholeSecurity } from './whole-security.ts';
import { wholeTelemetry } from './whole-telemetry.ts';

const selector = {
  matchLabels: { app: 'x' },
  matchExpressions: [{ key: 'tier', operator: 'NotIn' as const, values: ['web'] }],
};

const nodeTerm = {
  matchExpressions: [{ key: 'arch', operator: 'In' as const, values: ['amd64'] }],
  matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['node1'] }],
};

const podTerm = {
  labelSelector: selector,
  namespaceSelector: selector,
  namespaces: ['other'],
  topologyKey: 'kubernetes.io/hostname',
  matchLabelKeys: ['pod-template-hash'],
  mismatchLabelKeys: ['tenant'],
};

const podAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution: [podTerm],
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 4, podAffinityTerm: podTerm }],
};

const placement = {
  nodeSelector: { disk: 'ssd' },
  tolerations: [
    {
      key: 'dedicated',
      operator: 'Equal' as const,
      value: 'mesh',
      effect: 'NoExecute' as const,
      tolerationSeconds: 60,
    },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [nodeTerm] },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 3, preference: nodeTerm }],
    },
    podAffinity,
    podAntiAffinity: podAffinity,
  },
  topologySpreadConstraints: [
    {
      maxSkew: 2,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule' as const,
      labelSelector: selector,
      matchLabelKeys: ['pod-template-hash'],
      minDomains: 2,
      nodeAffinityPolicy: 'Ignore' as const,
      nodeTaintsPolicy: 'Honor' as const,
    },
  ],
  podAnnotations: { a: 'b' },
  serviceAnnotations: { c: 'd' },
};

const scalingRules = {
  stabilizationWindowSeconds: 10,
  selectPolicy: 'Min' as const,
  policies: [{ type: 'Pods' as const, value: 2, periodSeconds: 20 }],
};

/** A volume of every kind, each seen in the container in a way of its own. */
const volumes = {
  volumes: [
    { name: 'from-config-map', configMap: { name: 'settings', optional: true } },
    { name: 'from-csi', csi: { driver: 'csi.example.com', readOnly: true } },
    {
      name: 'from-downward-api',
      downwardAPI: {
        items: [{ path: 'labels', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } }],
      },
    },
    { name: 'from-empty-dir', emptyDir: { sizeLimit: '1Gi' } },
    {
      name: 'from-ephemeral',
      ephemeral: {
        volumeClaimTemplate: {
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      },
    },
    { name: 'from-host-path', hostPath: { path: '/var/lib/mesh' } },
    { name: 'from-image', image: { reference: 'registry.example.com/data:1', pullPolicy: 'IfNotPresent' } },
    { name: 'from-nfs', nfs: { server: 'nfs.example.com', path: '/exports' } },
    { name: 'from-claim', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'from-projected', projected: { sources: [{ secret: { name: 'settings', optional: true } }] } },
    { name: 'from-secret', secret: { secretName: 'settings', optional: true } },
  ],
  volumeMounts: [
    { name: 'from-config-map', mountPath: '/settings', subPath: 'k', readOnly: true },
    { name: 'from-empty-dir', mountPath: '/scratch', subPathExpr: '$(A)' },
    { name: 'from-host-path', mountPath: '/host', mountPropagation: 'HostToContainer' as const },
  ],
};

const probeTimes = {
  initialDelaySeconds: 11,
  periodSeconds: 12,
  timeoutSeconds: 7,
  successThreshold: 2,
  failureThreshold: 13,
};

/** An overlay of a workload. */
function overlays(name: string, kind = 'Deployment'): WorkloadSettings['overlays'] {
  return [
    {
      apiVersion: 'apps/v1',
      kind,
      name,
      patches: [
        { path: 'spec.minReadySeconds', value: 9 },
        { path: 'spec.template.spec.terminationGracePeriodSeconds' },
      ].slice(0, name === 'public' ? 2 : 1),
    },
  ];
}

/** A workload that uses every setting that goes with a HorizontalPodAutoscaler and a rolling update. */
function scaledWorkload(container: string, deployment: string): WorkloadSettings {
  const rate = { name: 'rate', selector };
  const describedObject = { apiVersion: 'v1', kind: 'Service', name: 'istiod' };
  return {
    ...placement,
    ...volumes,
    overlays: overlays(deployment),
    readinessProbe: {
      ...probeTimes,
      httpGet: {
        path: '/ready-or-not',
        port: 8085,
        host: 'localhost',
        scheme: 'HTTPS',
        httpHeaders: [{ name: 'X-Asks', value: 'kubelet' }],
      },
    },
    resources: { requests: { cpu: '30m' }, limits: { cpu: '300m' } },
    hpaSpec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
      minReplicas: 3,
      maxReplicas: 9,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
        {
          type: 'Resource',
          resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } },
        },
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'cpu',
            container,
            target: { type: 'Utilization', averageUtilization: 40 },
          },
        },
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'memory',
            container,
            target: { type: 'AverageValue', averageValue: '90Mi' },
          },
        },
        { type: 'Pods', pods: { metric: rate, target: { type: 'AverageValue', averageValue: 10 } } },
        { type: 'Object', object: { describedObject, metric: rate, target: { type: 'Value', value: 20 } } },
        {
          type: 'Object',
          object: { describedObject, metric: rate, target: { type: 'AverageValue', averageValue: 21 } },
        },
        { type: 'External', external: { metric: rate, target: { type: 'Value', value: 30 } } },
        { type: 'External', external: { metric: rate, target: { type: 'AverageValue', averageValue: 31 } } },
      ],
      behavior: { scaleUp: scalingRules, scaleDown: scalingRules },
    },
    env: [
      { name: 'A', value: 'b' },
      { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      {
        name: 'C',
        valueFrom: { resourceFieldRef: { containerName: container, resource: 'limits.cpu', divisor: '1m' } },
      },
      { name: 'D', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k', optional: true } } },
      { name: 'E', valueFrom: { secretKeyRef: { name: 'settings', key: 'k', optional: true } } },
    ],
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '10%' } },
    podDisruptionBudget: { minAvailable: 2, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    priorityClassName: 'high',
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      runAsUser: 1000,
      runAsGroup: 1001,
      runAsNonRoot: false,
      fsGroup: 1002,
      fsGroupChangePolicy: 'OnRootMismatch',
      supplementalGroups: [1003],
      supplementalGroupsPolicy: 'Strict',
      seLinuxOptions: { level: 's0:c1', role: 'r', type: 't', user: 'u' },
      seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' },
      appArmorProfile: { type: 'Localhost', localhostProfile: 'b' },
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '1' }],
    },
  };
}

/** A component with a pod on every node that uses every setting. */
function nodeWorkload(container: string, daemonSet: string): DaemonSetSettings {
  const {
    hpaSpec: _hpaSpec,
    topologySpreadConstraints: _spread,
    serviceAnnotations: _annotations,
    podDisruptionBudget: _budget,
    ...settings
  } = scaledWorkload(container, daemonSet);
  return {
    ...settings,
    overlays: overlays(daemonSet, 'DaemonSet'),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '30%' } },
  };
}

/** The agent of the CNI plugin as values set it. */
const cniByValues: NonNullable<MeshOperatorSpec['values']>['cni'] = {
  image: 'my-agent',
  hub: 'agents.example.com/istio',
  tag: '1.31.0-patched',
  variant: 'debug',
  pullPolicy: 'Always',
  logging: { level: 'cni:debug' },
  cniBinDir: '/home/kubernetes/bin',
  cniConfDir: '/etc/cni/other',
  cniConfFileName: '10-calico.conflist',
  cniNetnsDir: '/var/run/docker/netns',
  istioOwnedCNIConfig: true,
  istioOwnedCNIConfigFileName: '02-mine.conflist',
  excludeNamespaces: ['other'],
  chained: false,
  ambient: {
    enabled: true,
    enablementSelectors: [{ podSelector: selector, namespaceSelector: selector }],
    dnsCapture: false,
    ipv6: false,
    reconcileIptablesOnStartup: false,
    shareHostNetworkNamespace: true,
    enableAmbientDetectionRetry: true,
  },
  repair: {
    repairPods: false,
    deletePods: true,
    initContainerName: 'mine',
    brokenPodLabelKey: 'example.com/broken',
    brokenPodLabelValue: 'yes',
  },
  seccompProfile: { type: 'RuntimeDefault' },
  seLinuxOptions: { level: 's0', role: 'r', type: 't', user: 'u' },
  resources: { requests: { cpu: '50m' }, limits: { memory: '1Gi' } },
  resourceQuotas: { enabled: true, pods: 100 },
  tolerations: placement.tolerations,
  affinity: placement.affinity,
  podAnnotations: { 'example.com/a': 'b' },
  podLabels: { tier: 'node' },
  daemonSetLabels: { team: 'mesh' },
  updateStrategy: { rollingUpdate: { maxSurge: '10%' } },
  terminationGracePeriodSeconds: 60,
  env: { CNI_EXAMPLE: 'true' },
};

/** ztunnel as values set it. */
const ztunnelByValues: NonNullable<MeshOperatorSpec['values']>['ztunnel'] = {
  image: 'my-ztunnel',
  hub: 'ztunnels.example.com/istio',
  tag: '1.31.0-patched',
  variant: 'debug',
  imagePullPolicy: 'Always',
  network: 'west',
  caAddress: 'ca.example.com:443',
  xdsAddress: 'xds.example.com:15012',
  logLevel: 'info,h2=warn',
  logAsJson: true,
  peerCaCrl: { enabled: true },
  seLinuxOptions: { level: 's0', role: 'r', type: 't', user: 'u' },
  resources: { requests: { cpu: '50m' }, limits: { cpu: '2' } },
  resourceQuotas: { enabled: true, pods: 100 },
  nodeSelector: placement.nodeSelector,
  tolerations: placement.tolerations,
  affinity: placement.affinity,
  podAnnotations: { 'example.com/a': 'b' },
  podLabels: { tier: 'node' },
  labels: { team: 'mesh' },
  annotations: { 'example.com/c': 'd' },
  updateStrategy: { rollingUpdate: { maxUnavailable: '10%' } },
  terminationGracePeriodSeconds: 60,
  env: { ZTUNNEL_EXAMPLE: 'true' },
};

/** Meshes whose istiod is in another cluster, and one that is strict. */
const otherProfiles: readonly MeshOperatorSpec[] = [
  { profile: 'remote', values: { global: { remotePilotAddress: '10.1.2.3' } } },
  { profile: 'remote', values: { global: { remotePilotAddress: 'fd00::1' } } },
  { profile: 'remote', values: { global: { remotePilotAddress: 'istiod.west.example.com' } } },
  { profile: 'minimal', values: { experimental: { stableValidationPolicy: true } } },
];

/** Components that have a pod on every node. */
const nodeComponents: readonly MeshOperatorSpec[] = [
  {
    profile: 'minimal',
    components: {
      cni: { namespace: 'nodes', k8s: nodeWorkload('install-cni', 'istio-cni-node') },
      ztunnel: { namespace: 'nodes', k8s: nodeWorkload('istio-proxy', 'ztunnel') },
    },
  },
  {
    profile: 'minimal',
    components: { cni: {}, ztunnel: {} },
    values: { cni: cniByValues, ztunnel: ztunnelByValues },
  },
  {
    profile: 'minimal',
    components: {
      cni: { k8s: { strategy: { type: 'OnDelete' } } },
      ztunnel: { k8s: { strategy: { type: 'OnDelete' } } },
    },
    values: {
      global: { platform: 'openshift' },
      cni: { repair: { repairPods: false, labelPods: true } },
    },
  },
  {
    profile: 'minimal',
    components: {
      cni: {
        k8s: {
          readinessProbe: { tcpSocket: { port: 8000, host: 'localhost' } },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2 } },
        },
      },
      ztunnel: {
        k8s: {
          readinessProbe: { tcpSocket: { port: 15021, host: 'localhost' } },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2 } },
        },
      },
    },
    values: { cni: { provider: 'multus', repair: { enabled: false } } },
  },
  {
    profile: 'minimal',
    components: {
      cni: { k8s: { readinessProbe: { grpc: { port: 8000, service: 'ready' } } } },
      ztunnel: { k8s: { readinessProbe: { grpc: { port: 15021, service: 'ready' } } } },
    },
    values: {
      cni: { updateStrategy: { rollingUpdate: { maxUnavailable: 3 } } },
      ztunnel: { updateStrategy: { rollingUpdate: { maxSurge: 3 } } },
    },
  },
  {
    profile: 'minimal',
    components: {
      cni: { k8s: { readinessProbe: { exec: { command: ['true'] } } } },
      ztunnel: { k8s: { readinessProbe: { exec: { command: ['true'] } } } },
    },
    values: {
      cni: { updateStrategy: { type: 'OnDelete' } },
      ztunnel: { updateStrategy: { type: 'OnDelete' } },
    },
  },
  { profile: 'minimal', components: { cni: { enabled: false }, ztunnel: { enabled: false } } },
];

const istiodService: NonNullable<IstiodSettings['service']> = {
  type: 'LoadBalancer',
  ports: [
    { name: 'xds', port: 15012, targetPort: 15112, protocol: 'TCP', nodePort: 30012, appProtocol: 'tls' },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ],
  loadBalancerIP: '10.0.0.3',
  loadBalancerClass: 'example.com/lb',
  loadBalancerSourceRanges: ['10.0.0.0/8'],
  externalTrafficPolicy: 'Local',
  internalTrafficPolicy: 'Local',
  healthCheckNodePort: 30013,
  externalIPs: ['10.0.0.4'],
  ipFamilyPolicy: 'SingleStack',
  ipFamilies: ['IPv4'],
  sessionAffinity: 'ClientIP',
  trafficDistribution: 'PreferClose',
};

const injectorSelectors = {
  neverInjectSelector: [
    {
      matchLabels: { app: 'never' },
      matchExpressions: [{ key: 'tier', operator: 'In' as const, values: ['never'] }],
    },
  ],
  alwaysInjectSelector: [
    {
      matchLabels: { app: 'always' },
      matchExpressions: [{ key: 'tier', operator: 'In' as const, values: ['always'] }],
    },
  ],
};

/** The injector as people of Helm values set it: classic sidecars, an init container that captures traffic. */
const injectorByValues: MeshOperatorSpec = {
  values: {
    global: {
      proxy: {
        autoInject: 'disabled',
        statusPort: 15999,
        startupProbe: { enabled: false },
        includeIPRanges: '10.0.0.0/8',
        excludeIPRanges: '10.1.0.0/16,fd00::/8',
        includeInboundPorts: '80,8080',
        excludeInboundPorts: '9090',
        includeOutboundPorts: '443',
        excludeOutboundPorts: '25',
        capNetBindService: true,
        privileged: true,
        lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
        seccompProfile: { type: 'RuntimeDefault' },
        outlierLogPath: '/dev/stdout',
        tracer: 'datadog',
      },
      proxy_init: { image: 'myinit', forceApplyIptables: true },
      nativeNftables: true,
      mountMtlsCerts: true,
      pilotCertProvider: 'kubernetes',
      caAddress: 'ca.example.com:15012',
      caName: 'GkeWorkloadCertificate',
      sts: { servicePort: 15463 },
      sds: { token: { aud: 'sts.example.com' } },
    },
    pilot: { crlConfigMapName: 'revoked' },
    sidecarInjectorWebhook: {
      ...injectorSelectors,
      enableNamespacesByDefault: true,
      rewriteAppHTTPProbe: false,
      injectedAnnotations: { 'example.com/injected': 'yes' },
      defaultTemplates: ['gateway', 'sidecar'],
    },
  },
};

/** The injector of `spec.sidecarInjector`, with the CNI plugin. */
const injectorBySpec: MeshOperatorSpec = {
  revisionTags: ['prod'],
  sidecarInjector: {
    ...injectorSelectors,
    failurePolicy: 'Ignore',
    barePods: 'Evict',
    k8s: scaledWorkload('injector', 'sidecar-injector'),
    enableNamespacesByDefault: true,
    rewriteAppHTTPProbers: false,
    nativeSidecars: 'Never',
    proxyDefaults: [
      {
        namespaces: ['apps'],
        resources: { requests: { cpu: '20m' }, limits: { memory: '300Mi' } },
        concurrency: 3,
      },
    ],
    injectedAnnotations: { 'example.com/injected': 'yes' },
    defaultTemplates: ['sidecar', 'extra'],
    templates: { extra: 'metadata:\n  labels:\n    extra: {{quote pod.name}}\n' },
    templateAliases: { both: ['sidecar', 'extra'] },
  },
  values: {
    global: {
      trustBundleName: 'roots',
      proxy: {
        autoInject: 'disabled',
        holdApplicationUntilProxyStarts: true,
        startupProbe: { failureThreshold: 7 },
      },
    },
    pilot: { cni: { enabled: true, provider: 'multus' } },
  },
};

/** Two control planes that share a tag, as upgrades make them. */
const sharedTags: readonly MeshOperatorSpec[] = [
  { revision: 'new', revisionTags: ['prod'], revisionTagScope: { namespaces: ['shop'] } },
  { revision: 'old', revisionTags: ['prod'], revisionTagScope: { exceptNamespaces: ['shop'] } },
];

const readerOverlays: WorkloadSettings['overlays'] = [
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    name: 'istio-reader-service-account',
    patches: [{ path: 'metadata.labels.team', value: 'mesh' }],
  },
];

const written: readonly MeshOperatorSpec[] = [
  ...sharedTags,
  {
    version: '1.30',
    hub: 'registry.example.com/istio',
    tag: '1.30.1-patched',
    profile: 'demo',
    revision: 'canary',
    imagePullSecrets: ['pull'],
    meshConfig: { trustDomain: 'example.org' },
    values: {
      meshConfig: { accessLogEncoding: 'JSON' },
      global: {
        variant: 'distroless',
        imagePullPolicy: 'Always',
        imagePullSecrets: ['other-pull'],
        priorityClassName: 'mesh',
        logAsJson: true,
        logging: { level: 'default:debug' },
        meshID: 'mesh1',
        network: 'net1',
        meshNetworks: { net2: { gateways: [{ address: '10.0.0.1', port: 15443 }] } },
        multiCluster: { clusterName: 'east' },
        proxy: {
          image: 'mine',
          clusterDomain: 'example.local',
          logLevel: 'debug',
          componentLogLevel: 'rbac:debug',
          resources: { requests: { cpu: '11m' }, limits: { cpu: '1100m' } },
          readinessInitialDelaySeconds: 3,
          readinessPeriodSeconds: 4,
          readinessFailureThreshold: 5,
        },
      },
      pilot: {
        ...placement,
        autoscaleEnabled: true,
        autoscaleMin: 2,
        autoscaleMax: 7,
        cpu: { targetAverageUtilization: 60 },
        memory: { targetAverageUtilization: 70 },
        rollingMaxSurge: 2,
        rollingMaxUnavailable: 1,
        resources: { requests: { cpu: '20m', memory: '1Gi' }, limits: { memory: '3Gi' } },
        env: { PILOT_ENABLE_STATUS: 'true' },
        image: 'mypilot',
        hub: 'pilots.example.com/istio',
        tag: '1.30.2-patched',
        variant: 'debug',
        podLabels: { team: 'mesh' },
        traceSampling: 7.5,
        keepaliveMaxServerConnectionAge: '10m',
        extraContainerArgs: ['--vklog=1'],
      },
    },
    components: {
      base: { enabled: false },
      ingressGateways: [{ name: 'public', namespace: 'edge', label: { team: 'edge' } }],
    },
  },
  {
    profile: 'empty',
    components: {
      pilot: { k8s: { ...scaledWorkload('discovery', 'istiod'), service: istiodService } },
      ingressGateways: [
        {
          name: 'public',
          k8s: {
            ...scaledWorkload('istio-proxy', 'public'),
            service: {
              type: 'LoadBalancer',
              ports: [
                {
                  name: 'http',
                  port: 80,
                  targetPort: 8080,
                  protocol: 'TCP',
                  nodePort: 30080,
                  appProtocol: 'http',
                },
                { name: 'dns', port: 53, protocol: 'UDP' },
              ],
              loadBalancerIP: '10.0.0.1',
              loadBalancerClass: 'example.com/lb',
              loadBalancerSourceRanges: ['10.0.0.0/8'],
              externalTrafficPolicy: 'Local',
              internalTrafficPolicy: 'Local',
              healthCheckNodePort: 30081,
              externalIPs: ['10.0.0.2'],
              ipFamilyPolicy: 'SingleStack',
              ipFamilies: ['IPv4'],
              sessionAffinity: 'ClientIP',
              trafficDistribution: 'PreferClose',
            },
          },
        },
        { name: 'private', enabled: false },
      ],
    },
  },
  {
    values: {
      global: { hub: 'registry.example.com/global', tag: '1.31.0-global' },
      pilot: { autoscaleEnabled: false, replicaCount: 3 },
    },
    components: {
      pilot: {
        k8s: {
          strategy: { type: 'Recreate' },
          podDisruptionBudget: { maxUnavailable: 2 },
          // Quantities that the API server writes in another way.
          resources: {
            requests: { cpu: '0.25', memory: '1e9' },
            limits: { cpu: '1000m', memory: '1.5Gi', 'ephemeral-storage': '1024Mi' },
          },
        },
      },
      ingressGateways: [
        {
          name: 'public',
          k8s: {
            replicaCount: 2,
            strategy: { type: 'Recreate' },
            podDisruptionBudget: { maxUnavailable: 1 },
            service: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false },
          },
        },
      ],
    },
  },
  {
    components: {
      pilot: { enabled: false, k8s: { replicaCount: 4 } },
      ingressGateways: [{ name: 'public', k8s: { service: { type: 'ClusterIP', clusterIP: 'None' } } }],
    },
  },
  {
    components: {
      base: { k8s: { overlays: readerOverlays } },
      pilot: {
        k8s: {
          replicaCount: 4,
          readinessProbe: { tcpSocket: { port: 'http-debug', host: 'localhost' } },
          service: { clusterIP: 'None' },
        },
      },
      ingressGateways: [
        { name: 'public', k8s: { readinessProbe: { tcpSocket: { port: 15021, host: 'localhost' } } } },
      ],
    },
    sidecarInjector: { k8s: { readinessProbe: { tcpSocket: { port: 8081, host: 'localhost' } } } },
  },
  {
    components: {
      pilot: {
        k8s: {
          readinessProbe: { grpc: { port: 15010, service: 'ready' } },
          service: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false },
        },
      },
      ingressGateways: [
        { name: 'public', k8s: { readinessProbe: { grpc: { port: 15021, service: 'ready' } } } },
      ],
    },
    sidecarInjector: { k8s: { readinessProbe: { grpc: { port: 8081, service: 'ready' } } } },
  },
  {
    components: {
      pilot: { k8s: { readinessProbe: { exec: { command: ['true'] } } } },
      ingressGateways: [{ name: 'public', k8s: { readinessProbe: { exec: { command: ['true'] } } } }],
    },
    sidecarInjector: { k8s: { readinessProbe: { exec: { command: ['true'] } } } },
  },
  { sidecarInjector: { enabled: false } },
  { networkPolicy: { enabled: false } },
  {
    networkPolicy: {
      enabled: true,
      apiServer: { cidrs: ['192.0.2.1/32', 'fd00::1/128'], ports: [6443] },
      dns: {
        namespace: 'names',
        podLabels: { app: 'dns' },
        cidrs: ['169.254.20.10/32'],
        ports: [5353],
      },
      monitoring: { namespaces: ['monitoring', 'watchers'] },
      meshCIDRs: ['192.0.2.64/26'],
      jwks: { cidrs: ['203.0.113.0/24'], ports: [8443] },
    },
    components: {
      ingressGateways: [{ name: 'public' }],
      egressGateways: [{ name: 'out' }],
      eastWestGateways: [{ name: 'cross' }],
    },
    values: { global: { network: 'west' } },
  },
  {
    certificateAuthority: {
      provider: 'PluggedIn',
      pluggedIn: { secretName: 'corporate-ca' },
      root: { algorithm: 'RSA-4096', lifetime: '43800h' },
      intermediate: { algorithm: 'ECDSA-P384', lifetime: '2160h' },
      rotation: {
        root: { schedule: '0 3 1 1 *', threshold: 40 },
        intermediate: { schedule: '0 3 1 * *', threshold: 50 },
        soak: '10m',
        paused: { reason: 'peak season', until: '2027-01-07T00:00:00Z' },
      },
    },
  },
  {
    certificateAuthority: {
      provider: 'Spire',
      spire: {
        csiDriver: 'spire.csi.example.com',
        trustBundle: { namespace: 'spire-server', configMapName: 'roots', key: 'bundle.pem' },
      },
    },
  },
  {
    certificateAuthority: {
      provider: 'External',
      external: { address: 'ca.example.com:443', trustBundle: { configMapName: 'roots', key: 'roots.pem' } },
    },
  },
  {
    sidecarInjector: {
      k8s: {
        replicaCount: 4,
        strategy: { type: 'Recreate' },
        podDisruptionBudget: { maxUnavailable: 2 },
      },
    },
  },
  {
    revision: 'tenant',
    profile: 'minimal',
    tenancy: {
      tenant: 'payments',
      members: {
        selector: {
          matchLabels: { team: 'payments' },
          matchExpressions: [{ key: 'stage', operator: 'In', values: ['live'] }],
        },
        namespaces: ['ledger'],
      },
      isolation: 'Open',
      quota: { 'requests.cpu': '8' },
      limits: [
        {
          type: 'Container',
          default: { cpu: '2' },
          defaultRequest: { cpu: '100m' },
          min: { cpu: '10m' },
          max: { cpu: '4' },
          maxLimitRequestRatio: { cpu: '20' },
        },
      ],
    },
  },
  {
    revision: 'tenant',
    profile: 'minimal',
    tenancy: {
      tenant: 'payments',
      members: { namespaces: ['ledger'] },
      egress: [
        { host: 'api.example.com', ports: [{ port: 443, protocol: 'TLS' }], cidrs: ['203.0.113.0/24'] },
        { host: 'db.example.com', ports: [{ port: 5432, protocol: 'TCP' }], cidrs: ['2001:db8::/32'] },
      ],
    },
    networkPolicy: {},
  },
  injectorByValues,
  injectorBySpec,
  ...nodeComponents,
  ...otherProfiles,
];

/**
 * The ingress gateways of all specs as gateways of another kind, where they do not meet. Node ports are below 30086: the
 * API server gives ports from there on to Services that ask for none.
 */
function asOther(list: 'egressGateways' | 'eastWestGateways', firstNodePort: number): MeshOperatorSpec[] {
  return written.flatMap(({ components }) => {
    const gateways = components?.ingressGateways
      ?.map((gateway) => withNodePorts(gateway, firstNodePort))
      .map((gateway) =>
        gateway.namespace === undefined ? gateway : { ...gateway, namespace: list.toLowerCase() },
      );
    return gateways === undefined ? [] : [{ profile: 'minimal', components: { [list]: gateways } }];
  });
}

function withNodePorts(gateway: Gateway, firstNodePort: number): Gateway {
  const { service } = gateway.k8s ?? {};
  if (service?.healthCheckNodePort === undefined) return gateway;
  const ports = service.ports?.map((port, index) => ({ ...port, nodePort: firstNodePort + 1 + index }));
  return {
    ...gateway,
    k8s: { ...gateway.k8s, service: { ...service, ports, healthCheckNodePort: firstNodePort } },
  };
}

/**
 * Specs that use every field of the schema between them: several, since some fields exclude each other. Each value
 * differs from its default, so that taking it away must change what is rendered.
 */
export const wholeSpecs: readonly MeshOperatorSpec[] = [
  ...written,
  ...wholeSecurity,
  ...wholeTelemetry,
  ...wholeMultiCluster,
  ...asOther('egressGateways', 30020),
  ...asOther('eastWestGateways', 30030),
  { profile: 'minimal', components: { eastWestGateways: [{ name: 'east-west', network: 'west' }] } },
];
