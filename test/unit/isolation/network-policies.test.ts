import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { NetworkPolicySpec } from '../../../src/api/network-policy.ts';
import type { IsolationFinding } from '../../../src/isolation/finding.ts';
import { proveNetworkPolicies } from '../../../src/isolation/network-policies.ts';
import type { ObservedCluster } from '../../../src/isolation/observed-cluster.ts';
import {
  NetworkPolicyEvaluator,
  type PolicyWorld,
} from '../../../src/render/network-policy/evaluate-network-policies.ts';
import { aNamespace, aPod, aTenant, linesOf, tenantIn, together } from '../../support/isolation-cluster.ts';
import { pick, randomNumbers } from '../../support/random.ts';
import { randomSpec } from '../../support/random-policies.ts';

const [red, blue] = [await aTenant('red'), await aTenant('blue')];
const outsider = {
  namespaces: [aNamespace('outsider', { team: 'x' }), aNamespace('empty')],
  pods: [aPod('outsider', 'app', { app: 'client' }), dualPod(), aPodOn('172.16.0.8')],
};
const cluster = together(red.cluster, blue.cluster, outsider);

function aPolicy(namespace: string, name: string, spec: NetworkPolicySpec): KubernetesObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

/** One with an IPv6 address as well. */
function dualPod(): KubernetesObject {
  const pod = aPod('outsider', 'dual', { app: 'client' });
  return { ...pod, status: { ...(pod.status as object), podIPs: [{ ip: 'fd00::7' }] } };
}

function aPodOn(hostIP: string): KubernetesObject {
  const pod = aPod('outsider', 'elsewhere', {});
  return { ...pod, status: { ...(pod.status as object), hostIP } };
}

function findingsIn(observed: ObservedCluster): readonly IsolationFinding[] {
  return proveNetworkPolicies(tenantIn(red, observed), observed).findings;
}

function withPolicy(spec: NetworkPolicySpec, namespace = 'red-web'): readonly IsolationFinding[] {
  return findingsIn(together(cluster, { networkPolicies: [aPolicy(namespace, 'hole', spec)] }));
}

const everyPod = { namespaceSelector: {} };

