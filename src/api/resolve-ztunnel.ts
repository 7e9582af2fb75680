import { imageReference } from './image-reference.ts';
import { mergeJson } from './merge-json.ts';
import { everyNode } from './node-components.ts';
import type { ResolveContext } from './resolve-context.ts';
import { envVariables, mergeUpdateStrategy, resolveDaemonSet } from './resolve-workload.ts';
import { type JsonObject, revisionSuffix } from './resolved-mesh.ts';
import type { ResolvedZtunnel } from './resolved-ztunnel.ts';
import type { NodeComponent } from './spec/components.ts';
import type { Values } from './spec/values.ts';

type ZtunnelValues = NonNullable<Values['ztunnel']>;

/** What ztunnel gets from elsewhere in the mesh. */
export interface ZtunnelSurroundings {
  readonly enabledByProfile: boolean;
  readonly namespaceOfProfile: string | undefined;
  /** host:port of the authority of the sidecars. */
  readonly authorityAddress: string;
}

/** ztunnel with every default of Istio's `ztunnel` chart filled in. */
export function resolveZtunnel(
  component: NodeComponent | undefined,
  { enabledByProfile, namespaceOfProfile, authorityAddress }: ZtunnelSurroundings,
  context: ResolveContext,
): ResolvedZtunnel {
  const ztunnel = context.values.ztunnel ?? {};
  const global = context.values.global ?? {};
  const { namespace, revision } = context;
  return {
    ...resolveDaemonSet(defaultsOf(ztunnel), component?.k8s ?? {}, global),
    enabled: component === undefined ? enabledByProfile : component.enabled !== false,
    namespace: component?.namespace ?? namespaceOfProfile ?? namespace,
    image: imageReference({
      hub: ztunnel.hub ?? context.hub,
      image: ztunnel.image ?? 'ztunnel',
      tag: ztunnel.tag ?? context.tag,
      variant: ztunnel.variant ?? global.variant,
    }),
    network: ztunnel.network ?? global.network ?? '',
    addresses: {
      authority: ztunnel.caAddress ?? authorityAddress,
      discovery: ztunnel.xdsAddress ?? `istiod${revisionSuffix(revision)}.${namespace}.svc:15012`,
    },
    logLevel: ztunnel.logLevel ?? 'info',
    logAsJson: ztunnel.logAsJson ?? global.logAsJson ?? false,
    checksRevocation: ztunnel.peerCaCrl?.enabled ?? false,
    ...(Object.keys(ztunnel.seLinuxOptions ?? {}).length === 0
      ? {}
      : { seLinuxOptions: ztunnel.seLinuxOptions as JsonObject }),
    labels: ztunnel.labels ?? {},
    annotations: ztunnel.annotations ?? {},
    terminationGracePeriodSeconds: ztunnel.terminationGracePeriodSeconds ?? 30,
    ...(ztunnel.resourceQuotas?.enabled === true ? { quota: ztunnel.resourceQuotas.pods ?? 5000 } : {}),
  };
}

function defaultsOf(ztunnel: ZtunnelValues) {
  return {
    resources: mergeJson(
      { requests: { cpu: '200m', memory: '512Mi' } },
      ztunnel.resources as JsonObject | undefined,
    ),
    updateStrategy: mergeUpdateStrategy(
      { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      ztunnel.updateStrategy as JsonObject | undefined,
    ),
    env: envVariables(ztunnel.env),
    nodeSelector: { 'kubernetes.io/os': 'linux', ...ztunnel.nodeSelector },
    tolerations: (ztunnel.tolerations as readonly JsonObject[] | undefined) ?? everyNode,
    ...(ztunnel.affinity === undefined ? {} : { affinity: ztunnel.affinity as JsonObject }),
    podAnnotations: ztunnel.podAnnotations ?? {},
    podLabels: ztunnel.podLabels ?? {},
    priorityClassName: 'system-node-critical',
    ...(ztunnel.imagePullPolicy === undefined ? {} : { imagePullPolicy: ztunnel.imagePullPolicy }),
  };
}
