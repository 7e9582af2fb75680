import type { CallOutcome } from './call-interval.ts';
import { callsWhile } from './calls-while.ts';
import type { JoinedCluster, JoinedMeshes } from './joined-meshes.ts';
import { shopCaller } from './shop-apps.ts';

/** What became of the requests of the clients of each cluster. */
export interface CallsBothWays {
  readonly east: CallOutcome;
  readonly west: CallOutcome;
}

/** What becomes of the requests of the shop's clients in both clusters while something is done; both must have one. */
export async function callsBothWays(
  { east, west }: JoinedMeshes,
  what: string,
  act: () => Promise<void>,
): Promise<CallsBothWays> {
  const of = ({ name }: JoinedCluster) => ({
    ...{ callers: [shopCaller], what: `${what}, clients of the ${name}`, further: 20 },
  });
  let ofEast: CallOutcome | undefined;
  const ofWest = await callsWhile(west.cluster, of(west), async () => {
    ofEast = await callsWhile(east.cluster, of(east), act);
  });
  return { east: ofEast as CallOutcome, west: ofWest };
}
