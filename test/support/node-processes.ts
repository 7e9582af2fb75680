import { readFileSync } from 'node:fs';
import type { Cluster } from '../cluster/cluster.ts';
import { controlGroupName } from '../cluster/control-group.ts';
import { commandLine, listProcesses } from '../cluster/process-identity.ts';

/** Pids, as this machine counts, of the processes in pods of a real node whose command has these arguments in a row. */
export function processesInPods(cluster: Cluster, ...words: readonly string[]): number[] {
  const group = `/${controlGroupName(cluster.name)}/kubepods`;
  return listProcesses().filter(
    (pid) => commandLine(pid).includes(`${words.join('\0')}\0`) && controlGroups(pid).includes(group),
  );
}

/** The same, of one pod. */
export function processesOfPod(cluster: Cluster, podUid: string, ...words: readonly string[]): number[] {
  return processesInPods(cluster, ...words).filter((pid) => controlGroups(pid).includes(`/pod${podUid}/`));
}

function controlGroups(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return ''; // ended between two looks
  }
}
