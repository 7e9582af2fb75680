import { controlGroupName, removeControlGroup } from './control-group.ts';
import { disconnectFromHost } from './node-network.ts';
import { descendantsOf, identify, isAlive, killAll, type ProcessIdentity } from './process-identity.ts';
import { type ClusterState, clearRunFolder } from './run-folder.ts';
import { waitUntil } from './wait-until.ts';

/** Ends a cluster, however much of it is left, and removes all it has made on this machine. Idempotent. */
export async function tearDown(state: ClusterState): Promise<void> {
  const roots = [
    ...(state.holder === undefined ? [] : [state.holder.unshare, state.holder.init]),
    ...Object.values(state.supervisors).map(({ shell }) => shell),
  ].filter(isAlive);
  const below = roots
    .flatMap((root) => descendantsOf(root.pid).map(identify))
    .filter((process): process is ProcessIdentity => process !== undefined);
  await killAll(roots);
  await waitUntil(
    { what: `no process of cluster ${state.name} is left`, limitMs: 30_000, intervalMs: 10 },
    async () => below.every((process) => !isAlive(process)),
  );
  if (state.nodes === 'kubelet') {
    await disconnectFromHost(state.plan.index);
    await removeControlGroup(controlGroupName(state.name));
  }
  await clearRunFolder(state.name, state.keepImages ? ['containerd'] : []);
}