describe('a NetworkPolicy that opens more than the table of flows has', () => {
  test('is named with its rule, with who gets in where, and on which ports', () => {
    const team = { namespaceSelector: { matchLabels: { team: 'x' } } };
    const rules = [{ from: [{ podSelector: {} }] }, { from: [team], ports: [{ port: 8080, endPort: 8090 }] }];

    const findings = withPolicy({ podSelector: { matchLabels: { app: 'app' } }, ingress: rules });

    expect(findings).toMatchObject([
      {
        ...{ severity: 'open', object: 'NetworkPolicy red-web/hole', path: 'spec.ingress[1]' },
        from: ['any pod of namespace outsider'],
        to: ['Pod red-web/app'],
        why: expect.stringContaining('takes on 8080-8090/TCP what'),
      },
    ]);
  });

  test.each<[string, NetworkPolicySpec, string, string[]]>([
    [
      'to everybody',
      { podSelector: {}, ingress: [{}] },
      'spec.ingress[0]',
      ['any pod of namespace empty', 'any pod of namespace outsider', 'every IPv4 address'],
    ],
    [
      'to a range of addresses',
      {
        podSelector: {},
        ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.128/25'] } }] }],
      },
      'spec.ingress[0]',
      ['addresses 203.0.113.0-203.0.113.127'],
    ],
    [
      'to a node',
      { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '172.16.0.8/32' } }] }] },
      'spec.ingress[0]',
      ['address 172.16.0.8'],
    ],
    [
      'to the other address of a pod',
      { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 'fd00::7/128' } }] }] },
      'spec.ingress[0]',
      ['Pod outsider/dual'],
    ],
    [
      'to every address but some',
      { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] }] },
      'spec.ingress[0]',
      ['addresses 0.0.0.0-9.255.255.255', 'addresses 11.0.0.0-255.255.255.255'],
    ],
    [
      'to a pod that nobody has made yet',
      {
        podSelector: {},
        ingress: [{ from: [{ ...everyPod, podSelector: { matchLabels: { role: 'spy' } } }] }],
      },
      'spec.ingress[0]',
      ['a pod of namespace empty with labels role=spy'],
    ],
    [
      'for a pod that nobody has made yet',
      { podSelector: { matchLabels: { role: 'door' } }, ingress: [{ from: [everyPod] }] },
      'spec.ingress[0]',
      ['any pod of namespace outsider'],
    ],
  ])('%s is found', (_, spec, path, from) => {
    const [finding, ...more] = withPolicy(spec);

    expect(finding).toMatchObject({ severity: 'open', object: 'NetworkPolicy red-web/hole', path });
    expect(finding?.from).toEqual(expect.arrayContaining(from));
    expect(more).toEqual([]);
  });

  test('on the way out is found as well, and what the other side alone holds is a note', () => {
    const to = (name: string) => ({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
    });
    const spec = {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [to('empty')] }, { to: [to('blue-db')] }],
    };

    const findings = withPolicy(spec);

    expect(findings).toMatchObject([
      { severity: 'open', path: 'spec.egress[0]', to: ['any pod of namespace empty'] },
      { severity: 'note', path: 'spec.egress[1]', to: ['any pod of namespace blue-db'] },
    ]);
    expect(findings[1]?.why).toContain('only blue-db/tenant-blue of the other side is in the way');
  });

  test('in the namespace of the control plane is found', () => {
    const istiod = {
      podSelector: { matchLabels: { app: 'istiod' } },
      ingress: [{ ports: [{ port: 15010 }] }],
    };

    expect(withPolicy(istiod, 'red-system')).toMatchObject([
      {
        severity: 'open',
        path: 'spec.ingress[0]',
        to: expect.arrayContaining(['Pod red-system/istiod-red']),
      },
    ]);
  });

  test('at a gateway elsewhere is found', async () => {
    const edge = await aTenant('edge', {
      components: { ingressGateways: [{ name: 'gateway', namespace: 'edge' }] },
    });
    const untouched = together(edge.cluster, { namespaces: [aNamespace('edge'), aNamespace('empty')] });
    const gateway = { podSelector: { matchLabels: { app: 'gateway' } } };
    const rule = { from: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [{ port: 15090 }] };
    const hole = { networkPolicies: [aPolicy('edge', 'hole', { ...gateway, ingress: [rule] })] };
    const [before, after] = [untouched, together(untouched, hole)].map(
      (observed) => proveNetworkPolicies(tenantIn(edge, observed), observed).findings,
    );

    expect(before).toEqual([]);
    expect(after).toMatchObject([
      { object: 'NetworkPolicy edge/hole', from: ['addresses 203.0.113.0-203.0.113.255'] },
    ]);
  });

  test('is none where it has no spec, which closes', () => {
    const { spec: _, ...policy } = aPolicy('red-web', 'empty', {});

    expect(findingsIn(together(cluster, { networkPolicies: [policy as KubernetesObject] }))).toEqual([]);
  });

  test('within the tenant is none', () => {
    expect(withPolicy({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] })).toEqual([]);
  });
});

describe('a pod that no NetworkPolicy is about', () => {
  test('is named where its namespace has lost its policy', () => {
    const networkPolicies = cluster.networkPolicies.filter(({ metadata }) => metadata.namespace !== 'red-db');

    const findings = findingsIn({ ...cluster, networkPolicies });

    expect(findings.map(({ severity, object }) => `${severity} ${object}`)).toEqual([
      'open Namespace red-db',
      'open Namespace red-db',
    ]);
    expect(findings[0]?.why).toContain('no NetworkPolicy selects any pod of namespace red-db');
  });

  test('is named where it is none of the control plane beside it', () => {
    const observed = together(cluster, { pods: [aPod('red-system', 'debug', {})] });

    const [finding] = findingsIn(observed);

    expect(finding).toMatchObject({ severity: 'open', object: 'Namespace red-system' });
    expect(finding?.why).toContain('no NetworkPolicy selects Pod red-system/debug');
  });

  test('is named where it is on the network of its node', () => {
    const observed = together(cluster, { pods: [aPod('red-web', 'agent', {}, { hostNetwork: true })] });

    expect(findingsIn(observed)).toMatchObject([
      { severity: 'open', object: 'Pod red-web/agent', path: 'spec.hostNetwork' },
    ]);
  });
});

