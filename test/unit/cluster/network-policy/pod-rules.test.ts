import { describe, expect, it } from 'vitest';
import {
  type Allow,
  decidePodRules,
  type PodRules,
  type PolicyWorld,
} from '../../../cluster/network-policy/pod-rules.ts';
import type {
  NetworkPolicy,
  PolicyNamespace,
  PolicyPod,
} from '../../../cluster/network-policy/policy-objects.ts';

/** Namespaces `x` (team: a) and `y` (team: b); pods web, db and old in `x`, web in `y`; one outsider. */
const addresses: Record<string, string> = {
  'x/web': '10.244.0.2',
  'x/db': '10.244.0.3',
  'y/web': '10.244.0.4',
  outside: '192.0.2.7',
};

interface Row {
  readonly name: string;
  /** Specs of policies in namespace `x`. */
  readonly policies: readonly NetworkPolicy['spec'][];
  /** `<from> <to> <protocol> <port>` */
  readonly passes: readonly string[];
  readonly drops: readonly string[];
}

const db = { matchLabels: { app: 'db' } };
const web = { matchLabels: { app: 'web' } };
const inB = { matchLabels: { team: 'b' } };

const rows: readonly Row[] = [
  {
    name: 'without policies everything passes',
    policies: [],
    passes: ['x/web x/db tcp 80', 'outside x/db udp 53', 'x/db outside tcp 443'],
    drops: [],
  },
  {
    name: 'a policy without policyTypes and rules drops all that comes in, and nothing that goes out',
    policies: [{ podSelector: db }],
    passes: ['x/db x/web tcp 80', 'x/db outside tcp 80', 'y/web x/web tcp 80'],
    drops: ['x/web x/db tcp 80', 'y/web x/db tcp 80', 'outside x/db udp 53'],
  },
  {
    name: 'an empty podSelector selects every pod of the namespace and no other',
    policies: [{ podSelector: {} }],
    passes: ['x/web y/web tcp 80'],
    drops: ['y/web x/web tcp 80', 'y/web x/db tcp 80', 'x/web x/db tcp 80'],
  },
  {
    name: 'an egress section makes a policy without policyTypes count for egress too',
    policies: [{ podSelector: db, egress: [{ to: [{ podSelector: web }] }] }],
    passes: ['x/db x/web tcp 80'],
    drops: ['x/db y/web tcp 80', 'x/db outside tcp 80', 'x/web x/db tcp 80'],
  },
  {
    name: 'policyTypes Egress alone leaves ingress free',
    policies: [{ podSelector: db, policyTypes: ['Egress'] }],
    passes: ['x/web x/db tcp 80'],
    drops: ['x/db x/web tcp 80'],
  },
  {
    name: 'an empty rule allows everything',
    policies: [{ podSelector: db, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] }],
    passes: ['outside x/db udp 53', 'x/db outside tcp 80'],
    drops: [],
  },
  {
    name: 'an empty list of rules allows nothing',
    policies: [{ podSelector: db, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] }],
    passes: [],
    drops: ['x/web x/db tcp 80', 'x/db x/web tcp 80'],
  },
  {
    name: 'an empty from and empty ports mean everyone and every port',
    policies: [{ podSelector: db, ingress: [{ from: [], ports: [] }] }],
    passes: ['outside x/db udp 9'],
    drops: [],
  },
  {
    name: 'a podSelector means pods of the policy’s own namespace',
    policies: [{ podSelector: db, ingress: [{ from: [{ podSelector: web }] }] }],
    passes: ['x/web x/db tcp 80'],
    drops: ['y/web x/db tcp 80', 'outside x/db tcp 80'],
  },
  {
    name: 'a namespaceSelector means every pod of those namespaces',
    policies: [{ podSelector: db, ingress: [{ from: [{ namespaceSelector: inB }] }] }],
    passes: ['y/web x/db tcp 80'],
    drops: ['x/web x/db tcp 80'],
  },
  {
    name: 'both selectors in one peer must hold',
    policies: [{ podSelector: db, ingress: [{ from: [{ namespaceSelector: inB, podSelector: db }] }] }],
    passes: [],
    drops: ['y/web x/db tcp 80', 'x/web x/db tcp 80'],
  },
  {
    name: 'two peers are alternatives',
    policies: [{ podSelector: db, ingress: [{ from: [{ namespaceSelector: inB }, { podSelector: web }] }] }],
    passes: ['y/web x/db tcp 80', 'x/web x/db tcp 80'],
    drops: ['outside x/db tcp 80'],
  },
  {
    name: 'an empty namespaceSelector means all namespaces, but no address outside',
    policies: [{ podSelector: db, ingress: [{ from: [{ namespaceSelector: {} }] }] }],
    passes: ['y/web x/db tcp 80', 'x/web x/db tcp 80'],
    drops: ['outside x/db tcp 80'],
  },
  {
    name: 'matchExpressions know In, NotIn, Exists and DoesNotExist',
    policies: [
      {
        podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'cache'] }] },
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] },
                podSelector: {
                  matchExpressions: [
                    { key: 'app', operator: 'Exists' },
                    { key: 'retired', operator: 'DoesNotExist' },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
    passes: ['y/web x/db tcp 80', 'x/db x/web tcp 80'],
    drops: ['x/web x/db tcp 80'],
  },
  {
    name: 'an ipBlock without its exceptions',
    policies: [
      {
        podSelector: db,
        ingress: [{ from: [{ ipBlock: { cidr: '10.244.0.0/16', except: ['10.244.0.4/32'] } }] }],
      },
    ],
    passes: ['x/web x/db tcp 80'],
    drops: ['y/web x/db tcp 80', 'outside x/db tcp 80'],
  },
  {
    name: 'a port without protocol is TCP',
    policies: [{ podSelector: db, ingress: [{ ports: [{ port: 80 }] }] }],
    passes: ['outside x/db tcp 80'],
    drops: ['outside x/db udp 80', 'outside x/db tcp 81'],
  },
  {
    name: 'a protocol without port is all its ports',
    policies: [{ podSelector: db, ingress: [{ ports: [{ protocol: 'UDP' }] }] }],
    passes: ['outside x/db udp 1', 'outside x/db udp 65535'],
    drops: ['outside x/db tcp 80'],
  },
  {
    name: 'endPort ends a range that includes it',
    policies: [{ podSelector: db, ingress: [{ ports: [{ port: 80, endPort: 82 }] }] }],
    passes: ['outside x/db tcp 80', 'outside x/db tcp 82'],
    drops: ['outside x/db tcp 79', 'outside x/db tcp 83'],
  },
  {
    name: 'a named port on ingress is the selected pod’s, by protocol',
    policies: [{ podSelector: db, ingress: [{ ports: [{ port: 'serve' }] }] }],
    passes: ['outside x/db tcp 5432'],
    drops: ['outside x/db udp 5432', 'outside x/db tcp 8080'],
  },
  {
    name: 'a named port on egress is each destination’s own number',
    policies: [{ podSelector: web, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'serve' }] }] }],
    passes: ['x/web x/db tcp 5432', 'x/web y/web tcp 8080'],
    drops: ['x/web x/db tcp 8080', 'x/web y/web tcp 5432', 'x/web outside tcp 5432'],
  },
  {
    name: 'several policies add up',
    policies: [
      { podSelector: db },
      { podSelector: db, ingress: [{ from: [{ podSelector: web }] }] },
      { podSelector: {}, ingress: [{ ports: [{ port: 9 }] }] },
    ],
    passes: ['x/web x/db tcp 80', 'y/web x/db tcp 9'],
    drops: ['y/web x/db tcp 80'],
  },
  {
    name: 'both ends must allow a connection',
    policies: [
      { podSelector: web, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: db }] }] },
      { podSelector: db, ingress: [{ ports: [{ port: 80 }] }] },
    ],
    passes: ['x/web x/db tcp 80'],
    drops: ['x/web x/db tcp 81', 'x/web y/web tcp 80'],
  },
];

