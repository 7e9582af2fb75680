import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a gateway answered to one HTTP request. */
export interface GatewayAnswer {
  readonly status: number;
  readonly body: string;
}

/** One GET of `/` at a gateway's address, port 80, for this host. Rejects when nothing answers within 5 s. */
export function askGateway(address: string, host: string): Promise<GatewayAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: address,
      port: 80,
      path: '/',
      headers: { host },
      agent: false,
      timeout: 5_000,
    });
    sent.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`${address} gave no answer within 5 s`)));
    sent.end();
  });
}
