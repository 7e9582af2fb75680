import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { type NodeKind, nodeKinds } from '../cluster/cluster-plan.ts';
import { printProgress } from '../cluster/toolchain/progress.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Unix socket that starts shared clusters: see sharedCluster. */
    sharedClusterSocket: string;
  }
}

/** Where a test needs two of a kind. */
export type WhichCluster = 'one' | 'other';

/**
 * Runs in vitest's own process, which outlives its workers: starts a shared cluster when the first test file
 * asks for one, and ends them all after the last. They also end when vitest is killed.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-'));
  const socket = join(folder, 'shared');
  const clusters = new Map<string, Promise<Cluster>>();
  const server = createServer(({ url = '' }, response) => {
    const [, kind, which] = url.split('/');
    const nodes = nodeKinds.find((known) => known === kind) ?? 'none';
    const name = which === 'other' ? `${project.name}-${nodes}-other` : `${project.name}-${nodes}`;
    const cluster = clusters.get(name) ?? startShared(name, nodes);
    clusters.set(name, cluster);
    cluster.then(
      ({ name }) => response.end(name),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  project.provide('sharedClusterSocket', socket);

  return async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
    for (const started of await Promise.allSettled(clusters.values())) {
      if (started.status === 'fulfilled') await started.value.stop();
    }
  };
}

function startShared(name: string, nodes: NodeKind): Promise<Cluster> {
  return startCluster({ name: `${name}-${process.pid}`, nodes, progress: printProgress });
}
