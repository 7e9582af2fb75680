import { parseAddress, parseAddressBlock } from '../../base/address-block.ts';
import type { Problem } from '../problem.ts';

// The schema has checked the form only.

/** A problem where the text at a path is no IP address. */
export function checkAddress(at: string, address: string | undefined): Problem[] {
  return address === undefined || parseAddress(address) !== undefined
    ? []
    : [{ path: at, message: `must be an IP address such as 10.0.0.1, but is ${JSON.stringify(address)}` }];
}

/** A problem for each text of the list at a path that is no range of IP addresses. */
export function checkAddressRanges(at: string, list: readonly (string | undefined)[] | undefined): Problem[] {
  return (list ?? []).flatMap((range, index) =>
    range === undefined || parseAddressBlock(range) !== undefined
      ? []
      : [
          {
            path: `${at}[${index}]`,
            message: `must be a range of IP addresses such as 10.0.0.0/8, but is ${JSON.stringify(range)}`,
          },
        ],
  );
}
