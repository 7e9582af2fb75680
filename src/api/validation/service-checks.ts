import type { Problem } from '../problem.ts';
import type { GatewaySettings } from '../spec/kubernetes-settings.ts';
import { checkAddress, checkAddressRanges } from './address-ranges.ts';
import { findRepeated } from './duplicates.ts';
import type { Draft } from './schema-problems.ts';
import { gatewaysOf, type SpecView } from './spec-view.ts';

type Service = Draft<NonNullable<GatewaySettings['service']>>;

interface ServiceView {
  /** Path of the Service's settings. */
  readonly path: string;
  readonly service: Service;
  /** The type it has when it names none. */
  readonly usualType: NonNullable<Service['type']>;
  /** Ports of the pod that are taken, and by what. */
  readonly takenPorts: Readonly<Record<number, string>>;
}

const serviceChecks: readonly ((view: ServiceView) => Problem[])[] = [
  checkPortNames,
  checkPortNumbers,
  checkNodePorts,
  checkTakenPorts,
  checkTypeOnlyFields,
  checkHealthCheckNodePort,
  checkAddresses,
];

export function checkServices(view: SpecView): Problem[] {
  const istiod = view.spec.components?.pilot?.k8s?.service;
  const services: ServiceView[] = [
    ...(istiod === undefined
      ? []
      : [
          {
            path: 'spec.components.pilot.k8s.service',
            service: istiod,
            usualType: 'ClusterIP' as const,
            takenPorts: {},
          },
        ]),
    ...gatewaysOf(view).flatMap(({ path, kind, gateway }) => {
      const service = gateway.k8s?.service;
      if (service === undefined) return [];
      const usualType = kind.serviceType;
      return [{ path: `${path}.k8s.service`, service, usualType, takenPorts: proxyPorts }];
    }),
  ];
  return services.flatMap((service) => serviceChecks.flatMap((check) => check(service)));
}

function checkPortNames({ path, service }: ServiceView): Problem[] {
  return findRepeated(
    (service.ports ?? []).map((port) =>
      port?.port === undefined ? port?.name : (port.name ?? `port-${port.port}`),
    ),
    (index, first, name) => ({
      path: `${path}.ports[${index}].name`,
      message: `${name} is also the name of ports[${first}]`,
    }),
  );
}

function checkPortNumbers({ path, service }: ServiceView): Problem[] {
  return findRepeated(
    (service.ports ?? []).map((port) =>
      port?.port === undefined ? undefined : `${port.protocol ?? 'TCP'} ${port.port}`,
    ),
    (index, first, number) => ({
      path: `${path}.ports[${index}].port`,
      message: `${number} is also the port of ports[${first}]`,
    }),
  );
}

// The range of the API server's --service-node-port-range unless it is set otherwise.
const nodePortRange = { least: 30000, most: 32767 };

function checkNodePorts({ path, service, usualType }: ServiceView): Problem[] {
  const problems = (service.ports ?? []).flatMap((port, index): Problem[] => {
    const nodePort = port?.nodePort;
    if (nodePort === undefined) return [];
    const where = `${path}.ports[${index}].nodePort`;
    if ((service.type ?? usualType) === 'ClusterIP')
      return [{ path: where, message: 'must be left out with type ClusterIP' }];
    if (nodePort >= nodePortRange.least && nodePort <= nodePortRange.most) return [];
    return [
      {
        path: where,
        message: `must be from ${nodePortRange.least} to ${nodePortRange.most}, but is ${nodePort}`,
      },
    ];
  });
  const repeated = findRepeated(
    (service.ports ?? []).map((port) =>
      port?.nodePort === undefined ? undefined : `${port.protocol ?? 'TCP'} ${port.nodePort}`,
    ),
    (index, first, number) => ({
      path: `${path}.ports[${index}].nodePort`,
      message: `${number} is also the node port of ports[${first}]`,
    }),
  );
  return [...problems, ...repeated];
}

/** Ports of the pod that Envoy and pilot-agent keep for themselves. */
const proxyPorts: Readonly<Record<number, string>> = {
  15000: "Envoy's admin interface",
  15004: 'the debug interface',
  15020: 'metrics and health of the agent',
  15090: "Envoy's metrics",
};

function checkTakenPorts({ path, service, takenPorts }: ServiceView): Problem[] {
  return (service.ports ?? []).flatMap((port, index) => {
    const target = port?.targetPort ?? port?.port;
    const user = typeof target === 'number' ? takenPorts[target] : undefined;
    if (user === undefined) return [];
    const field = port?.targetPort === undefined ? 'port' : 'targetPort';
    return [
      { path: `${path}.ports[${index}].${field}`, message: `${target} is taken in the pod by ${user}` },
    ];
  });
}

const loadBalancerFields = [
  'loadBalancerIP',
  'loadBalancerClass',
  'loadBalancerSourceRanges',
  'allocateLoadBalancerNodePorts',
] as const;

function checkTypeOnlyFields({ path, service, usualType }: ServiceView): Problem[] {
  const type = service.type ?? usualType;
  const problems: Problem[] = [];
  if (type !== 'LoadBalancer') {
    for (const field of loadBalancerFields) {
      if (service[field] !== undefined) {
        problems.push({
          path: `${path}.${field}`,
          message: `is only for type LoadBalancer, but the type is ${type}`,
        });
      }
    }
  }
  const isOutside = type !== 'ClusterIP' || (service.externalIPs ?? []).length > 0;
  if (service.externalTrafficPolicy !== undefined && !isOutside) {
    problems.push({ path: `${path}.externalTrafficPolicy`, message: 'must be left out with type ClusterIP' });
  }
  if (service.clusterIP === 'None' && type !== 'ClusterIP') {
    problems.push({ path: `${path}.clusterIP`, message: `must not be None with type ${type}` });
  }
  return problems;
}

function checkHealthCheckNodePort({ path, service }: ServiceView): Problem[] {
  if (service.healthCheckNodePort === undefined || service.externalTrafficPolicy === 'Local') return [];
  return [{ path: `${path}.healthCheckNodePort`, message: 'is only for externalTrafficPolicy Local' }];
}

function checkAddresses({ path, service }: ServiceView): Problem[] {
  return [
    ...checkAddress(`${path}.loadBalancerIP`, service.loadBalancerIP),
    ...(service.externalIPs ?? []).flatMap((address, index) =>
      checkAddress(`${path}.externalIPs[${index}]`, address),
    ),
    ...checkAddressRanges(`${path}.loadBalancerSourceRanges`, service.loadBalancerSourceRanges),
  ];
}
