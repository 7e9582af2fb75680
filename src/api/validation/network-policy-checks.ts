import type { Problem } from '../problem.ts';
import { checkAddressRanges } from './address-ranges.ts';
import type { SpecView } from './spec-view.ts';

/** Kubernetes refuses a policy for a range that is none, and one policy of a mesh must not fail for another's setting. */
export function checkNetworkPolicyRanges({ spec }: SpecView): Problem[] {
  const { apiServer, dns, meshCIDRs, jwks } = spec.networkPolicy ?? {};
  const lists = {
    'apiServer.cidrs': apiServer?.cidrs,
    'dns.cidrs': dns?.cidrs,
    meshCIDRs,
    'jwks.cidrs': jwks?.cidrs,
  };
  return Object.entries(lists).flatMap(([name, list]) =>
    checkAddressRanges(`spec.networkPolicy.${name}`, list),
  );
}
