import type { NetworkPolicySpec, PolicyPeer, PolicyPort } from '../../src/api/network-policy.ts';
import type { LabelSelector } from '../../src/api/resolved-injection.ts';
import type { EvaluatedPod, PolicyWorld } from '../../src/render/network-policy/evaluate-network-policies.ts';
import { pick, type RandomNumbers } from './random.ts';

/** Ports that something may be open on. */
export const randomPorts = [80, 443, 8080, 8081, 9090] as const;

const namespaceNames = ['a', 'b', 'c'];
const apps = ['web', 'db'];
const tiers = ['front', 'back'];
const portNames = ['http', 'dns'];

/** Pods with these addresses, their namespaces, and policies for them: everything that the API allows, small enough to meet. */
export function randomWorld(
  random: RandomNumbers,
  addresses: readonly string[],
  nodeAddress: string,
): PolicyWorld {
  const pods = addresses.map((address, index) => randomPod(random, `pod-${index}`, address, nodeAddress));
  const [shared = ''] = addresses;
  return {
    namespaces: namespaceNames.map((name) => ({
      metadata: { name, labels: { name, team: pick(random, ['red', 'blue']) } },
    })),
    pods: [
      ...pods,
      // Neither counts: one has ended and lost its address, the other has none of its own.
      endedPod(randomPod(random, 'ended', shared, nodeAddress)),
      hostPod(randomPod(random, 'on-host', nodeAddress, nodeAddress)),
    ],
    policies: Array.from({ length: 2 + Math.floor(random() * 8) }, (_, index) => ({
      metadata: { name: `policy-${index}`, namespace: pick(random, namespaceNames) },
      spec: randomSpec(random),
    })),
  };
}

function randomPod(random: RandomNumbers, name: string, podIP: string, hostIP: string): EvaluatedPod {
  const ports = portNames.map((port) => ({
    name: port,
    containerPort: pick(random, randomPorts),
    ...(random() < 0.3 ? { protocol: 'UDP' } : {}),
  }));
  return {
    metadata: {
      ...{ name, namespace: pick(random, namespaceNames), creationTimestamp: '2026-01-02T00:00:00Z' },
      labels: {
        ...(random() < 0.8 ? { app: pick(random, apps) } : {}),
        ...(random() < 0.6 ? { tier: pick(random, tiers) } : {}),
      },
    },
    spec:
      random() < 0.3
        ? {
            initContainers: [{ ...(random() < 0.5 ? { restartPolicy: 'Always' } : {}), ports }],
            containers: [],
          }
        : { containers: [{ ports }] },
    status: { podIP, hostIP, phase: 'Running' },
  };
}

function endedPod(pod: EvaluatedPod): EvaluatedPod {
  return { ...pod, status: { ...pod.status, phase: 'Succeeded' } };
}

function hostPod(pod: EvaluatedPod): EvaluatedPod {
  return { ...pod, spec: { ...pod.spec, hostNetwork: true } };
}

/** The `spec` of a policy for such pods. */
export function randomSpec(random: RandomNumbers): NetworkPolicySpec {
  const types = pick(random, [undefined, ['Ingress'], ['Egress'], ['Ingress', 'Egress']]);
  const sides = { ingress: random() < 0.7, egress: random() < 0.7 };
  return {
    podSelector: randomSelector(random),
    ...(types === undefined ? {} : { policyTypes: types }),
    ...(sides.ingress ? { ingress: rules(random, 'from') } : {}),
    ...(sides.egress ? { egress: rules(random, 'to') } : {}),
  };
}

function rules(random: RandomNumbers, side: 'from' | 'to'): object[] {
  return some(random, 2, () => ({
    ...(random() < 0.95 ? { [side]: some(random, 2, () => randomPeer(random)) } : {}),
    ...(random() < 0.85 ? { ports: some(random, 2, () => randomPort(random)) } : {}),
  }));
}

function randomPeer(random: RandomNumbers): PolicyPeer {
  if (random() < 0.3) {
    return pick(random, [
      { ipBlock: { cidr: '10.77.0.0/16', except: ['10.77.1.0/24', '10.77.2.2/32'] } },
      { ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } },
      { ipBlock: { cidr: '0.0.0.0/0', except: ['10.77.0.0/17'] } },
      { ipBlock: { cidr: '198.51.100.1/32' } },
      { ipBlock: { cidr: '10.77.255.1/32' } },
      { ipBlock: { cidr: 'fd00::/8' } },
    ]);
  }
  const which = random();
  return {
    ...(which < 0.7 ? { podSelector: randomSelector(random) } : {}),
    ...(which > 0.4 ? { namespaceSelector: randomNamespaceSelector(random) } : {}),
  };
}

function randomPort(random: RandomNumbers): PolicyPort {
  const protocol = pick(random, [{}, { protocol: 'TCP' as const }, { protocol: 'UDP' as const }]);
  const kind = random();
  if (kind < 0.4) return { ...protocol, port: pick(random, portNames) };
  if (kind < 0.5) return protocol;
  const port = pick(random, randomPorts);
  return kind < 0.7
    ? { ...protocol, port, endPort: port + Math.floor(random() * 9000) }
    : { ...protocol, port };
}

function randomSelector(random: RandomNumbers): LabelSelector {
  return pick<() => LabelSelector>(random, [
    () => ({}),
    () => ({}),
    () => ({ matchLabels: { app: pick(random, apps) } }),
    () => ({ matchLabels: { app: pick(random, apps), tier: pick(random, tiers) } }),
    () => ({ matchExpressions: [{ key: 'tier', operator: 'In', values: [pick(random, tiers)] }] }),
    () => ({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: [pick(random, apps)] }] }),
    () => ({ matchExpressions: [{ key: 'tier', operator: pick(random, ['Exists', 'DoesNotExist']) }] }),
  ])();
}

function randomNamespaceSelector(random: RandomNumbers): LabelSelector {
  return pick<() => LabelSelector>(random, [
    () => ({}),
    () => ({ matchLabels: { team: pick(random, ['red', 'blue']) } }),
    () => ({
      matchExpressions: [{ key: 'name', operator: 'NotIn', values: [pick(random, namespaceNames)] }],
    }),
  ])();
}

/** Up to `limit`, and now and then none. */
function some<T>(random: RandomNumbers, limit: number, make: () => T): T[] {
  return Array.from({ length: Math.ceil(random() * (limit + 0.1) - 0.1) }, make);
}
