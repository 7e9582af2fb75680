import { describe, expect, test } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import {
  NetworkPolicyEvaluator,
  type PolicyWorld,
} from '../../../../src/render/network-policy/evaluate-network-policies.ts';
import { flows } from '../../../../src/render/network-policy/flows.ts';
import { type GuardedMesh, type PartyName, parties } from '../../../../src/render/network-policy/parties.ts';
import { renderMesh } from '../../../../src/render/render-mesh.ts';
import { everywhere, isNeeded, type Place } from '../../../support/flow-places.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { aRenderContext } from '../../../support/render-context.ts';
import { podTemplateOf, renderAll } from '../../../support/rendered-objects.ts';

const aNode = '172.16.0.9';

const allGateways: MeshOperatorSpec['components'] = {
  ingressGateways: [{ name: 'istio-ingressgateway', namespace: 'edge' }],
  egressGateways: [{ name: 'istio-egressgateway' }],
  eastWestGateways: [{ name: 'istio-eastwestgateway' }],
};

const settings: MeshOperatorSpec['networkPolicy'] = {
  apiServer: { cidrs: ['172.16.0.1/32'], ports: [6443] },
  dns: { cidrs: ['169.254.20.10/32'] },
  monitoring: { namespaces: ['monitoring'] },
  meshCIDRs: ['192.168.8.0/24'],
  jwks: { cidrs: ['203.0.113.0/24'] },
};

const meshes: Record<string, MeshOperatorSpec> = {
  'every gateway and setting': {
    components: allGateways,
    networkPolicy: settings,
    values: { global: { network: 'west' } },
  },
  'a revision with defaults': { revision: 'canary', components: allGateways, networkPolicy: {} },
  'other clusters': {
    ...{ components: allGateways, networkPolicy: settings },
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east', network: 'east' },
      remotes: [
        { clusterName: 'west', kubeconfig: { secretName: 'west' }, server: 'https://198.51.100.31:9443' },
        { clusterName: 'north', token: { secretName: 'north', server: 'https://198.51.100.32' } },
      ],
    },
  },
  'other clusters behind proxies': {
    ...{ components: allGateways, networkPolicy: settings },
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east' },
      remotes: [
        {
          ...{ clusterName: 'west', kubeconfig: { secretName: 'west' } },
          ...{ server: 'https://west.example.com:6443', proxyURL: 'http://198.51.100.33:3128' },
        },
      ],
    },
  },
  'another cluster that only a kubeconfig knows': {
    ...{ components: allGateways, networkPolicy: settings },
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east' },
      remotes: [{ clusterName: 'west', kubeconfig: { secretName: 'west' } }],
    },
  },
  'an istiod that has another cluster for its own': {
    networkPolicy: settings,
    multiCluster: {
      ...{ meshID: 'shop', clusterName: 'east', configCluster: 'west' },
      remotes: [
        {
          ...{ clusterName: 'west', role: 'Remote', kubeconfig: { secretName: 'west' } },
          server: 'https://198.51.100.31:9443',
        },
      ],
    },
  },
  'plaintext discovery': {
    components: allGateways,
    networkPolicy: settings,
    meshConfig: { defaultConfig: { discoveryAddress: 'istiod.istio-system.svc:15010' } },
  },
  'an istiod elsewhere': {
    profile: 'remote',
    components: allGateways,
    networkPolicy: settings,
    values: { global: { remotePilotAddress: '198.51.100.7' } },
  },
  'an authority elsewhere': {
    components: allGateways,
    networkPolicy: settings,
    certificateAuthority: {
      provider: 'External',
      external: { address: 'cert-manager-istio-csr.cert-manager.svc:443' },
    },
  },
};

const tenancy: MeshOperatorSpec['tenancy'] = { tenant: 'shops', members: { namespaces: ['shop', 'till'] } };

