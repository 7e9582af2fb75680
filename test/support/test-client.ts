import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { type ApiConnection, openConnection } from '../../src/kube/api-connection.ts';
import { KubeClient, type KubeClientDeps, type RequestReport } from '../../src/kube/client.ts';

/** A client, the connection it stands on, and what it has asked so far. */
export interface TestClient {
  readonly client: KubeClient;
  readonly connection: ApiConnection;
  readonly requests: RequestReport[];
}

/** A signal that is never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** A client of the API server that the kubeconfig names. Close its connection in the end. */
export function testClient(kubeconfig: string, options: Partial<KubeClientDeps> = {}): TestClient {
  const connection = openConnection({ kubeconfig }, systemClock);
  const requests: RequestReport[] = [];
  const client = new KubeClient({
    connection,
    clock: systemClock,
    onRequest: (report) => requests.push(report),
    ...options,
  });
  return { client, connection, requests };
}

/** A name that no other test uses: `<prefix>-<random>`. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

/** Creates a namespace of its own for one test, and returns its name. */
export async function ownNamespace(client: KubeClient, prefix: string): Promise<string> {
  const name = uniqueName(prefix);
  await client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    { fieldManager: 'test' },
    never,
  );
  return name;
}
