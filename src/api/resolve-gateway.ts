import { type AnyGateway, type GatewayKind, gatewayKinds } from './gateway-kinds.ts';
import { networkLabel } from './labels.ts';
import { mergeJson } from './merge-json.ts';
import type { Profile } from './profiles.ts';
import type { ResolveContext } from './resolve-context.ts';
import { defaultProxyResources } from './resolve-injection.ts';
import { defaultHpaSpec, resolveWorkload } from './resolve-workload.ts';
import type { JsonObject, ResolvedGateway, ResolvedServicePort } from './resolved-mesh.ts';
import type { Components } from './spec/components.ts';
import type { GatewaySettings } from './spec/kubernetes-settings.ts';

type Service = NonNullable<GatewaySettings['service']>;
type ServicePort = NonNullable<Service['ports']>[number];

/** Every gateway of the mesh that is not turned off; a list of the spec replaces that of the profile. */
export function resolveGateways(
  components: Components | undefined,
  profile: Profile,
  context: ResolveContext,
): ResolvedGateway[] {
  return gatewayKinds.flatMap((kind) => {
    const gateways: readonly AnyGateway[] = components?.[kind.list] ?? profile.gateways[kind.list] ?? [];
    return gateways
      .filter((gateway) => gateway.enabled !== false)
      .map((gateway) => resolveGateway(gateway, kind, context));
  });
}

/** One gateway with every default filled in. Its pods listen on the Service's own ports. */
function resolveGateway(gateway: AnyGateway, kind: GatewayKind, context: ResolveContext): ResolvedGateway {
  const settings = gateway.k8s ?? {};
  const global = context.values.global ?? {};
  const { app: _app, istio: _istio, ...labels } = gateway.label ?? {};
  const network = kind.list === 'eastWestGateways' ? networkOf(gateway, context) : '';
  return {
    ...resolveWorkload(
      {
        resources: defaultProxyResources,
        hpaSpec: defaultHpaSpec({ min: 1, max: 5, cpuUtilization: 80 }),
        replicas: 1,
        rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' },
        // Endpoints of other networks are theirs to reach: without it, traffic could go in circles.
        env: network === '' ? [] : [{ name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: network }],
      },
      settings,
      global,
    ),
    kind: kind.list,
    name: gateway.name,
    namespace: gateway.namespace ?? context.namespace,
    selector: gatewaySelector(gateway),
    // On Service and pod; not in the selector, which cannot be changed.
    labels: network === '' ? labels : { ...labels, [networkLabel]: network },
    service: resolveService(settings.service ?? {}, kind),
  };
}

/** Empty for a gateway of no network. */
function networkOf(gateway: AnyGateway, { values }: ResolveContext): string {
  const own = 'network' in gateway ? gateway.network : undefined;
  return own ?? values.global?.network ?? '';
}

/** Labels that tell a gateway's pods from all others: `istio-ingressgateway` is `istio=ingressgateway`. */
export function gatewaySelector(
  gateway: Pick<AnyGateway, 'name' | 'label'>,
): Readonly<Record<string, string>> {
  return {
    app: gateway.label?.app ?? gateway.name,
    istio: gateway.label?.istio ?? gateway.name.replace(/^istio-/, ''),
  };
}

function resolveService(service: Service, kind: GatewayKind): ResolvedGateway['service'] {
  const { type = kind.serviceType, ports = kind.ports, ...rest } = service;
  return { type, ports: ports.map(resolvePort), spec: mergeJson(rest as JsonObject) };
}

/** A port of a Service with what Kubernetes would fill in. */
export function resolvePort(port: ServicePort): ResolvedServicePort {
  return {
    name: port.name ?? `port-${port.port}`,
    port: port.port,
    targetPort: port.targetPort ?? port.port,
    protocol: port.protocol ?? 'TCP',
    ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }),
    ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
  };
}