describe('decidePodRules', () => {
  it.each(rows)('$name', ({ policies, passes, drops }) => {
    const world = aWorld({ policies: policies.map((spec, index) => aPolicy(`p${index}`, spec)) });

    const rules = decidePodRules(world);

    const connections = [...passes, ...drops];
    expect(connections.filter((connection) => mayConnect(connection, rules))).toEqual(passes);
  });

  it('leaves out pods that have ended, have no address yet, or are on the network of the node', () => {
    const pods = [
      aPod('x/done', { phase: 'Succeeded', podIP: '10.244.0.9' }),
      aPod('x/starting', {}),
      aPod('x/node', { podIP: '10.200.0.2' }, { hostNetwork: true }),
      aPod('x/running', { podIP: '10.244.0.8' }),
    ];

    const rules = decidePodRules(aWorld({ pods, policies: [aPolicy('all', { podSelector: {} })] }));

    expect(rules.map(({ pod }) => pod)).toEqual(['x/running']);
  });

  it('gives an address that was used again to the younger pod', () => {
    const podIP = '10.244.0.9';
    const pods = [
      aPod('x/young', { podIP }, {}, '2026-01-01T00:00:02Z'),
      aPod('x/ending', { podIP }, {}, '2026-01-01T00:00:01Z'),
    ];

    const rules = decidePodRules(aWorld({ pods, policies: [aPolicy('all', { podSelector: {} })] }));

    expect(rules.map(({ pod, address }) => `${pod} ${address}`)).toEqual([`x/young ${podIP}`]);
  });

  it('decides the same whatever the order of its input', () => {
    const policies = rows.flatMap((row, index) =>
      row.policies.map((spec, at) => aPolicy(`p${index}-${at}`, spec)),
    );
    const world = aWorld({ policies });
    const reversed = aWorld({
      policies: policies.toReversed(),
      pods: world.pods.toReversed(),
      namespaces: world.namespaces.toReversed(),
    });

    expect(decidePodRules(reversed)).toEqual(decidePodRules(world));
  });
});

