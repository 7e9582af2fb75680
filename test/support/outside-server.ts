import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request that arrived. */
export interface Arrival {
  /** IP address of the one who has connected. */
  readonly from: string;
  /** Without the port. */
  readonly host: string;
  readonly path: string;
}

/** An HTTPS server on this machine, which is no part of the cluster. */
export interface OutsideServer {
  readonly port: number;
  /** In the order in which they came; emptied by whoever wants to count anew. */
  readonly arrivals: Arrival[];
  /** What it answers, by path; `{}` for any other. */
  readonly answers: Map<string, string>;
  close(): void;
}

/** Listens at a free port of this address. */
export async function startOutsideServer(
  address: string,
  certificate: { readonly cert: string; readonly key: string },
): Promise<OutsideServer> {
  const arrivals: Arrival[] = [];
  const answers = new Map<string, string>();
  const server = createServer(certificate, (request, response) => {
    const { host = '' } = request.headers;
    const path = request.url ?? '';
    arrivals.push({ from: request.socket.remoteAddress ?? '', host: host.replace(/:\d+$/, ''), path });
    response.setHeader('content-type', 'application/json');
    response.end(answers.get(path) ?? '{}');
  });
  server.on('tlsClientError', () => {}); // the client tells why
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    arrivals,
    answers,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
