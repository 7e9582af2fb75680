import { expect, test } from 'vitest';
import type { ObjectKey } from '../../../../src/api/kubernetes-object.ts';
import type { ResolvedGateway } from '../../../../src/api/resolved-mesh.ts';
import { istiodAddresses } from '../../../../src/controllers/remotes/istiod-addresses.ts';

const istiodPorts = [{ port: 15443 }, { port: 15012 }];

interface Place {
  readonly spec?: object;
  readonly ingress?: readonly object[];
  readonly kind?: ResolvedGateway['kind'];
}

function addressesOf(places: Readonly<Record<string, Place | undefined>>): string[] {
  const gateways = Object.entries(places).map(([name, place]) => ({
    ...{ name, namespace: 'istio-system', kind: place?.kind ?? 'eastWestGateways' },
  })) as ResolvedGateway[];
  return istiodAddresses({ namespace: 'istio-system', revision: '', gateways }, serviceIn(places));
}

function serviceIn(places: Readonly<Record<string, Place | undefined>>) {
  return ({ name }: ObjectKey) => {
    const place = places[name];
    if (place === undefined) return undefined;
    const { spec = {}, ingress = [] } = place;
    return {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: { type: 'LoadBalancer', ports: istiodPorts, ...spec },
      status: { loadBalancer: { ingress } },
    };
  };
}

test('istiod is where load balancers lead to east-west gateways, and at their further addresses, each once', () => {
  const addresses = addressesOf({
    one: { ingress: [{ ip: '192.0.2.7' }, { hostname: 'east.example.com' }] },
    other: { ingress: [{ ip: '192.0.2.7' }], spec: { externalIPs: ['198.51.100.1'] } },
  });

  expect(addresses).toEqual(['192.0.2.7', 'east.example.com', '198.51.100.1']);
});

test.each<{ readonly what: string; readonly place: Place | undefined }>([
  { what: 'that has no Service yet', place: undefined },
  { what: 'whose load balancer has given nothing yet', place: {} },
  {
    what: 'that does not pass istiod on',
    place: { ingress: [{ ip: '192.0.2.7' }], spec: { ports: [{ port: 15443 }] } },
  },
  {
    what: 'that is reached by ports of nodes alone',
    place: { spec: { type: 'NodePort', clusterIP: '10.0.0.1' } },
  },
  { what: 'for clients', place: { ingress: [{ ip: '192.0.2.7' }], kind: 'ingressGateways' } },
])('istiod is not at a gateway $what', ({ place }) => {
  expect(addressesOf({ gateway: place })).toEqual([]);
});

test('an istiod that has another cluster for its own is where its own Service leads', () => {
  const multiCluster = { role: 'Primary', configCluster: 'west', remotes: [] } as const;
  const mesh = { namespace: 'istio-system', revision: 'blue', gateways: [], multiCluster };
  const ports = [{ port: 15012 }];
  const place = { ingress: [{ ip: '192.0.2.8' }], spec: { ports } };

  expect(istiodAddresses(mesh, serviceIn({ 'istiod-blue-external': place, other: place }))).toEqual([
    '192.0.2.8',
  ]);
});
