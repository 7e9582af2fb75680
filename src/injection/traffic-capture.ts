import { names } from './annotation-names.ts';
import { parseJsonAnnotation } from './bounded-document.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { annotationOf } from './pod.ts';
import { proxyUid } from './proxy-security.ts';

/** Ports of the proxy that answer without being captured: metrics and health. */
const ownInboundPorts = '15090,15021';

/** The pod's own word, else the mesh's; an empty annotation is a word, too. */
export function annotatedOr(facts: InjectionFacts, name: string, preset: string): string {
  return annotationOf(facts.pod, name) ?? preset;
}

/** The port at which the agent answers; `0` for nowhere. */
export function statusPortOf(facts: InjectionFacts): string {
  return annotatedOr(facts, names.statusPort, String(facts.mesh.injection.statusPort)).trim();
}

/** Arguments of the container that captures traffic, or that checks that the CNI plugin did. */
export function trafficArgs(facts: InjectionFacts): string[] {
  const { mesh } = facts;
  const { traffic, cni } = mesh.injection;
  const excluded = excludedInboundPorts(facts);
  return [
    'istio-iptables',
    '-p',
    String(mesh.meshConfig.proxyListenPort ?? 15001),
    '-z',
    String(mesh.meshConfig.proxyInboundListenPort ?? 15006),
    '-u',
    String(proxyUid),
    '-m',
    facts.interceptionMode,
    '-i',
    annotatedOr(facts, names.includeOutboundIPRanges, traffic.includeIPRanges),
    '-x',
    annotatedOr(facts, names.excludeOutboundIPRanges, traffic.excludeIPRanges),
    '-b',
    annotatedOr(facts, names.includeInboundPorts, traffic.includeInboundPorts),
    '-d',
    excluded === '' ? ownInboundPorts : `${ownInboundPorts},${excluded}`,
    ...optional('-q', annotationOf(facts.pod, names.includeOutboundPorts), traffic.includeOutboundPorts),
    ...optional('-o', annotationOf(facts.pod, names.excludeOutboundPorts), traffic.excludeOutboundPorts),
    ...optional('-k', virtualInterfaces(facts)),
    ...optional('-c', annotationOf(facts.pod, names.excludeInterfaces)),
    `--log_output_level=${annotatedOr(facts, names.agentLogLevel, mesh.pilot.logLevel)}`,
    ...(mesh.pilot.logAsJson ? ['--log_as_json'] : []),
    ...(cni.enabled ? ['--run-validation', '--skip-rule-apply'] : []),
    ...(!cni.enabled && traffic.forceApplyIptables ? ['--force-apply'] : []),
    ...(traffic.nativeNftables ? ['--native-nftables'] : []),
  ];
}

/** What the CNI plugin reads from the pod, since no init container tells it. */
export function cniAnnotations(facts: InjectionFacts): Record<string, string> {
  const { traffic, cni } = facts.mesh.injection;
  if (!cni.enabled) return {};
  const { pod } = facts;
  const maybe = {
    [names.includeOutboundIPRanges]: annotatedOr(
      facts,
      names.includeOutboundIPRanges,
      traffic.includeIPRanges,
    ),
    [names.excludeOutboundIPRanges]: annotatedOr(
      facts,
      names.excludeOutboundIPRanges,
      traffic.excludeIPRanges,
    ),
    [names.kubevirtInterfaces]: annotationOf(pod, names.kubevirtInterfaces) ?? '',
    [names.rerouteVirtualInterfaces]: annotationOf(pod, names.rerouteVirtualInterfaces) ?? '',
    [names.excludeInterfaces]: annotationOf(pod, names.excludeInterfaces) ?? '',
    [names.includeOutboundPorts]: traffic.includeOutboundPorts,
    [names.excludeOutboundPorts]: traffic.excludeOutboundPorts,
  };
  return {
    ...Object.fromEntries(Object.entries(maybe).filter(([, value]) => value !== '')),
    ...given(names.includeOutboundPorts, annotationOf(pod, names.includeOutboundPorts)),
    ...given(names.excludeOutboundPorts, annotationOf(pod, names.excludeOutboundPorts)),
    [names.interceptionMode]: facts.interceptionMode,
    [names.includeInboundPorts]: annotatedOr(facts, names.includeInboundPorts, traffic.includeInboundPorts),
    [names.excludeInboundPorts]: excludedInboundPorts(facts),
    ...(cni.provider === 'multus' ? { [names.multusNetworks]: multusNetworks(facts) } : {}),
  };
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

/** The user's list with the status port, whose probes must reach the agent. */
function excludedInboundPorts(facts: InjectionFacts): string {
  const excluded = annotatedOr(
    facts,
    names.excludeInboundPorts,
    facts.mesh.injection.traffic.excludeInboundPorts,
  );
  const statusPort = statusPortOf(facts);
  const ports = excluded.split(',').map((port) => port.trim());
  if (statusPort === '' || statusPort === '0' || ports.includes(statusPort)) return excluded;
  return [...ports.filter((port) => port !== ''), statusPort].join(',');
}

function virtualInterfaces({ pod }: InjectionFacts): string | undefined {
  return annotationOf(pod, names.rerouteVirtualInterfaces) ?? annotationOf(pod, names.kubevirtInterfaces);
}

/** An annotation counts even when it is empty, a setting of the mesh does not. */
function optional(flag: string, annotation: string | undefined, preset = ''): string[] {
  if (annotation !== undefined) return [flag, annotation];
  return preset === '' ? [] : [flag, preset];
}

const cniNetwork = { namespace: 'default', name: 'istio-cni' };

/** The networks of the pod and the CNI plugin's, as a list of names or as JSON, whichever the pod uses. */
function multusNetworks({ pod }: InjectionFacts): string {
  const text = (annotationOf(pod, names.multusNetworks) ?? '').trim();
  const name = `${cniNetwork.namespace}/${cniNetwork.name}`;
  if (text === '') return name;
  if (!text.startsWith('[')) {
    return text.split(',').some((network) => network.trim() === name) ? text : `${text}, ${name}`;
  }
  const networks = jsonList(text);
  if (networks === undefined) return text;
  const isThere = networks.some(
    (network) => network?.name === cniNetwork.name && (network.namespace ?? '') === cniNetwork.namespace,
  );
  return isThere ? text : JSON.stringify([...networks, cniNetwork]);
}

function jsonList(text: string): { name?: unknown; namespace?: unknown }[] | undefined {
  try {
    const value = parseJsonAnnotation(names.multusNetworks, text);
    return Array.isArray(value) ? (value as { name?: unknown; namespace?: unknown }[]) : undefined;
  } catch {
    return undefined; // not ours to repair: Multus itself will say what is wrong with it
  }
}