test('what the spec leaves open is a note', async () => {
  const members = { namespaces: ['wide-web', 'wide-db'] };
  const ports = [{ port: 443, protocol: 'TLS' as const }];
  const egress = [
    { host: 'a.example.com', ports, cidrs: ['203.0.113.0/24'] },
    { host: 'b.example.com', ports },
  ];
  const notesOf = async (tenancy: object) => {
    const wide = await aTenant('wide', {
      networkPolicy: {},
      tenancy: { tenant: 'wide', members, ...tenancy },
    });
    const observed = together(wide.cluster, { namespaces: [aNamespace('empty')] });
    return linesOf(proveNetworkPolicies(tenantIn(wide, observed), observed).findings);
  };

  expect(await notesOf({ egress })).toEqual([
    'note MeshOperator wide-system/wide spec.networkPolicy.apiServer.cidrs',
    'note MeshOperator wide-system/wide spec.tenancy.egress[1].cidrs',
  ]);
  expect(await notesOf({ isolation: 'Open' })).toEqual([
    'note MeshOperator wide-system/wide spec.networkPolicy.apiServer.cidrs',
    'note MeshOperator wide-system/wide spec.tenancy.isolation',
  ]);
});

/**
 * Random policies in a member. That one opens nothing is asked of the evaluator itself, packet by packet, between all pods
 * and some addresses on some ports: whatever gets in or out there must be in a finding.
 */
test.each(Array.from({ length: 25 }, (_, seed) => seed))(
  'random policies: every packet that gets through is found (seed %i)',
  (seed) => {
    const random = randomNumbers(seed);
    const networkPolicies = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) =>
      aPolicy(pick(random, ['red-web', 'red-db']), `random-${index}`, randomSpec(random)),
    );
    const observed = together(cluster, { networkPolicies });
    const planted = new Set(
      networkPolicies.map(({ metadata }) => `NetworkPolicy ${metadata.namespace}/${metadata.name}`),
    );
    const opened = throughPlanted(observed, planted);

    const found = new Set(findingsIn(observed).map(({ object, path }) => `${object} ${path}`));

    expect([...opened].filter((opening) => !found.has(opening))).toEqual([]);
  },
);

/** Rules of the planted policies that let a packet between the tenant and somebody outside through, asked one by one. */
function throughPlanted(observed: ObservedCluster, planted: ReadonlySet<string>): Set<string> {
  const world = observed as unknown as PolicyWorld & { networkPolicies: PolicyWorld['policies'] };
  const evaluator = new NetworkPolicyEvaluator({ ...world, policies: world.networkPolicies });
  const addressOf = ({ status }: KubernetesObject) => (status as { podIP: string }).podIP;
  const isRed = ({ metadata }: KubernetesObject) => metadata.namespace?.startsWith('red-') === true;
  const members = observed.pods.filter((pod) => isRed(pod) && pod.metadata.name === 'app').map(addressOf);
  const others = [
    ...observed.pods.filter((pod) => !isRed(pod)).map(addressOf),
    ...['10.77.3.3', '192.0.2.9', '198.51.100.1', '8.8.8.8'],
  ];
  const opened = new Set<string>();
  for (const member of members) {
    for (const other of others) {
      for (const port of [53, 80, 443, 8080, 9090, 20_000]) {
        for (const protocol of ['TCP', 'UDP'] as const) {
          for (const side of ['ingress', 'egress'] as const) {
            const [from, to] = side === 'ingress' ? [other, member] : [member, other];
            const verdict = evaluator.judge({ from, to, port, protocol })[side];
            if (verdict.outcome !== 'allowed' || verdict.because !== 'rule') continue;
            const policy = `NetworkPolicy ${verdict.policy}`;
            if (planted.has(policy)) opened.add(`${policy} ${verdict.rule}`);
          }
        }
      }
    }
  }
  return opened;
}
