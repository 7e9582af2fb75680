/** What Prometheus learns of a pod's port from Kubernetes (its documentation, "kubernetes_sd_config"). */
export interface DiscoveredTarget {
  readonly role: 'pod' | 'endpoints';
  readonly address: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly port: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of the Service. */
  readonly service?: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

/** The target as a configuration without Kubernetes has it (`static_config`): Debian's Prometheus cannot ask Kubernetes. */
export function staticConfig(found: DiscoveredTarget): object {
  const { address, namespace, pod, container, port, labels, annotations, service } = found;
  return {
    targets: [address],
    labels: {
      __meta_kubernetes_namespace: namespace,
      __meta_kubernetes_pod_name: pod,
      __meta_kubernetes_pod_phase: 'Running',
      __meta_kubernetes_pod_container_name: container,
      __meta_kubernetes_pod_container_port_name: port,
      ...Object.fromEntries([
        ...metaLabels('pod_label', labels),
        ...metaLabels('pod_annotation', annotations),
        ...metaLabels('service_label', service?.labels),
      ]),
      ...(service === undefined
        ? {}
        : {
            __meta_kubernetes_service_name: service.name,
            __meta_kubernetes_endpoint_address_target_kind: 'Pod',
            __meta_kubernetes_endpoint_address_target_name: pod,
          }),
    },
  };
}

function metaLabels(prefix: string, pairs: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(pairs).flatMap(([key, value]): [string, string][] => {
    const name = key.replace(/\W/g, '_');
    return [
      [`__meta_kubernetes_${prefix}_${name}`, value],
      [`__meta_kubernetes_${prefix}present_${name}`, 'true'],
    ];
  });
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

interface Container {
  readonly name: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

interface Service {
  readonly metadata: Pod['metadata'];
  readonly spec: { readonly selector?: Readonly<Record<string, string>> };
}

/** What a Prometheus that asks Kubernetes would find of these pods that run, and of those behind each of these Services. */
export function discoverTargets(pods: readonly Pod[], services: readonly Service[]): DiscoveredTarget[] {
  const running = pods.filter(({ status }) => status.phase === 'Running' && status.podIP !== undefined);
  const behind = services.flatMap((service) =>
    running
      .filter((pod) => isSelected(pod, service))
      .flatMap((pod) => portsOf(pod))
      .map((target) => ({
        ...{ ...target, role: 'endpoints' as const },
        service: { name: service.metadata.name, labels: service.metadata.labels ?? {} },
      })),
  );
  return [...running.flatMap(portsOf), ...behind];
}

function isSelected(
  { metadata }: Pod,
  { metadata: { namespace }, spec: { selector = {} } }: Service,
): boolean {
  const wanted = Object.entries(selector);
  return (
    metadata.namespace === namespace &&
    wanted.length > 0 &&
    wanted.every(([key, value]) => metadata.labels?.[key] === value)
  );
}

function portsOf({ metadata, spec, status }: Pod): DiscoveredTarget[] {
  const { name, namespace, labels = {}, annotations = {} } = metadata;
  return [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ name: container, ports = [] }) =>
    ports.map(({ name: port = '', containerPort }) => ({
      ...{ role: 'pod' as const, address: `${status.podIP}:${containerPort}` },
      ...{ namespace, pod: name, container, port, labels, annotations },
    })),
  );
}
