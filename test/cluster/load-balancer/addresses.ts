import type { ObjectMeta } from '../../../src/api/kubernetes-object.ts';

/** What the address giver looks at in a Service. */
export interface BalancedService {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly type?: string;
    readonly loadBalancerIP?: string;
    readonly loadBalancerClass?: string;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** The address that a Service's status should show; undefined: none. */
export interface AddressDecision {
  readonly service: BalancedService;
  readonly address: string | undefined;
  /** Why a Service of type LoadBalancer gets no address. */
  readonly refusal?: string;
}

/**
 * Decides the address of every Service from the first 254 hosts of a /24 such as `10.202.0.0/24`.
 * An address in status stays with its Service for as long as it is wanted; `spec.loadBalancerIP` is given if it is
 * in the range and free, and nothing else is given in its place; the others get the lowest free one, oldest Service
 * first. Services with a `loadBalancerClass` belong to somebody else.
 * @returns only the Services whose status must change, and those refused.
 */
export function decideAddresses(services: readonly BalancedService[], range: string): AddressDecision[] {
  const pool = addressesOf(range);
  const oldestFirst = services.filter(isOurs).sort(byAge);
  const owners = new Map<string, BalancedService>();
  const wanting = oldestFirst.filter(({ spec }) => spec.type === 'LoadBalancer');

  for (const service of wanting) {
    const held = heldAddress(service);
    const isWanted = service.spec.loadBalancerIP === undefined || service.spec.loadBalancerIP === held;
    if (held !== undefined && isWanted && pool.includes(held) && !owners.has(held)) owners.set(held, service);
  }
  const refusals = new Map<BalancedService, string>();
  const served = new Set(owners.values());
  for (const service of wanting.filter((candidate) => !served.has(candidate))) {
    const address = service.spec.loadBalancerIP ?? pool.find((candidate) => !owners.has(candidate));
    const refusal = whyNot(address, pool, owners, range);
    if (address === undefined || refusal !== undefined) refusals.set(service, refusal ?? '');
    else owners.set(address, service);
  }

  const given = new Map([...owners].map(([address, service]) => [service, address]));
  return oldestFirst.flatMap((service) => {
    const address = given.get(service);
    const refusal = refusals.get(service);
    if (refusal !== undefined) return [{ service, address, refusal }];
    return address === heldAddress(service) ? [] : [{ service, address }];
  });
}

/** The one address in the status of a Service; undefined when there is none, or something else. */
export function heldAddress({ status }: BalancedService): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip;
}

function whyNot(
  address: string | undefined,
  pool: readonly string[],
  owners: ReadonlyMap<string, BalancedService>,
  range: string,
): string | undefined {
  if (address === undefined) return `every address of ${range} is taken`;
  if (!pool.includes(address)) return `loadBalancerIP ${address} is not in ${range}`;
  const owner = owners.get(address);
  if (owner === undefined) return undefined;
  return `loadBalancerIP ${address} belongs to Service ${owner.metadata.namespace}/${owner.metadata.name}`;
}

function isOurs({ spec }: BalancedService): boolean {
  return spec.loadBalancerClass === undefined;
}

function byAge(a: BalancedService, b: BalancedService): number {
  return ageKey(a) < ageKey(b) ? -1 : 1;
}

function ageKey({ metadata }: BalancedService): string {
  return [metadata.creationTimestamp ?? '', metadata.namespace ?? '', metadata.name].join(' ');
}

function addressesOf(range: string): string[] {
  const prefix = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(range)?.[1];
  if (prefix === undefined) throw new Error(`The range ${range} must be a /24 such as 10.202.0.0/24`);
  return Array.from({ length: 254 }, (_, index) => `${prefix}.${index + 1}`);
}
