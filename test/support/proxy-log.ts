import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { type AppContainer, execIn } from './app-requests.ts';

/** What the proxy of a workload with one pod has logged, line by line; its own messages are among them. */
export async function proxyLog(cluster: Cluster, { namespace, workload }: AppContainer): Promise<string[]> {
  const log = await cluster.kubectl('logs', '-n', namespace, workload, '-c', 'istio-proxy', '--tail=-1');
  return log.split('\n');
}

/** The same, once the proxy keeps no line back. */
export async function flushedLog(cluster: Cluster, app: AppContainer): Promise<string[]> {
  const proxy = { ...app, container: 'istio-proxy' };
  const stat = 'access_log_file.write_total_buffered';
  await waitUntil({ what: `${app.workload} has written its log` }, async () => {
    const stats = await execIn(cluster, proxy, 'pilot-agent', 'request', 'GET', `stats?filter=${stat}`);
    return !/buffered: [1-9]/.test(stats);
  });
  return proxyLog(cluster, app);
}

/** The lines that are JSON objects. */
export function jsonLines(lines: readonly string[]): Record<string, unknown>[] {
  return lines.flatMap((line) => {
    if (!line.startsWith('{')) return [];
    return [JSON.parse(line) as Record<string, unknown>];
  });
}
