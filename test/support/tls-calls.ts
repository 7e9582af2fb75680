import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** Requests by TLS from this machine, as one client makes them. */
export interface TlsCaller {
  readonly address: string;
  readonly port: number;
  /** Name of the server, in the handshake and in the request. */
  readonly host: string;
  /** What it trusts; PEM. */
  readonly ca: string;
  /** Its own certificate with its chain; PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** URI that the server's certificate must have, instead of the name. */
  readonly serverUri?: string;
  /** The only version that it speaks. */
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** The only cipher suite of TLS 1.2 that it knows, by its OpenSSL name. Default: many. */
  readonly cipherSuite?: string;
}

/**
 * How many GETs of `/`, each on a connection of its own, end how: `TLSv1.3 200`, with a cipher suite given
 * `TLSv1.2 AES128-SHA 200`, `alert 70` by the number of the server's alert, or the message of another error.
 */
export async function tlsOutcomes(caller: TlsCaller, times: number): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (let call = 0; call < times; call++) {
    const outcome = await tlsOutcome(caller);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

function tlsOutcome(caller: TlsCaller): Promise<string> {
  const { address, port, host, ca, cert, key, serverUri, version, cipherSuite } = caller;
  return new Promise((resolve) => {
    const sent = request({
      ...{ host: address, port, servername: host, headers: { host }, agent: false, timeout: 10_000 },
      ...{ ca, cert, key, minVersion: version, maxVersion: version, ciphers: cipherSuite },
      // What sidecars say in their handshakes (Istio pilot/pkg/networking/util, ALPNInMesh), and HTTP/1.1.
      ...(cert === undefined ? {} : { ALPNProtocols: ['istio', 'http/1.1'] }),
      ...(serverUri === undefined
        ? {}
        : {
            checkServerIdentity: (_name: string, { subjectaltname = '' }) =>
              subjectaltname === `URI:${serverUri}` ? undefined : new Error(`It is ${subjectaltname}`),
          }),
    });
    sent.on('response', (response) => {
      const socket = response.socket as TLSSocket;
      const suite = cipherSuite === undefined ? [] : [socket.getCipher().name];
      response.resume();
      response.on('end', () => resolve([socket.getProtocol(), ...suite, response.statusCode].join(' ')));
    });
    sent.on('error', ({ message }) => {
      const alert = /SSL alert number (\d+)/.exec(message)?.[1];
      resolve(alert === undefined ? message : `alert ${alert}`);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within 10 s`)));
    sent.end();
  });
}
