import { expect, test } from 'vitest';
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
  return istiodAddresses({ gateways }, ({ name }) => {
    const place = places[name];
    if (place === undefined) return undefined;
    const { spec = {}, ingress = [] } = place;
    return {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: { type: 'LoadBalancer', ports: istiodPorts, ...spec },
      status: { loadBalancer: { ingress } },
    };
  });
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
