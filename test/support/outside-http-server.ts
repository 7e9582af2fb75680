import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cluster } from '../cluster/cluster.ts';

/** A plaintext HTTP server that is no part of a cluster; end it with `close`. */
export interface OutsideHttpServer {
  readonly address: string;
  readonly port: number;
  readonly url: string;
  /** The headers of each request. */
  readonly seen: readonly IncomingHttpHeaders[];
  close(): void;
}

/** Listens on this machine, where pods of the cluster reach it. */
export async function listenOutside({ hostAddress: address }: Cluster): Promise<OutsideHttpServer> {
  const seen: IncomingHttpHeaders[] = [];
  const listener = createServer((request, response) => {
    seen.push(request.headers);
    response.end('outside');
  });
  await new Promise<void>((resolve) => listener.listen(0, address, resolve));
  const { port } = listener.address() as AddressInfo;
  const close = () => {
    listener.closeAllConnections();
    listener.close();
  };
  return { address, port, url: `http://${address}:${port}/`, seen, close };
}
