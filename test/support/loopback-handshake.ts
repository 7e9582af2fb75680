import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:tls';

/** What a server on the loopback shows, and what its client trusts. */
export interface Handshake {
  readonly keyPem: string;
  /** Its own certificate first. */
  readonly shown: string;
  readonly trusted: string;
  readonly host: string;
}

/** A real TLS handshake: `verified`, or why the client has refused the server. */
export async function loopbackHandshake({ keyPem, shown, trusted, host }: Handshake): Promise<string> {
  const server = createServer({ key: keyPem, cert: shown });
  server.on('tlsClientError', () => {}); // the client tells why
  try {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return await outcomeOf(server, trusted, host);
  } finally {
    server.close();
  }
}

function outcomeOf(server: Server, ca: string, servername: string): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca }, () => {
      socket.end();
      done('verified');
    });
    socket.once('error', (error) => done(error.message));
  });
}
