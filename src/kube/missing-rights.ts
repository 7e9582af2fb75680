import type { Right } from '../api/right.ts';
import type { UserInfo } from '../api/user-info.ts';
import type { KubeClient } from './client.ts';
import { InFlightLimit } from './in-flight-limit.ts';

/** Questions of one author under way at once, so that others are not kept waiting. */
const maxAtOnce = 16;

/** What administrators of a cluster have: who does needs to be asked nothing else. */
const everything: Right = { verb: '*', group: '*', resource: '*' };

/**
 * Those of `rights` that a user does not have, in their order; empty when all are there. Asks the API server: once for
 * who may do everything, otherwise once more for each right. Throws what the client throws.
 */
export async function missingRights(
  client: KubeClient,
  user: UserInfo,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<readonly Right[]> {
  if (rights.length === 0 || (await client.isAllowed(user, everything, signal))) return [];
  const limit = new InFlightLimit(maxAtOnce);
  const allowed = await Promise.all(
    rights.map((right) => limit.run(signal, () => client.isAllowed(user, right, signal))),
  );
  return rights.filter((_right, index) => !allowed[index]);
}
