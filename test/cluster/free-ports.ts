import { createServer, type Server } from 'node:net';
import type { ClusterPorts } from './cluster-plan.ts';

/** Ports for a cluster that nobody listens on at this address now, each a different one. */
export async function findFreePorts(address: string): Promise<ClusterPorts> {
  const [etcdClient, etcdPeer, apiServer, controllerManager, scheduler, kwok] = await freePorts(6, address);
  return {
    etcdClient: etcdClient ?? 0,
    etcdPeer: etcdPeer ?? 0,
    apiServer: apiServer ?? 0,
    controllerManager: controllerManager ?? 0,
    scheduler: scheduler ?? 0,
    kwok: kwok ?? 0,
  };
}

/** So many ports that nobody listens on at this address now, each a different one. */
export async function freePorts(count: number, address: string): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(address)));
  const ports = servers.map(portOf);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen(address: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has no port');
  return bound.port;
}
