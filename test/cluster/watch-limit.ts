import { readFile, writeFile } from 'node:fs/promises';

const file = '/proc/sys/fs/inotify/max_user_instances';
const needed = 4_096;

/**
 * Lets the servers of several clusters watch files: each takes some of Linux's inotify instances, an API server or a kubelet
 * six and a sidecar two, and many machines give a user 128 in all. Beyond that containerd and kubelet fail with "too many open
 * files". Only root may raise it; for others it stays as it is.
 */
export async function raiseWatchLimit(): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  if (Number(await readFile(file, 'utf8')) < needed) await writeFile(file, String(needed));
}
