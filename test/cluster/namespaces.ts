import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { childrenOf, identify, killAll } from './process-identity.ts';
import type { HolderIdentity } from './run-folder.ts';
import { logTail, startDetached } from './supervised-process.ts';
import { waitUntil } from './wait-until.ts';

// bash or dash: it stays and reaps the orphans of its pid namespace.
const holderScript = `
ip link set lo up
mount -t tmpfs tmpfs /run && mkdir -p /run/netns
mount --bind "$1/var-log" /var/log
mount --bind "$1/cni-data" /var/lib/cni
echo 1 > /proc/sys/net/ipv4/ip_forward
touch "$1/namespaces-ready"
trap : TERM
while :; do sleep 1000000 & wait $!; done`;

/**
 * Starts the process that keeps a network, mount and pid namespace of the cluster's own.
 * When it is killed, the kernel ends everything inside.
 */
export async function holdNamespaces(rundir: string, diesWithParent: boolean): Promise<HolderIdentity> {
  for (const folder of ['var-log', 'cni-data', 'logs'])
    await mkdir(join(rundir, folder), { recursive: true });
  await mkdir('/var/lib/cni', { recursive: true });
  await rm(join(rundir, 'namespaces-ready'), { force: true });
  const unshare = await startDetached(
    [
      ...(diesWithParent ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []),
      ...['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--propagation', 'private'],
      ...['--mount-proc', 'sh', '-c', holderScript, 'holder', rundir],
    ],
    join(rundir, 'logs', 'namespaces.log'),
  );
  try {
    return await waitUntil(
      {
        what: 'the namespaces are ready',
        intervalMs: 10,
        explain: () => logTail(rundir, 'namespaces'),
      },
      async () => {
        const child = childrenOf(unshare.pid)[0];
        const init = child === undefined ? undefined : identify(child);
        return init !== undefined && existsSync(join(rundir, 'namespaces-ready'))
          ? { unshare, init }
          : undefined;
      },
    );
  } catch (error) {
    await killAll([unshare]);
    throw error;
  }
}

/** What to put in front of a command so that it runs inside. */
export function enterNamespaces(holder: HolderIdentity): string[] {
  return ['nsenter', '-t', String(holder.init.pid), '-n', '-m', '-p', '--'];
}