const tenants: Record<string, MeshOperatorSpec> = {
  'every gateway and setting, of a tenant': {
    ...{ revision: 'shops', components: allGateways, networkPolicy: settings, tenancy },
    values: { global: { network: 'west' } },
  },
  'defaults, of a tenant': { revision: 'shops', networkPolicy: {}, tenancy },
  'allowed hosts, of a tenant': {
    ...{ revision: 'shops', networkPolicy: settings },
    tenancy: {
      ...tenancy,
      egress: [
        { host: 'api.example.com', ports: [{ port: 443, protocol: 'TLS' }], cidrs: ['198.51.100.20/32'] },
        { host: 'db.example.com', ports: [{ port: 9090, protocol: 'TCP' }], cidrs: ['203.0.113.0/24'] },
        { host: 'any.example.com', ports: [{ port: 8081, protocol: 'HTTP' }] },
      ],
    },
  },
  'open egress, of a tenant': {
    ...{ revision: 'shops', networkPolicy: settings },
    tenancy: { ...tenancy, isolation: 'Open' },
  },
};

describe.each(Object.entries({ ...meshes, ...tenants }))('the policies of a mesh with %s', (_, spec) => {
  const resolved = resolveMesh(aMeshOperator(spec));
  const memberNamespaces = resolved.tenancy?.members.namespaces ?? [];
  const mesh = { ...resolved, memberNamespaces } as GuardedMesh;
  const objects = renderMesh(resolved, aRenderContext(), memberNamespaces).flatMap((wave) => wave.objects);
  const places = placesOf(mesh, objects);
  const evaluator = new NetworkPolicyEvaluator({
    policies: objects.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as PolicyWorld['policies'],
    namespaces: namespaceNames.map((name) => ({
      metadata: {
        name,
        labels: { 'kubernetes.io/metadata.name': name, ...labelsOf(name, memberNamespaces) },
      },
    })),
    pods: places.flatMap(({ pod }) => pod ?? []),
  });

  test('let through what the table has, from everybody to everybody on every port, and nothing else', () => {
    const wrong: string[] = [];
    let passing = 0;
    for (const from of places) {
      for (const to of places) {
        if (from === to) continue;
        for (const port of ports) {
          for (const protocol of ['TCP', 'UDP'] as const) {
            const needed = isNeeded(mesh, from, to, { port, protocol });
            const verdict = evaluator.judge({ from: from.address, to: to.address, port, protocol });
            if (needed) passing++;
            if (verdict.isAllowed !== needed) {
              wrong.push(`${from.name} -> ${to.name}:${port}/${protocol} ${needed ? 'is cut' : 'passes'}`);
            }
          }
        }
      }
    }

    expect(wrong).toEqual([]);
    expect(passing).toBeGreaterThan(0);
  });
});

describe('the table of flows', () => {
  test('names everybody that the page explains', () => {
    const named = new Set(flows.flatMap(({ from, to }) => [...from, ...to]));

    expect([...named].sort()).toEqual(Object.keys(parties).sort());
  });

  test('has the metrics, health and webhook ports that istiod and the injector really open', () => {
    const objects = renderAll(resolveMesh(aMeshOperator({ networkPolicy: {} })));
    const opened = (name: string) =>
      podTemplateOf(objects, name).spec.containers.flatMap(({ ports: list }) =>
        (list as { containerPort: number }[]).map(({ containerPort }) => containerPort),
      );
    const resolved = resolveMesh(aMeshOperator({ networkPolicy: {} }));
    const mesh = { ...resolved, memberNamespaces: [] } as unknown as GuardedMesh;
    const known = (name: PartyName) => [
      ...new Set(
        flows
          .filter(({ to }) => to.includes(name))
          .flatMap(({ ports: { of } }) => [of(mesh, { peers: [] })].flat())
          .map((port) => (port === 'every port' ? port : port.port)),
      ),
    ];

    expect(known('injector').sort()).toEqual(opened('sidecar-injector').sort());
    expect(known('istiod').sort()).toEqual(opened('istiod').sort());
  });
});

describe('a mesh without the block', () => {
  test('has no policies', () => {
    expect(renderAll(resolveMesh(aMeshOperator({}))).some(({ kind }) => kind === 'NetworkPolicy')).toBe(
      false,
    );
    expect(
      renderAll(resolveMesh(aMeshOperator({ networkPolicy: { enabled: false } }))).some(
        ({ kind }) => kind === 'NetworkPolicy',
      ),
    ).toBe(false);
  });
});

/** Of another tenant are those that are of none of ours; one namespace has only asked to be a member. */
function labelsOf(namespace: string, members: readonly string[]): Record<string, string> {
  if (members.includes(namespace))
    return { 'meshoperator.dev/tenant': 'shops', 'meshoperator.dev/member': 'shops' };
  if (namespace === 'asking') return { 'meshoperator.dev/tenant': 'shops' };
  return { 'meshoperator.dev/tenant': 'banks', 'meshoperator.dev/member': 'banks' };
}

