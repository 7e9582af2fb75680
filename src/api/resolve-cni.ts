import { dump } from 'js-yaml';
import { imageReference } from './image-reference.ts';
import { mergeJson } from './merge-json.ts';
import type { ResolveContext } from './resolve-context.ts';
import { nodeDefaults, nodeLimits, unlessEmpty } from './resolve-node-component.ts';
import { resolveDaemonSet } from './resolve-workload.ts';
import type { ResolvedCni } from './resolved-cni.ts';
import type { JsonObject } from './resolved-mesh.ts';
import type { NodeComponent } from './spec/components.ts';
import type { Values } from './spec/values.ts';

type CniValues = NonNullable<Values['cni']>;
type Global = NonNullable<Values['global']>;

/** What is labelled so is ambient, unless a pod refuses. */
const enablementSelectors: readonly JsonObject[] = [
  { podSelector: { matchLabels: { 'istio.io/dataplane-mode': 'ambient' } } },
  {
    podSelector: {
      matchExpressions: [{ key: 'istio.io/dataplane-mode', operator: 'NotIn', values: ['none'] }],
    },
    namespaceSelector: { matchLabels: { 'istio.io/dataplane-mode': 'ambient' } },
  },
];

/** The agent with every default of Istio's `cni` chart filled in. */
export function resolveCni(
  component: NodeComponent | undefined,
  byProfile: { readonly enabled: boolean; readonly namespace: string | undefined },
  context: ResolveContext,
): ResolvedCni {
  const cni = context.values.cni ?? {};
  const global = context.values.global ?? {};
  const isAmbient = cni.ambient?.enabled ?? false;
  const seLinuxOptions = unlessEmpty(cni.seLinuxOptions);
  const seccompProfile = unlessEmpty(cni.seccompProfile);
  return {
    ...resolveDaemonSet(defaultsOf(cni), component?.k8s ?? {}, global),
    enabled: component === undefined ? byProfile.enabled : component.enabled !== false,
    namespace: component?.namespace ?? byProfile.namespace ?? context.namespace,
    image: imageReference({
      hub: cni.hub ?? context.hub,
      image: cni.image ?? 'install-cni',
      tag: cni.tag ?? context.tag,
      variant: cni.variant ?? global.variant,
    }),
    config: configOf(cni, global, context),
    logLevel: cni.logging?.level ?? global.logging?.level ?? 'info',
    logAsJson: global.logAsJson ?? false,
    paths: {
      plugins: cni.cniBinDir ?? '/opt/cni/bin',
      configurations: cni.cniConfDir ?? '/etc/cni/net.d',
      networks: cni.cniNetnsDir ?? '/var/run/netns',
    },
    provider: cni.provider ?? 'default',
    isAmbient,
    sharesHostNetwork: isAmbient && (cni.ambient?.shareHostNetworkNamespace ?? false),
    repair: repairOf(cni.repair ?? {}),
    isOpenShift: global.platform === 'openshift',
    ...(seLinuxOptions === undefined ? {} : { seLinuxOptions: mergeJson({ type: 'spc_t' }, seLinuxOptions) }),
    ...(seccompProfile === undefined ? {} : { seccompProfile }),
    labels: cni.daemonSetLabels ?? {},
    ...nodeLimits(cni),
  };
}

function defaultsOf(cni: CniValues) {
  return {
    ...nodeDefaults(cni, {
      requests: { cpu: '100m', memory: '100Mi' },
      rollingUpdate: { maxUnavailable: 1 },
    }),
    ...(cni.pullPolicy === undefined ? {} : { imagePullPolicy: cni.pullPolicy }),
  };
}

function configOf(cni: CniValues, global: Global, context: ResolveContext): Record<string, string> {
  const { ambient = {}, repair = {} } = cni;
  const isOwned = cni.istioOwnedCNIConfig ?? false;
  return {
    CURRENT_AGENT_VERSION: cni.tag ?? context.tag,
    AMBIENT_ENABLED: String(ambient.enabled ?? false),
    AMBIENT_ENABLEMENT_SELECTOR: dump(ambient.enablementSelectors ?? enablementSelectors, {
      sortKeys: true,
      noRefs: true,
      lineWidth: -1,
    }),
    AMBIENT_DNS_CAPTURE: String(ambient.dnsCapture ?? true),
    AMBIENT_IPV6: String(ambient.ipv6 ?? true),
    AMBIENT_RECONCILE_POD_RULES_ON_STARTUP: String(ambient.reconcileIptablesOnStartup ?? true),
    ENABLE_AMBIENT_DETECTION_RETRY: String(ambient.enableAmbientDetectionRetry ?? false),
    ...(cni.cniConfFileName === undefined ? {} : { CNI_CONF_NAME: cni.cniConfFileName }),
    ISTIO_OWNED_CNI_CONFIG: String(isOwned),
    ...(isOwned ? { ISTIO_OWNED_CNI_CONF_FILENAME: cni.istioOwnedCNIConfigFileName ?? '' } : {}),
    CHAINED_CNI_PLUGIN: String(cni.chained ?? true),
    EXCLUDE_NAMESPACES: (cni.excludeNamespaces ?? ['kube-system']).join(','),
    REPAIR_ENABLED: String(repair.enabled ?? true),
    REPAIR_LABEL_PODS: String(repair.labelPods ?? false),
    REPAIR_DELETE_PODS: String(repair.deletePods ?? false),
    REPAIR_REPAIR_PODS: String(repair.repairPods ?? true),
    REPAIR_INIT_CONTAINER_NAME: repair.initContainerName ?? 'istio-validation',
    REPAIR_BROKEN_POD_LABEL_KEY: repair.brokenPodLabelKey ?? 'cni.istio.io/uninitialized',
    REPAIR_BROKEN_POD_LABEL_VALUE: repair.brokenPodLabelValue ?? 'true',
    NATIVE_NFTABLES: String(global.nativeNftables ?? false),
    ...cni.env,
  };
}

function repairOf(repair: NonNullable<CniValues['repair']>): ResolvedCni['repair'] {
  if (repair.enabled === false) return 'None';
  if (repair.repairPods ?? true) return 'RepairPods';
  if (repair.deletePods === true) return 'DeletePods';
  return repair.labelPods === true ? 'LabelPods' : 'Report';
}
