import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestCertificate } from './serving-files.ts';

/** How a client says where it wants to: HTTP's CONNECT, in the clear or not, or SOCKS 5 (RFC 1928). */
export const tunnelProtocols = ['http', 'https', 'socks5'] as const;
export type TunnelProtocol = (typeof tunnelProtocols)[number];

/** A proxy on the way to a server that has another name behind it than anywhere else. */
export interface TunnelProxy {
  /** As `proxyURL` names it. */
  readonly url: string;
  /** `host:port`, as clients have asked for it. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1, and leads whoever asks for anything to the server of this URL. The certificate is for `https`. */
export async function startTunnelProxy(
  protocol: TunnelProtocol,
  target: URL,
  certificate: TestCertificate,
): Promise<TunnelProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const lead = (socket: Socket, place: string, answer: Buffer | string) => {
    asked.push(place);
    const onward = connect(Number(target.port), target.hostname, () => {
      socket.write(answer);
      socket.pipe(onward).pipe(socket);
    });
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
    onward.on('error', () => {});
  };
  const server =
    protocol === 'socks5'
      ? socksServer(lead)
      : connectServer(protocol === 'http' ? createHttpServer() : createHttpsServer(certificate), lead);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${protocol}://127.0.0.1:${port}`,
    asked,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Leads a client to its place, once that has been answered. */
type Lead = (socket: Socket, place: string, answer: Buffer | string) => void;

function connectServer(server: Server, lead: Lead): Server {
  server.on('connect', ({ url = '' }: IncomingMessage, socket: Socket) => {
    lead(socket, url, 'HTTP/1.1 200 OK\r\n\r\n');
  });
  // The client tells why.
  server.on('tlsClientError', () => {});
  return server;
}

const version = 5;
const withoutPassword = Buffer.from([version, 0]);
const granted = Buffer.from([version, 0, 0, 1, 0, 0, 0, 0, 0, 0]);

function socksServer(lead: Lead): Server {
  return createServer((socket) => {
    // Each of the two messages comes whole: a client waits for its answer.
    socket.once('data', () => {
      socket.write(withoutPassword);
      socket.once('data', (request) => lead(socket, placeIn(request), granted));
    });
  });
}

/** `host:port` that a request of SOCKS asks for. */
function placeIn(request: Buffer): string {
  const port = request.readUInt16BE(request.length - 2);
  const isName = request[3] === 3;
  const host = isName ? request.subarray(5, -2).toString() : [...request.subarray(4, -2)].join('.');
  return `${host}:${port}`;
}
