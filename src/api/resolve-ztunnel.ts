import { imageReference } from './image-reference.ts';
import type { ResolveContext } from './resolve-context.ts';
import { nodeDefaults, nodeLimits, unlessEmpty } from './resolve-node-component.ts';
import { resolveDaemonSet } from './resolve-workload.ts';
import { revisionSuffix } from './resolved-mesh.ts';
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
  const seLinuxOptions = unlessEmpty(ztunnel.seLinuxOptions);
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
    ...(seLinuxOptions === undefined ? {} : { seLinuxOptions }),
    labels: ztunnel.labels ?? {},
    annotations: ztunnel.annotations ?? {},
    ...nodeLimits(ztunnel),
  };
}

function defaultsOf(ztunnel: ZtunnelValues) {
  const defaults = nodeDefaults(ztunnel, {
    requests: { cpu: '200m', memory: '512Mi' },
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
  });
  return {
    ...defaults,
    nodeSelector: { ...defaults.nodeSelector, ...ztunnel.nodeSelector },
    ...(ztunnel.imagePullPolicy === undefined ? {} : { imagePullPolicy: ztunnel.imagePullPolicy }),
  };
}
