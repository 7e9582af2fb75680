/** What to say of a key that people bring along and that has no field here. */
interface FieldHint {
  /** Path without list indexes; a leading `*` stands for any beginning, one at the end for any key. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

const notYet = 'is not supported by this version of the operator';

/** Keys of IstioOperator, its values and Kubernetes that mean something elsewhere. */
const fieldHints: readonly FieldHint[] = [
  {
    path: 'spec.namespace',
    message:
      'is not a field: the control plane lives in the namespace of the MeshOperator, which is metadata.namespace',
  },
  {
    path: 'spec.components.istiodRemote',
    message: 'is not a field: istioctl does nothing with it either; remove it',
  },
  {
    path: 'spec.addonComponents',
    message: 'is not a field: Istio has no add-ons any more; install them by their own charts',
  },
  {
    path: 'spec.compatibilityVersion',
    message: `${notYet}: set the variables of istiod that it stands for in spec.values.pilot.env`,
  },
  { path: 'spec.installPackagePath', message: 'is not a field: templates are part of the operator' },
  { path: 'spec.unvalidatedValues', message: 'is not a field: every value is checked; use spec.values' },
  { path: 'spec.components.pilot.hub', message: 'is not a field here', suggestion: 'spec.values.pilot.hub' },
  { path: 'spec.components.pilot.tag', message: 'is not a field here', suggestion: 'spec.values.pilot.tag' },
  { path: 'spec.components.cni.hub', message: 'is not a field here', suggestion: 'spec.values.cni.hub' },
  { path: 'spec.components.cni.tag', message: 'is not a field here', suggestion: 'spec.values.cni.tag' },
  {
    path: 'spec.components.ztunnel.hub',
    message: 'is not a field here',
    suggestion: 'spec.values.ztunnel.hub',
  },
  {
    path: 'spec.components.ztunnel.tag',
    message: 'is not a field here',
    suggestion: 'spec.values.ztunnel.tag',
  },
  {
    path: 'spec.components.pilot.namespace',
    message: 'is not a field: istiod runs in the namespace of the MeshOperator',
  },
  {
    path: 'spec.components.cni.k8s.replicaCount',
    message: 'is not a field: the agent has one pod on each node',
  },
  {
    path: 'spec.components.ztunnel.k8s.replicaCount',
    message: 'is not a field: ztunnel has one pod on each node',
  },
  { path: '*Gateways.hub', message: 'is not a field: gateways run the proxy of spec.hub' },
  { path: '*Gateways.tag', message: 'is not a field: gateways run the proxy of spec.tag' },
  {
    path: 'spec.components.base.k8s.*',
    message: 'is not a field: this component has no pods, only objects that overlays can change',
  },
  { path: '*.k8s.replicas', message: 'is not a field', suggestion: 'replicaCount' },
  { path: '*.k8s.annotations', message: 'is not a field', suggestion: 'podAnnotations' },
  { path: '*.k8s.podDisruptionBudget.selector', message: 'must be left out: the operator sets it' },
  {
    path: '*.k8s.service.selector',
    message: 'must be left out: the operator sets it from the labels of the component',
  },
  ...valuesHints({
    gateways: 'is not a field: gateways are set in spec.components.*Gateways[].k8s',
    revision: 'is not a field: use spec.revision',
    revisionTags: 'is not a field: use spec.revisionTags',
    profile: 'is not a field: use spec.profile',
    defaultRevision: 'is not a field: a mesh without spec.revision is the default one',
    compatibilityVersion: `${notYet}: set the variables of istiod that it stands for in spec.values.pilot.env`,
    ownerName: 'is not a field: what belongs to a mesh carries the name of its MeshOperator',
    telemetry: 'is not a field: use spec.meshConfig.defaultProviders',
    base: `${notYet}: Istio's custom resource definitions are always there, and its objects always validated`,
    istio_cni: 'is not a field: use spec.values.pilot.cni',
    istioCni: 'is not a field: use spec.values.pilot.cni',
    'cni.enabled': 'is not a field: use spec.components.cni.enabled',
    'cni.ambient.configDir': 'is not a field: nothing in Istio reads it',
    'cni.repair.hub': 'is not a field: nothing in Istio reads it',
    'cni.repair.tag': 'is not a field: nothing in Istio reads it',
    'cni.repair.image': 'is not a field: nothing in Istio reads it',
    'cni.repair.createEvents': 'is not a field: nothing in Istio reads it',
    'cni.privileged': 'is not a field: nothing in Istio reads it',
    'cni.rollingMaxUnavailable':
      'is not a field: use spec.components.cni.k8s.strategy.rollingUpdate.maxUnavailable',
    'cni.rollingMaxUnavailable.*':
      'is not a field: use spec.components.cni.k8s.strategy.rollingUpdate.maxUnavailable',
    'cni.useAppArmorAnnotation':
      'is not a field: the profile is in the securityContext of the container, which Kubernetes reads since 1.30',
    'cni.pspClusterRole': 'is not a field: Kubernetes has no PodSecurityPolicies any more',
    'cni.psp_cluster_role': 'is not a field: Kubernetes has no PodSecurityPolicies any more',
    'ztunnel.resourceName': 'is not a field: it is called ztunnel, which istiod knows it by',
    'ztunnel.revision': 'is not a field: it follows the istiod of the mesh',
    'ztunnel.istioNamespace': 'is not a field: it follows the istiod of the mesh',
    'ztunnel.volumes': 'is not a field: use spec.components.ztunnel.k8s.volumes',
    'ztunnel.volumeMounts': 'is not a field: use spec.components.ztunnel.k8s.volumeMounts',
    'ztunnel.imagePullSecrets': 'is not a field: use spec.imagePullSecrets',
    'ztunnel.multiCluster': 'is not a field: use spec.values.global.multiCluster',
    'ztunnel.meshConfig': 'is not a field: use spec.meshConfig.defaultConfig',
    'ztunnel.dnsPolicy': 'is not a field: use an overlay in spec.components.ztunnel.k8s',
    'ztunnel.dnsConfig': 'is not a field: use an overlay in spec.components.ztunnel.k8s',
    istiodRemote:
      'is not a field: use spec.profile remote, and spec.values.global.remotePilotAddress for its address',
    gatewayClasses: notYet,
    'global.istioNamespace':
      'is not a field: the control plane lives in the namespace of the MeshOperator, which is metadata.namespace',
    'global.revision': 'is not a field: use spec.revision',
    'global.arch': 'is not a field: use k8s.affinity.nodeAffinity of each component',
    'global.certSigners': 'is not a field: another authority is set in spec.certificateAuthority',
    'global.configValidation': 'is not a field: objects of Istio are always validated',
    'global.defaultNodeSelector': 'is not a field: use k8s.nodeSelector of each component',
    'global.defaultTolerations': 'is not a field: use k8s.tolerations of each component',
    'global.defaultResources': 'is not a field: use k8s.resources of each component',
    'global.defaultPodDisruptionBudget':
      'is not a field: a component of at least two pods has a budget; use its k8s.podDisruptionBudget',
    'global.multiCluster.enabled': 'is not a field: clusterName is enough',
    'global.multiCluster.globalDomainSuffix': 'is not a field: nothing in Istio reads it',
    'global.multiCluster.includeEnvoyFilter': 'is not a field: nothing in Istio reads it',
    'global.podDNSSearchNamespaces':
      'is not a field: set dnsConfig of pods by a template in spec.sidecarInjector.templates',
    'global.omitSidecarInjectorConfigMap': 'is not a field: there is no such ConfigMap',
    'global.operatorManageWebhooks':
      'is not a field: the operator keeps the webhooks; spec.sidecarInjector.enabled can turn them off',
    'global.tracer': 'is not a field: use spec.meshConfig.defaultConfig.tracing',
    'global.istiod': 'is not a field: use spec.values.pilot.env.PILOT_ENABLE_ANALYSIS',
    'global.jwtPolicy': 'is not a field: tokens are always bound to their audience',
    'global.ipFamilies': 'is not a field: use k8s.service.ipFamilies of each component',
    'global.ipFamilyPolicy': 'is not a field: use k8s.service.ipFamilyPolicy of each component',
    'global.enableReaderRBAC':
      'is not a field: what reads this cluster from another one belongs to spec.components.base',
    'global.readerServiceAccount': notYet,
    'global.externalIstiod':
      'is not a field: name the cluster that istiod is for in multiCluster.configCluster',
    'global.configCluster':
      'is not a field: name this cluster in multiCluster.configCluster where its istiod runs',
    platform: `${notYet}: set what it stands for, such as spec.values.pilot.cni`,
    'global.waypoint': notYet,
    'global.networkPolicy':
      'is not a field: use spec.networkPolicy, whose policies allow only what the mesh needs',
    'global.resourceScope': 'is not a field: a mesh has objects of both scopes',
    'global.agentgateway': notYet,
    'global.proxy.enableCoreDump': notYet,
    'global.proxy_init.resources':
      'is not a field: use spec.values.global.proxy.resources, which count for both',
    'pilot.enabled': 'is not a field: use spec.components.pilot.enabled',
    'pilot.autoscaleBehavior': 'is not a field: use spec.components.pilot.k8s.hpaSpec.behavior',
    'pilot.deploymentLabels':
      'is not a field: use an overlay of the Deployment in spec.components.pilot.k8s.overlays',
    'pilot.deploymentAnnotations':
      'is not a field: use an overlay of the Deployment in spec.components.pilot.k8s.overlays',
    'pilot.serviceAccountAnnotations':
      'is not a field: use an overlay of the ServiceAccount in spec.components.pilot.k8s.overlays',
    'pilot.configMap': 'is not a field: istiod always has its ConfigMap',
    'pilot.jwksResolverExtraRootCA':
      'is not a field: mount a ConfigMap with extra.pem at /cacerts by spec.components.pilot.k8s.volumes and volumeMounts',
    'pilot.seccompProfile': 'is not a field: use spec.components.pilot.k8s.securityContext.seccompProfile',
    'pilot.volumes': 'is not a field: use spec.components.pilot.k8s.volumes',
    'pilot.volumeMounts': 'is not a field: use spec.components.pilot.k8s.volumeMounts',
    'pilot.initContainers':
      'is not a field: use an overlay of the Deployment in spec.components.pilot.k8s.overlays',
    'pilot.ipFamilies': 'is not a field: use spec.components.pilot.k8s.service.ipFamilies',
    'pilot.ipFamilyPolicy': 'is not a field: use spec.components.pilot.k8s.service.ipFamilyPolicy',
    'pilot.trafficDistribution': 'is not a field: use spec.components.pilot.k8s.service.trafficDistribution',
    'pilot.envVarFrom': 'is not a field: use spec.components.pilot.k8s.env',
    'pilot.taint': 'is not a field: use spec.values.pilot.env.PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS',
    'pilot.trustedZtunnelNamespace': 'is not a field: use spec.values.pilot.env.CA_TRUSTED_NODE_ACCOUNTS',
    'pilot.trustedZtunnelName': 'is not a field: use spec.values.pilot.env.CA_TRUSTED_NODE_ACCOUNTS',
    'pilot.istiodRemote': notYet,
    'pilot.cni.chained': 'is not a field: nothing in Istio reads it',
    'sidecarInjectorWebhook.templates':
      'is not a field: templates are written in Handlebars, in spec.sidecarInjector.templates',
    'sidecarInjectorWebhook.reinvocationPolicy': notYet,
    'sidecarInjectorWebhook.injectionURL': notYet,
  }),
];

function valuesHints(messages: Readonly<Record<string, string>>): FieldHint[] {
  return Object.entries(messages).map(([path, message]) => ({ path: `spec.values.${path}`, message }));
}

/** The hint for an unknown key, or undefined. */
export function fieldHint(path: string): FieldHint | undefined {
  const plain = path.replace(/\[[0-9]+\]/g, '');
  return fieldHints.find(({ path: pattern }) => {
    if (pattern.startsWith('*')) return plain.endsWith(pattern.slice(1));
    return pattern.endsWith('*') ? plain.startsWith(pattern.slice(0, -1)) : plain === pattern;
  });
}