const namespaceNames = [
  'istio-system',
  'edge',
  'shop',
  'till',
  'bank',
  'asking',
  'monitoring',
  'kube-system',
  'cert-manager',
];

const ports = [
  53, 80, 443, 6443, 8080, 8081, 9090, 15000, 15010, 15012, 15014, 15017, 15020, 15021, 15090, 15443, 3128,
  9443,
];

function placesOf(mesh: GuardedMesh, objects: ReturnType<typeof renderAll>): Place[] {
  const { networkPolicy } = mesh;
  const [hasApiServer, hasJwks] = [
    networkPolicy.apiServer.cidrs.length > 0,
    networkPolicy.jwks !== undefined,
  ];
  // With no range given, the API server may be anywhere.
  const anywhere: PartyName[] = [...everywhere, ...(hasApiServer ? [] : (['apiServer'] as const))];
  const isWorkload = (namespace: string) =>
    mesh.tenancy === undefined || mesh.memberNamespaces.includes(namespace);
  let last = 0;
  const pod = (name: string, labels: Record<string, string>, is: PartyName[], gateway?: string): Place => {
    const [namespace = ''] = name.split('/');
    last++;
    const address = `10.244.0.${last}`;
    return {
      ...{
        name,
        address,
        is: [...anywhere, ...is, ...(isWorkload(namespace) ? (['workloads'] as const) : [])],
      },
      ...(gateway === undefined ? {} : { gateway }),
      pod: {
        metadata: { name, namespace, labels },
        spec: {},
        status: { podIP: address, hostIP: aNode, phase: 'Running' },
      },
    };
  };
  const deployed = (name: string, is: PartyName, gateway?: string): Place[] =>
    objects
      .filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name.startsWith(name))
      .map(({ metadata }) => {
        const { labels } = podTemplateOf(objects, metadata.name).metadata;
        return pod(`${metadata.namespace}/${metadata.name}`, labels, [is], gateway);
      });
  const address = (name: string, text: string, is: PartyName[]): Place => ({
    name,
    address: text,
    is: [...anywhere, ...is],
  });
  return [
    ...deployed('istiod', 'istiod'),
    ...deployed('sidecar-injector', 'injector'),
    ...deployed('istio-ingressgateway', 'ingressGateways', 'istio-ingressgateway'),
    ...deployed('istio-egressgateway', 'egressGateways', 'istio-egressgateway'),
    ...deployed('istio-eastwestgateway', 'eastWestGateways', 'istio-eastwestgateway'),
    pod('shop/cart', { app: 'cart' }, []),
    pod('till/cash', { app: 'cash' }, []),
    pod('bank/vault', { app: 'vault' }, []),
    pod('asking/stranger', { app: 'cart' }, []),
    pod('istio-system/stranger', { app: 'stranger' }, []),
    pod(
      'monitoring/prometheus',
      { app: 'prometheus' },
      networkPolicy.monitoring.length > 0 ? ['monitoring'] : [],
    ),
    pod('kube-system/coredns', { 'k8s-app': 'kube-dns' }, ['dns']),
    pod('kube-system/scheduler', { component: 'scheduler' }, []),
    pod(
      'cert-manager/istio-csr',
      { app: 'istio-csr' },
      mesh.authority.external === undefined ? [] : ['authority'],
    ),
    address('node', aNode, ['node']),
    address('API server', '172.16.0.1', ['apiServer']),
    address('DNS cache', '169.254.20.10', networkPolicy.dns.cidrs.length > 0 ? ['dns'] : []),
    address('virtual machine', '192.168.8.4', networkPolicy.meshCidrs.length > 0 ? ['workloads'] : []),
    address('issuer', '203.0.113.20', hasJwks ? ['issuers'] : []),
    address('client', '198.51.100.20', []),
    address('API server of the west', '198.51.100.31', []),
    address('API server of the north', '198.51.100.32', []),
    address('proxy', '198.51.100.33', []),
    address('istiod elsewhere', '198.51.100.7', mesh.remote === undefined ? [] : ['remoteIstiod']),
  ];
}
