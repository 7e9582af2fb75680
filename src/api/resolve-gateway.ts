import { mergeJson } from './merge-json.ts';
import type { ResolveContext } from './resolve-context.ts';
import { defaultProxyResources } from './resolve-injection.ts';
import { defaultHpaSpec, resolveWorkload } from './resolve-workload.ts';
import type { JsonObject, ResolvedGateway, ResolvedServicePort } from './resolved-mesh.ts';
import type { IngressGateway } from './spec/components.ts';
import type { GatewaySettings } from './spec/kubernetes-settings.ts';

type Service = NonNullable<GatewaySettings['service']>;
type ServicePort = NonNullable<Service['ports']>[number];

const defaultPorts: readonly ServicePort[] = [
  { name: 'status-port', port: 15021 },
  { name: 'http2', port: 80 },
  { name: 'https', port: 443 },
];

/** One ingress gateway with every default filled in. Its pods listen on the Service's own ports. */
export function resolveGateway(gateway: IngressGateway, context: ResolveContext): ResolvedGateway {
  const settings = gateway.k8s ?? {};
  const global = context.values.global ?? {};
  const { app: _app, istio: _istio, ...labels } = gateway.label ?? {};
  return {
    ...resolveWorkload(
      {
        resources: mergeJson(defaultProxyResources, global.proxy?.resources as JsonObject | undefined),
        hpaSpec: defaultHpaSpec({ min: 1, max: 5, cpuUtilization: 80 }),
        replicas: 1,
        rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' },
      },
      settings,
      global,
    ),
    name: gateway.name,
    namespace: gateway.namespace ?? context.namespace,
    selector: gatewaySelector(gateway),
    labels,
    service: resolveService(settings.service ?? {}),
  };
}

/** Labels that tell a gateway's pods from all others: `istio-ingressgateway` is `istio=ingressgateway`. */
export function gatewaySelector(
  gateway: Pick<IngressGateway, 'name' | 'label'>,
): Readonly<Record<string, string>> {
  return {
    app: gateway.label?.app ?? gateway.name,
    istio: gateway.label?.istio ?? gateway.name.replace(/^istio-/, ''),
  };
}

function resolveService(service: Service): ResolvedGateway['service'] {
  const { type = 'LoadBalancer', ports = defaultPorts, ...rest } = service;
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
