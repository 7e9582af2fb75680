import { describe, expect, it } from 'vitest';
import { type BalancedService, decideAddresses } from '../../../cluster/load-balancer/addresses.ts';

const range = '10.202.0.0/24';

interface Row {
  readonly name: string;
  readonly services: readonly BalancedService[];
  /** `<name> <address or none>[: refusal]` of each Service whose status must change or that is refused. */
  readonly decisions: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: 'gives the lowest free addresses, oldest Service first',
    services: [aService('young', { age: 1 }), aService('old', { age: 2 })],
    decisions: ['old 10.202.0.1', 'young 10.202.0.2'],
  },
  {
    name: 'leaves an address with the Service that has it',
    services: [aService('new', { age: 9 }), aService('held', { held: '10.202.0.1' })],
    decisions: ['new 10.202.0.2'],
  },
  {
    name: 'gives a free loadBalancerIP',
    services: [aService('asks', { asks: '10.202.0.77' })],
    decisions: ['asks 10.202.0.77'],
  },
  {
    name: 'moves a Service that asks for another address than it has',
    services: [aService('moves', { held: '10.202.0.1', asks: '10.202.0.5' })],
    decisions: ['moves 10.202.0.5'],
  },
  {
    name: 'gives no address in the place of one that is taken',
    services: [aService('holder', { held: '10.202.0.9', age: 2 }), aService('asks', { asks: '10.202.0.9' })],
    decisions: ['asks none: loadBalancerIP 10.202.0.9 belongs to Service x/holder'],
  },
  {
    name: 'gives no address in the place of one outside the range',
    services: [aService('asks', { asks: '192.0.2.1', held: '10.202.0.3' })],
    decisions: ['asks none: loadBalancerIP 192.0.2.1 is not in 10.202.0.0/24'],
  },
  {
    name: 'takes two Services with one address apart, in favour of the older',
    services: [
      aService('second', { held: '10.202.0.4', age: 1 }),
      aService('first', { held: '10.202.0.4', age: 2 }),
    ],
    decisions: ['second 10.202.0.1'],
  },
  {
    name: 'replaces an address of another range',
    services: [aService('stale', { held: '10.202.7.4' })],
    decisions: ['stale 10.202.0.1'],
  },
  {
    name: 'takes the address from a Service that is no load balancer any more',
    services: [aService('was', { held: '10.202.0.1', type: 'ClusterIP' }), aService('next', {})],
    decisions: ['next 10.202.0.1', 'was none'],
  },
  {
    name: 'leaves alone what has a loadBalancerClass or another type',
    services: [aService('theirs', { class: 'example.org/lb' }), aService('plain', { type: 'ClusterIP' })],
    decisions: [],
  },
  {
    name: 'says so when every address is taken',
    services: [
      ...Array.from({ length: 254 }, (_, index) =>
        aService(`s${index}`, { held: `10.202.0.${index + 1}`, age: 9 }),
      ),
      aService('late', {}),
    ],
    decisions: ['late none: every address of 10.202.0.0/24 is taken'],
  },
];

describe('decideAddresses', () => {
  it.each(rows)('$name', ({ services, decisions }) => {
    const decided = decideAddresses(services, range);

    const texts = decided.map(({ service, address, refusal }) => {
      const place = `${service.metadata.name} ${address ?? 'none'}`;
      return refusal === undefined ? place : `${place}: ${refusal}`;
    });
    expect(texts.sort()).toEqual([...decisions].sort());
  });

  it('has nothing to change once its decisions are in the status', () => {
    const services = [aService('a', {}), aService('b', { asks: '10.202.0.40' }), aService('c', {})];

    const settled = decideAddresses(services, range).map(({ service, address }) => ({
      ...service,
      status: { loadBalancer: { ingress: [{ ip: address ?? '' }] } },
    }));

    expect(decideAddresses(settled, range)).toEqual([]);
  });

  it('refuses a range that is no /24', () => {
    expect(() => decideAddresses([], '10.202.0.0/16')).toThrow('must be a /24');
  });
});

function aService(
  name: string,
  options: { type?: string; held?: string; asks?: string; class?: string; age?: number },
): BalancedService {
  const { type = 'LoadBalancer', held, asks, age = 0 } = options;
  return {
    metadata: { name, namespace: 'x', creationTimestamp: `2026-01-01T00:00:${50 - age}Z` },
    spec: {
      type,
      ...(asks === undefined ? {} : { loadBalancerIP: asks }),
      ...(options.class === undefined ? {} : { loadBalancerClass: options.class }),
    },
    ...(held === undefined ? {} : { status: { loadBalancer: { ingress: [{ ip: held }] } } }),
  };
}