/** Judges one connection by the rules alone: each end that has rules must allow it. */
function mayConnect(connection: string, rules: readonly PodRules[]): boolean {
  const [from = '', to = '', protocol = '', port = ''] = connection.split(' ');
  const source = addresses[from] ?? '';
  const destination = addresses[to] ?? '';
  const ends = [
    { direction: 'egress', self: source, peer: destination },
    { direction: 'ingress', self: destination, peer: source },
  ];
  return ends.every(({ direction, self, peer }) => {
    const own = rules.find((rule) => rule.direction === direction && rule.address === self);
    return own === undefined || own.allows.some((allow) => allows(allow, peer, protocol, Number(port)));
  });
}

function allows({ peers, ports }: Allow, peer: string, protocol: string, port: number): boolean {
  const isPeer =
    peers.kind === 'any' ||
    (peers.kind === 'addresses' && peers.addresses.includes(peer)) ||
    (peers.kind === 'block' &&
      inBlock(peer, peers.cidr) &&
      !peers.except.some((cidr) => inBlock(peer, cidr)));
  const isPort =
    ports.kind === 'any' ||
    (ports.protocol === protocol &&
      (ports.kind === 'protocol' || (port >= ports.first && port <= ports.last)));
  return isPeer && isPort;
}

function inBlock(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/');
  const bits = (text: string) =>
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  return bits(address).startsWith(bits(network).slice(0, Number(length)));
}

function aWorld(overrides: Partial<PolicyWorld>): PolicyWorld {
  return {
    policies: [],
    pods: [
      aPod('x/web', { podIP: '10.244.0.2' }, { port: 8080 }),
      aPod('x/db', { podIP: '10.244.0.3' }, { port: 5432 }),
      aPod('y/web', { podIP: '10.244.0.4' }, { port: 8080 }),
    ],
    namespaces: [aNamespace('x', { team: 'a' }), aNamespace('y', { team: 'b' })],
    ...overrides,
  };
}

function aPolicy(name: string, spec: NetworkPolicy['spec']): NetworkPolicy {
  return { metadata: { name, namespace: 'x' }, spec };
}

function aPod(
  place: string,
  status: NonNullable<PolicyPod['status']>,
  options: { hostNetwork?: boolean; port?: number } = {},
  creationTimestamp = '2026-01-01T00:00:00Z',
): PolicyPod {
  const [namespace = '', name = ''] = place.split('/');
  const ports = options.port === undefined ? [] : [{ name: 'serve', containerPort: options.port }];
  return {
    metadata: { name, namespace, labels: { app: name }, creationTimestamp },
    spec: { hostNetwork: options.hostNetwork ?? false, containers: [{ ports }] },
    status: { phase: 'Running', ...status },
  };
}

function aNamespace(name: string, labels: Record<string, string>): PolicyNamespace {
  return { metadata: { name, labels } };
}
