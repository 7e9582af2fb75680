import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';

/** Where a request goes and which certificates it uses. */
export interface ApiEndpoint {
  readonly url: string;
  /** Folder with ca.crt, admin.crt and admin.key. */
  readonly pkiFolder: string;
}

/** An answer of the API server, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** One GET as the cluster's admin; rejects when there is no answer within `timeoutMs`. */
export async function apiGet(endpoint: ApiEndpoint, path: string, timeoutMs = 2_000): Promise<ApiAnswer> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map((file) => readFile(join(endpoint.pkiFolder, file))),
  );
  return new Promise((resolve, reject) => {
    const sent = request(`${endpoint.url}${path}`, { ca, cert, key, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer from ${endpoint.url}${path}`)));
    sent.on('error', reject);
    sent.end();
  });
}
