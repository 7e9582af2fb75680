import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';

/** A name in the mesh that istiod tells proxies of: a Service's, or one of a ServiceEntry. */
export interface MeshHost {
  readonly namespace: string;
  readonly host: string;
  /** Namespaces whose proxies may know it, `.` for its own and `*` for all; undefined: what the mesh's default says. */
  readonly exportTo: readonly string[] | undefined;
  /** Outbound clusters that a proxy has for it: one a port, without those of a DestinationRule's subsets. */
  readonly clusters: number;
  /** Addresses that a proxy has for it, counted for each port. */
  readonly endpoints: number;
}

/** A further name of a service: a Service of type ExternalName, which has no cluster of its own. */
export interface AliasHost {
  readonly host: string;
  /** The host that it stands for. */
  readonly target: string;
}

const exportToAnnotation = 'networking.istio.io/exportTo';

/** The name of a Service in the mesh. */
export function serviceHost(name: string, namespace: string, clusterDomain: string): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}

/** The hosts that istiod makes of Services and ServiceEntries. */
export function meshHosts(
  objects: {
    readonly services: readonly KubernetesObject[];
    readonly endpointSlices: readonly KubernetesObject[];
    readonly istioObjects: readonly KubernetesObject[];
  },
  clusterDomain: string,
): MeshHost[] {
  const endpoints = endpointsByService(objects.endpointSlices);
  const ofServices = objects.services.filter(isOwnService).map((service): MeshHost => {
    const { name, namespace = '', annotations = {} } = service.metadata;
    return {
      namespace,
      host: serviceHost(name, namespace, clusterDomain),
      exportTo: annotations[exportToAnnotation]?.split(',').map((text) => text.trim()),
      clusters: clusterPorts(recordOf(service.spec)),
      endpoints: endpoints.get(`${namespace}/${name}`) ?? 0,
    };
  });
  const ofEntries = objects.istioObjects
    .filter(({ kind }) => kind === 'ServiceEntry')
    .flatMap(({ metadata: { namespace = '' }, spec }) => {
      const entry = recordOf(spec);
      const clusters = clusterPorts(entry);
      const exportTo = textsIn(entry.exportTo);
      return textsIn(entry.hosts).map((host) => ({
        ...{ namespace, host, clusters, exportTo: exportTo.length === 0 ? undefined : exportTo },
        endpoints: clusters * addressesOf(entry),
      }));
    });
  return [...ofServices, ...ofEntries];
}

/** The Services that stand for other names. */
export function aliasHosts(services: readonly KubernetesObject[], clusterDomain: string): AliasHost[] {
  return services.flatMap(({ metadata: { name, namespace = '' }, spec }) => {
    const { type, externalName } = recordOf(spec);
    if (type !== 'ExternalName' || typeof externalName !== 'string') return [];
    return [{ host: serviceHost(name, namespace, clusterDomain), target: externalName }];
  });
}

/** True when proxies of a namespace may know the host (Istio: exportTo). */
export function isExportedTo(
  { namespace: own, exportTo }: MeshHost,
  namespace: string,
  meshDefault: readonly string[],
): boolean {
  return (exportTo ?? meshDefault).some(
    (to) => to === '*' || to === namespace || (to === '.' && own === namespace),
  );
}

export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

export function recordsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function isOwnService({ spec }: KubernetesObject): boolean {
  return recordOf(spec).type !== 'ExternalName';
}

/** There are no clusters for UDP (Istio pilot/pkg/networking/core/cluster.go). */
function clusterPorts({ ports }: Record<string, unknown>): number {
  return recordsIn(ports).filter(({ protocol }) => protocol !== 'UDP').length;
}

/** By `namespace/name` of a Service. */
function endpointsByService(slices: readonly KubernetesObject[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { metadata, endpoints, ports } of slices) {
    const name = metadata.labels?.['kubernetes.io/service-name'];
    if (name === undefined) continue;
    const ready = recordsIn(endpoints).filter(({ conditions }) => recordOf(conditions).ready !== false);
    const key = `${metadata.namespace ?? ''}/${name}`;
    counts.set(key, (counts.get(key) ?? 0) + ready.length * clusterPorts({ ports }));
  }
  return counts;
}

/** Without endpoints of its own, one that is looked up has its host as the only one. */
function addressesOf({ endpoints, resolution = 'NONE' }: Record<string, unknown>): number {
  const listed = recordsIn(endpoints).length;
  return listed === 0 && String(resolution).startsWith('DNS') ? 1 : listed;
}
