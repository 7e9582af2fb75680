import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from './wait-until.ts';

const mountPoint = '/sys/fs/cgroup';

/** Name of the cluster's control group; kubelet makes those of pods below it, our own servers are in `<name>/sys`. */
export function controlGroupName(clusterName: string): string {
  return `mesh-operator-${clusterName}`;
}

/**
 * Processor time for the whole cluster, against 1024 for each process outside. A node has its processors for itself: with no
 * more than one process gets, pods that ask for little answer nobody while a compiler or many tests run beside them.
 */
const shares = 8192;
/** The same as version 2 counts it, where a process outside has 100. */
const weight = (shares * 100) / 1024;

/** Makes the group in every hierarchy of this machine (version 1 or 2). */
export async function createControlGroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, name);
    await mkdir(join(group, 'sys'), { recursive: true });
    if (hierarchy === mountPoint) {
      for (const parent of [hierarchy, group]) await delegateControllers(parent);
    }
    // Version 1: a cpuset without cpus and memory nodes lets no process in.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (hierarchy === mountPoint || !existsSync(join(hierarchy, file))) continue;
      const value = await readFile(join(hierarchy, file), 'utf8');
      for (const place of [group, join(group, 'sys')]) await writeFile(join(place, file), value);
    }
    for (const [file, value] of [['cpu.shares', shares] as const, ['cpu.weight', weight] as const]) {
      if (existsSync(join(group, file))) await writeFile(join(group, file), String(value));
    }
  }
}

/** Removes the group and all below it; the processes in it must be ending. */
export async function removeControlGroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, name);
    if (!existsSync(group)) continue;
    await waitUntil({ what: `the control group ${group} can be removed` }, async () => {
      for (const folder of await foldersBelow(group)) await rmdir(folder);
      return true; // a group is busy until the kernel has buried its last process
    });
  }
}

/** True when a group of that name is left in any hierarchy. */
export async function hasControlGroup(name: string): Promise<boolean> {
  return (await hierarchies()).some((hierarchy) => existsSync(join(hierarchy, name)));
}

/** Shell lines that put the shell itself into the group's `sys`. */
export async function joinControlGroupScript(name: string): Promise<string> {
  const files = (await hierarchies()).map((hierarchy) => join(hierarchy, name, 'sys', 'cgroup.procs'));
  return files.map((file) => `echo 0 > ${file}`).join('\n');
}

async function hierarchies(): Promise<string[]> {
  if (existsSync(join(mountPoint, 'cgroup.controllers'))) return [mountPoint];
  const entries = await readdir(mountPoint, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(mountPoint, entry.name));
}

async function delegateControllers(group: string): Promise<void> {
  const controllers = (await readFile(join(group, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const wanted = controllers.filter((controller) =>
    ['cpu', 'cpuset', 'memory', 'pids', 'io'].includes(controller),
  );
  const file = join(group, 'cgroup.subtree_control');
  try {
    await writeFile(file, wanted.map((controller) => `+${controller}`).join(' '));
  } catch (error) {
    throw new Error(
      `cannot give controllers to groups below ${group}: a group that has processes of its own, ` +
        'such as the root of a container, may not; run on the machine itself',
      { cause: error },
    );
  }
}

/** The folder and all folders below it, deepest first. */
async function foldersBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => foldersBelow(join(folder, entry.name))),
  );
  return [...below.flat(), folder];
}
