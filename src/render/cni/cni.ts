import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { configAnnotation } from '../../api/labels.ts';
import { cniDaemonSetName } from '../../api/node-components.ts';
import type { ResolvedCni } from '../../api/resolved-cni.ts';
import type { JsonObject, ResolvedMesh } from '../../api/resolved-mesh.ts';
import { stableHash } from '../../base/stable-json.ts';
import { renderRoleBinding, renderServiceAccount } from '../access.ts';
import { containerView } from '../container-view.ts';
import { envField, envResource, envValue, mergeEnv } from '../environment.ts';
import { hostPath } from '../host-path.ts';
import { componentLabels, objectMetadata } from '../object-metadata.ts';
import type { RenderContext } from '../render-context.ts';
import { renderResourceQuota } from '../resource-quota.ts';
import { renderObject } from '../template-engine.ts';
import { podView } from '../workload-view.ts';

/** `app.kubernetes.io/name` of everything of the agent, and the name of most of it. There is one in a cluster. */
export const cniComponent = 'istio-cni';

/** Pods name this network when Multus is to call the plugin; Multus looks for it in this namespace. */
const network = { name: cniComponent, namespace: 'default' };

/** The agent that installs Istio's CNI plugin on each node and has traffic of pods captured, and its rights. */
export function renderCni(mesh: ResolvedMesh, context: RenderContext): KubernetesObject[] {
  const { cni } = mesh;
  const { namespace } = cni;
  const metadata = { name: cniComponent, namespace, component: cniComponent };
  return [
    renderServiceAccount(mesh, context, metadata),
    ...renderRole(mesh, context, cniComponent, 'cni/10-cluster-role', { isOpenShift: cni.isOpenShift }),
    ...(cni.repair === 'None'
      ? []
      : renderRole(mesh, context, `${cniComponent}-repair-role`, 'cni/11-repair-cluster-role', {
          deletesPods: cni.repair === 'DeletePods',
          labelsPods: cni.repair === 'LabelPods',
        })),
    ...(cni.isAmbient
      ? renderRole(mesh, context, `${cniComponent}-ambient`, 'cni/12-ambient-cluster-role', {
          daemonSetName: cniDaemonSetName,
        })
      : []),
    renderObject('cni/20-config-map', {
      metadata: objectMetadata(mesh, context, { ...metadata, name: configMapName }),
      data: cni.config,
    }),
    ...renderResourceQuota(mesh, context, {
      ...metadata,
      name: `${cniComponent}-resource-quota`,
      pods: cni.quota,
    }),
    ...(cni.provider === 'multus'
      ? [
          renderObject('cni/40-network-attachment-definition', {
            metadata: objectMetadata(mesh, context, { ...network, component: cniComponent }),
          }),
        ]
      : []),
    renderObject('cni/30-daemon-set', {
      metadata: objectMetadata(mesh, context, {
        ...metadata,
        name: cniDaemonSetName,
        labels: { ...cni.labels, ...selector },
      }),
      ...daemonSetView(mesh, cni),
    }),
  ];
}

const configMapName = `${cniComponent}-config`;

const selector = { 'k8s-app': cniDaemonSetName };

function renderRole(
  mesh: ResolvedMesh,
  context: RenderContext,
  roleName: string,
  template: 'cni/10-cluster-role' | 'cni/11-repair-cluster-role' | 'cni/12-ambient-cluster-role',
  view: object,
): KubernetesObject[] {
  const component = cniComponent;
  const subject = { name: cniComponent, namespace: mesh.cni.namespace };
  return [
    renderObject(template, {
      metadata: objectMetadata(mesh, context, { name: roleName, component }),
      ...view,
    }),
    renderRoleBinding(mesh, context, { roleKind: 'ClusterRole', roleName, subject, component }),
  ];
}

