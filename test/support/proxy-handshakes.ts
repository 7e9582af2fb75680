import type { Cluster } from '../cluster/cluster.ts';
import { type AppContainer, execIn } from './app-requests.ts';

/** TLS handshakes that Envoys have made since they run, as clients and as servers. */
export interface Handshakes {
  /** Completed ones that were begun as a client. */
  readonly asClient: number;
  readonly asServer: number;
  /** Of the completed ones, those that resumed a session: no certificate was looked at. */
  readonly resumed: number;
  /** Those that ended by an error: `ssl.connection_error` and each `ssl.fail_verify_*`. */
  readonly failed: number;
}

/** The sum of what these proxies have counted. Their stats must include `ssl` (`countedHandshakes`). */
export async function readHandshakes(
  cluster: Cluster,
  proxies: readonly AppContainer[],
): Promise<Handshakes> {
  const question = ['GET', 'stats?usedonly&filter=[.]ssl[.]'];
  const texts = await Promise.all(
    proxies.map((proxy) => execIn(cluster, proxy, 'pilot-agent', 'request', ...question)),
  );
  const stats = texts.flatMap((text) => text.split('\n')).map((line) => line.split(': '));
  const sum = (pattern: RegExp) =>
    stats.filter(([name = '']) => pattern.test(name)).reduce((total, [, value]) => total + Number(value), 0);
  return {
    asClient: sum(/^cluster\..*\.ssl\.handshake$/),
    asServer: sum(/^listener\..*\.ssl\.handshake$/),
    resumed: sum(/\.ssl\.session_reused$/),
    failed: sum(/\.ssl\.(connection_error|fail_verify_\w+)$/),
  };
}

/** Those that were made between two looks. */
export function handshakesBetween(before: Handshakes, after: Handshakes): Handshakes {
  return {
    asClient: after.asClient - before.asClient,
    asServer: after.asServer - before.asServer,
    resumed: after.resumed - before.resumed,
    failed: after.failed - before.failed,
  };
}
