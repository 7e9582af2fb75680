import { parseAddressBlock } from '../../base/address-block.ts';
import type { Problem } from '../problem.ts';

/** A problem for each text of the list at a path that is no range of IP addresses; the schema has checked the form only. */
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
