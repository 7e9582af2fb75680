import { request } from 'node:http';
import { inject } from 'vitest';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import type { NodeKind } from '../cluster/cluster-plan.ts';
import type { WhichCluster } from './shared-cluster-setup.ts'; // declares what is injected as well

/**
 * The one cluster of this kind that all test files of the run use, or the other one; started when the first asks for it.
 * A test uses names or namespaces of its own in it, and never stops it. Only in projects whose
 * globalSetup is shared-cluster-setup.ts.
 */
export async function sharedCluster(nodes: NodeKind = 'none', which: WhichCluster = 'one'): Promise<Cluster> {
  return openCluster(await askForName(inject('sharedClusterSocket'), `/${nodes}/${which}`));
}

function askForName(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body))));
    })
      .on('error', reject)
      .end();
  });
}
