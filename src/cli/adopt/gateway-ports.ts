import { type AnyGateway, type GatewayKind, gatewayKinds } from '../../api/gateway-kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import type { MeshOperator } from '../../api/mesh-operator.ts';
import { profiles } from '../../api/profiles.ts';
import { resolvePort } from '../../api/resolve-gateway.ts';
import { profileOf } from '../../api/resolve-multi-cluster.ts';
import type { JsonObject, ResolvedServicePort } from '../../api/resolved-mesh.ts';
import { isRecord, stableJson } from '../../base/stable-json.ts';

type Port = GatewayKind['ports'][number];

/**
 * A valid MeshOperator whose gateways have the ports that their Services have now: proxies listen where these send
 * traffic to, and installers differ in their defaults. Node ports stay the API server's.
 */
export function withGatewayPorts(mesh: JsonObject, objects: readonly KubernetesObject[]): JsonObject {
  const { metadata, spec = {} } = mesh as unknown as MeshOperator;
  const preset = profiles[profileOf(spec)].gateways;
  const changed: Record<string, unknown> = {};
  for (const kind of gatewayKinds) {
    const gateways: readonly AnyGateway[] = spec.components?.[kind.list] ?? preset[kind.list] ?? [];
    const adjusted = gateways.map((gateway) => {
      const { name, namespace = metadata.namespace } = gateway;
      const service = objects.find(
        (object) =>
          object.kind === 'Service' &&
          object.metadata.name === name &&
          object.metadata.namespace === namespace,
      );
      return service === undefined ? gateway : withPortsOf(service, gateway, kind);
    });
    if (adjusted.some((gateway, index) => gateway !== gateways[index])) changed[kind.list] = adjusted;
  }
  if (Object.keys(changed).length === 0) return mesh;
  return { ...mesh, spec: { ...spec, components: { ...spec.components, ...changed } } as JsonObject };
}

function withPortsOf(service: KubernetesObject, gateway: AnyGateway, kind: GatewayKind): AnyGateway {
  const ports = portsOf(service);
  const known = (gateway.k8s?.service?.ports ?? kind.ports).map(resolvePort);
  if (ports.length === 0 || stableJson(ports) === stableJson(known.map(withoutNodePort))) return gateway;
  const { k8s } = gateway;
  return { ...gateway, k8s: { ...k8s, service: { ...k8s?.service, ports } } } as AnyGateway;
}

function portsOf({ spec }: KubernetesObject): ResolvedServicePort[] {
  const ports = isRecord(spec) && Array.isArray(spec.ports) ? (spec.ports as Port[]) : [];
  return ports.map((port) => withoutNodePort(resolvePort(port)));
}

function withoutNodePort({ nodePort: _nodePort, ...port }: ResolvedServicePort): ResolvedServicePort {
  return port;
}
