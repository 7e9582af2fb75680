import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { ClusterPlan, NodeKind } from './cluster-plan.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import { cacheRoot } from './toolchain/cache-folder.ts';
import { waitUntil } from './wait-until.ts';

/** What is written about a cluster, so that any other process can find, use and stop it. */
export interface ClusterState {
  readonly name: string;
  /** Tells this cluster from earlier and later ones of the same name. */
  readonly id: string;
  readonly nodes: NodeKind;
  readonly plan: ClusterPlan;
  /** The process that starts it; while it lives and nothing else does, the cluster is being started. */
  readonly starter: ProcessIdentity;
  /** True when the cluster ends with its starter. */
  readonly diesWithParent: boolean;
  /** Keep container images when it stops. */
  readonly keepImages: boolean;
  readonly audit: boolean;
  /** True once it has been started completely. */
  readonly ready: boolean;
  /** Holder of the namespaces, of a cluster with a real node. */
  readonly holder?: HolderIdentity;
  /** Supervising shells of the servers, by name. */
  readonly supervisors: Readonly<Record<string, SupervisorRecord>>;
}

/** The two processes that keep a cluster's namespaces. */
export interface HolderIdentity {
  /** `unshare` itself: killing it ends everything inside. */
  readonly unshare: ProcessIdentity;
  /** The first process inside, as seen from outside. */
  readonly init: ProcessIdentity;
}

/** What runs a server, and which program it is. */
export interface SupervisorRecord {
  readonly shell: ProcessIdentity;
  readonly program: string;
}

/** Folder of one cluster; throws when the name would not do as a file, host and cgroup name. */
export function runFolder(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name)) {
    throw new Error(
      `cluster name "${name}" is not usable: lower-case letters, digits and "-", starting with a letter, at most 41`,
    );
  }
  return join(clustersFolder(), name);
}

/** What is written about the cluster of that name; undefined when there is nothing. */
export async function readState(name: string): Promise<ClusterState | undefined> {
  const file = stateFile(name);
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as ClusterState) : undefined;
}

/** Replaces what is written about a cluster; readers see the old or the new text, never half of one. */
export async function writeState(state: ClusterState): Promise<void> {
  await mkdir(runFolder(state.name), { recursive: true, mode: 0o700 });
  const partial = `${stateFile(state.name)}.${process.pid}`;
  await writeFile(partial, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  await rename(partial, stateFile(state.name));
}

/** Forgets the cluster and deletes its files, except those named. */
export async function clearRunFolder(name: string, keep: readonly string[]): Promise<void> {
  const folder = runFolder(name);
  if (!existsSync(folder)) return;
  for (const entry of await readdir(folder)) {
    if (!keep.includes(entry)) await rm(join(folder, entry), { recursive: true, force: true, maxRetries: 5 });
  }
  if (keep.length === 0) await rm(folder, { recursive: true, force: true });
}

/** Every cluster that something is written about, running or not, by name. */
export async function readStates(): Promise<ClusterState[]> {
  if (!existsSync(clustersFolder())) return [];
  const states = await Promise.all((await readdir(clustersFolder())).sort().map((name) => readState(name)));
  return states.filter((state) => state !== undefined);
}

/** True while a process of the cluster lives. */
export function isRunning(state: ClusterState): boolean {
  if (state.holder !== undefined) return isAlive(state.holder.unshare);
  return Object.values(state.supervisors).some(({ shell }) => isAlive(shell));
}

/** True while the cluster runs or someone is starting it: its number is taken. */
export function isTaken(state: ClusterState): boolean {
  return isRunning(state) || (!state.ready && isAlive(state.starter));
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  const own = identify(process.pid);
  if (own === undefined) throw new Error('/proc does not show this process: local clusters need Linux');
  return own;
}

/** Runs `work` while no other process of this user does; the kernel gives the lock back if this one is killed. */
export async function withMachineLock<T>(work: () => Promise<T>): Promise<T> {
  const lock = await waitUntil({ what: 'no other cluster is taking its number' }, takeLock);
  try {
    return await work();
  } finally {
    await new Promise((resolve) => lock.close(resolve));
  }
}

async function takeLock(): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    // An abstract unix socket: a name only, without a file that could outlive its process.
    server.listen({ path: `\0mesh-operator-clusters-${process.getuid?.() ?? 0}` }, () => resolve(server));
  });
}

function clustersFolder(): string {
  return join(cacheRoot(), 'clusters');
}

function stateFile(name: string): string {
  return join(runFolder(name), 'state.json');
}
