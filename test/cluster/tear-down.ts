import { controlGroupName, removeControlGroup } from './control-group.ts';
import { disconnectFromHost } from './node-network.ts';
import {
  commandLine,
  descendantsOf,
  identify,
  isAlive,
  killAll,
  listProcesses,
  type ProcessIdentity,
} from './process-identity.ts';
import { type ClusterState, clearRunFolder, readState, runFolder, withMachineLock } from './run-folder.ts';
import { holdFile } from './supervised-process.ts';
import { waitUntil } from './wait-until.ts';

/**
 * Ends a cluster, however much of it is left, and removes all it has made on this machine. Idempotent.
 * A later cluster of the same name is left alone.
 */
export async function tearDown(state: ClusterState): Promise<void> {
  await killProcesses(state);
  await withMachineLock(() => removeTraces(state));
}

/** The same for a caller that has the machine lock. */
export async function tearDownLocked(state: ClusterState): Promise<void> {
  await killProcesses(state);
  await removeTraces(state);
}

async function killProcesses(state: ClusterState): Promise<void> {
  if (!(await isLatest(state))) return;
  const roots = [
    ...(state.holder === undefined ? [] : [state.holder.unshare, state.holder.init]),
    ...Object.values(state.supervisors).map(({ shell }) => shell),
    ...findStrays(runFolder(state.name)),
  ].filter(isAlive);
  const below = roots
    .flatMap((root) => descendantsOf(root.pid).map(identify))
    .filter((process) => process !== undefined);
  await killAll(roots);
  await waitUntil({ what: `no process of cluster ${state.name} is left`, intervalMs: 10 }, async () =>
    below.every((process) => !isAlive(process)),
  );
}

async function removeTraces(state: ClusterState): Promise<void> {
  if (!(await isLatest(state))) return;
  if (state.nodes === 'kubelet') {
    await disconnectFromHost(state.plan.index);
    await removeControlGroup(controlGroupName(state.name));
  }
  await clearRunFolder(state.name, state.keepImages ? ['containerd'] : []);
}

/** False when someone else has ended it: its name and number may be another cluster's by now. */
async function isLatest({ name, id }: ClusterState): Promise<boolean> {
  return (await readState(name))?.id === id;
}

/** Holders and supervisors that a start was killed over before it could write them down. */
function findStrays(rundir: string): ProcessIdentity[] {
  const marks = [`\0holder\0${rundir}\0`, `\0${holdFile(rundir, '')}`];
  return listProcesses()
    .filter((pid) => marks.some((mark) => commandLine(pid).includes(mark)))
    .map(identify)
    .filter((process) => process !== undefined);
}