function daemonSetView(mesh: ResolvedMesh, cni: ResolvedCni) {
  return {
    ...podView(mesh, cni),
    ...containerView(cni, { readinessProbe, volumes: volumesOf(cni), volumeMounts: mountsOf(cni) }),
    serviceAccountName: cniComponent,
    configMapName,
    selector,
    podLabels: {
      ...cni.podLabels,
      ...selector,
      ...componentLabels(mesh, cniComponent),
      'sidecar.istio.io/inject': 'false',
      'istio.io/dataplane-mode': 'none',
    },
    podAnnotations: {
      'sidecar.istio.io/inject': 'false',
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '15014',
      'prometheus.io/path': '/metrics',
      ...cni.podAnnotations,
      [configAnnotation]: stableHash(cni.config, 12),
    },
    terminationGracePeriodSeconds: cni.terminationGracePeriodSeconds,
    hostNetwork: cni.sharesHostNetwork,
    image: cni.image,
    args: [`--log_output_level=${cni.logLevel}`, ...(cni.logAsJson ? ['--log_as_json'] : [])],
    env: mergeEnv(ownEnv(cni), cni.env),
    containerSecurityContext: containerSecurityContext(cni),
  };
}

const readinessProbe: JsonObject = { httpGet: { path: '/readyz', port: 8000 } };

function ownEnv({ sharesHostNetwork }: ResolvedCni): JsonObject[] {
  return [
    envField('REPAIR_NODE_NAME', 'spec.nodeName'),
    envValue('REPAIR_RUN_AS_DAEMON', 'true'),
    envValue('REPAIR_SIDECAR_ANNOTATION', 'sidecar.istio.io/status'),
    ...(sharesHostNetwork ? [] : [envValue('ALLOW_SWITCH_TO_HOST_NS', 'true')]),
    envField('NODE_NAME', 'spec.nodeName'),
    envResource('GOMEMLIMIT', 'limits.memory'),
    envResource('GOMAXPROCS', 'limits.cpu'),
    envField('POD_NAME', 'metadata.name'),
    envField('POD_NAMESPACE', 'metadata.namespace'),
  ];
}

/**
 * Rules and routes (NET_ADMIN), the table `nat` (NET_RAW), processes of pods and their networks (SYS_PTRACE, SYS_ADMIN),
 * and folders of the node that belong to others (DAC_OVERRIDE).
 */
function containerSecurityContext({ seLinuxOptions, seccompProfile }: ResolvedCni): JsonObject {
  return {
    privileged: false,
    runAsUser: 0,
    runAsGroup: 0,
    runAsNonRoot: false,
    appArmorProfile: { type: 'Unconfined' },
    capabilities: {
      drop: ['ALL'],
      add: ['NET_ADMIN', 'NET_RAW', 'SYS_PTRACE', 'SYS_ADMIN', 'DAC_OVERRIDE'],
    },
    ...(seLinuxOptions === undefined ? {} : { seLinuxOptions }),
    ...(seccompProfile === undefined ? {} : { seccompProfile }),
  };
}

/** Into the networks of pods: to repair them, and to capture their traffic. */
function entersPods({ isAmbient, repair }: ResolvedCni): boolean {
  return isAmbient || repair === 'RepairPods';
}

function volumesOf(cni: ResolvedCni): JsonObject[] {
  return [
    hostPath('cni-bin-dir', cni.paths.plugins),
    ...(entersPods(cni) ? [hostPath('cni-host-procfs', '/proc', 'Directory')] : []),
    ...(cni.isAmbient ? [hostPath('cni-ztunnel-sock-dir', '/var/run/ztunnel', 'DirectoryOrCreate')] : []),
    hostPath('cni-net-dir', cni.paths.configurations),
    hostPath('cni-socket-dir', '/var/run/istio-cni'),
    // A node has it once there is a pod on it that is not in the node's own network.
    hostPath('cni-netns-dir', cni.paths.networks, 'DirectoryOrCreate'),
  ];
}

function mountsOf(cni: ResolvedCni): JsonObject[] {
  return [
    { name: 'cni-bin-dir', mountPath: '/host/opt/cni/bin' },
    ...(entersPods(cni) ? [{ name: 'cni-host-procfs', mountPath: '/host/proc', readOnly: true }] : []),
    { name: 'cni-net-dir', mountPath: '/host/etc/cni/net.d' },
    { name: 'cni-socket-dir', mountPath: '/var/run/istio-cni' },
    ...(cni.isAmbient
      ? [
          {
            name: 'cni-netns-dir',
            mountPath: '/host/var/run/netns',
            mountPropagation: 'HostToContainer',
          },
          { name: 'cni-ztunnel-sock-dir', mountPath: '/var/run/ztunnel' },
        ]
      : []),
  ];
}
