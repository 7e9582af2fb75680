import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import { meshNamespaces } from './compare-namespaces.ts';
import { type ComparedCluster, groupsBy, groupsText } from './compared-cluster.ts';
import type { AnalysisFinding } from './finding.ts';

/** One field of a Service that all clusters should agree on. */
interface SharedField {
  /** `spec.ports[8080].appProtocol` */
  readonly path: string;
  readonly value: string;
}

/** Services of one name are one Service: each cluster sends to endpoints of all by its own idea of it. */
export function compareServices(clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  const ofMesh = new Set(meshNamespaces(clusters));
  const names = clusters.flatMap(({ services }) => services.filter(isIn(ofMesh)).map(nameOf));
  return [...new Set(names)].sort().flatMap((name) => compareService(name, clusters));
}

function isIn(namespaces: ReadonlySet<string>): (object: KubernetesObject) => boolean {
  return ({ metadata }) => namespaces.has(metadata.namespace ?? '');
}

function nameOf({ metadata: { namespace = '', name } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}

function compareService(name: string, clusters: readonly ComparedCluster[]): AnalysisFinding[] {
  const found = clusters.flatMap((cluster) => {
    const service = cluster.services.find((candidate) => nameOf(candidate) === name);
    return service === undefined ? [] : [{ name: cluster.name, fields: sharedFields(service) }];
  });
  const ports = new Set(found.flatMap(({ fields }) => fields.map(({ path }) => path)));
  return [...ports].flatMap((path): AnalysisFinding[] => {
    const groups = groupsBy(
      found,
      ({ fields }) => fields.find((field) => field.path === path)?.value ?? 'absent',
    );
    if (groups.length < 2) return [];
    return [
      {
        ...({ severity: 'warning', rule: 'ServiceDiffers', object: `Service ${name}` } as const),
        why: `its ${path} is ${groupsText(groups)}, so the same call is another one in each cluster`,
        fix: 'make the Service the same in every cluster that has it',
      },
    ];
  });
}

/** What proxies make routes of. Names and target ports may differ. */
function sharedFields({ spec }: KubernetesObject): SharedField[] {
  const { ports, selector, type, clusterIP } = isRecord(spec) ? spec : {};
  return [
    {
      path: 'spec.selector',
      value: isRecord(selector) && Object.keys(selector).length > 0 ? 'set' : 'empty',
    },
    { path: 'spec.type', value: type === 'ExternalName' ? 'ExternalName' : 'one with endpoints' },
    { path: 'spec.clusterIP', value: clusterIP === 'None' ? 'None' : 'an address' },
    ...(Array.isArray(ports) ? ports.filter(isRecord) : []).map(({ port, ...rest }) => ({
      path: `spec.ports[${port}]`,
      value: protocolOf(rest),
    })),
  ];
}

/** As Istio reads it: `appProtocol`, else what the name begins with, else told from the first bytes. */
function protocolOf({ appProtocol, name, protocol = 'TCP' }: Record<string, unknown>): string {
  if (protocol !== 'TCP') return String(protocol);
  if (typeof appProtocol === 'string') return appProtocol.replace(/^kubernetes\.io\/h2c$/, 'http2');
  const prefix = typeof name === 'string' ? (/^grpc-web|^[a-z0-9]+/.exec(name.toLowerCase())?.[0] ?? '') : '';
  return knownProtocols.has(prefix) ? prefix : 'detected';
}

/** Istio `pkg/config/protocol/instance.go`. */
const knownProtocols = new Set([
  ...['http', 'http2', 'https', 'grpc', 'grpc-web', 'tcp', 'tls', 'udp', 'mongo', 'redis', 'mysql', 'hbone'],
]);
