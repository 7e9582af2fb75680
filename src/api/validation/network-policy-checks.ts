import { parseAddressBlock } from '../../base/address-block.ts';
import type { Problem } from '../problem.ts';
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
    (list ?? []).flatMap((range, index) =>
      range === undefined || parseAddressBlock(range) !== undefined
        ? []
        : [
            {
              path: `spec.networkPolicy.${name}[${index}]`,
              message: `must be a range of IP addresses such as 10.0.0.0/8, but is ${JSON.stringify(range)}`,
            },
          ],
    ),
  );
}
