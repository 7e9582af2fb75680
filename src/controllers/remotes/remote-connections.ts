import type { Clock } from '../../base/clock.ts';
import { stableHash } from '../../base/stable-json.ts';
import type { ApiConnection } from '../../kube/api-connection.ts';
import { KubeClient } from '../../kube/client.ts';
import { isUnauthorized } from '../../kube/errors.ts';
import { connectRemote, type RemoteIdentity } from '../../kube/remote-identity.ts';
import { type CredentialKey, credentialSecretName } from './credential-secret.ts';

interface Opened {
  readonly fingerprint: string;
  readonly connection: ApiConnection;
  readonly client: KubeClient;
}

/** A dead cluster must not hold a pass for long. */
const requestTimeoutMs = 10_000;

/** Clients of other clusters, one for each credential of a mesh, as long as whom we are there stays the same. */
export class RemoteConnections {
  readonly #clock: Clock;
  readonly #opened = new Map<string, Opened>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The client for a cluster; a new one when the identity is another than the last time. */
  to(key: CredentialKey, identity: RemoteIdentity): KubeClient {
    const name = credentialSecretName(key);
    const fingerprint = stableHash(identity);
    const known = this.#opened.get(name);
    if (known?.fingerprint === fingerprint) return known.client;
    this.forget(key);
    const { connection, client } = this.#open(identity);
    this.#opened.set(name, { fingerprint, connection, client });
    return client;
  }

  /** Tries something by a token, over a connection of its own; undefined where the cluster refuses that. */
  async byToken<T>(
    identity: RemoteIdentity,
    token: string,
    attempt: (client: KubeClient) => Promise<T>,
  ): Promise<T | undefined> {
    const { connection, client } = this.#open({ ...identity, credential: { token } });
    try {
      return await attempt(client);
    } catch (error) {
      if (isUnauthorized(error)) return undefined;
      throw error;
    } finally {
      await connection.close();
    }
  }

  /** Whether a cluster refuses a token: not whether its bearer may do everything, which a role says. */
  async refuses(identity: RemoteIdentity, token: string, signal: AbortSignal): Promise<boolean> {
    const right = { verb: 'list', group: '', resource: 'namespaces' };
    const answer = await this.byToken(identity, token, (client) => client.mayI(right, signal));
    return answer === undefined;
  }

  /** Closes what is open for a cluster that nobody needs any more. */
  forget(key: CredentialKey): void {
    const name = credentialSecretName(key);
    void this.#opened.get(name)?.connection.close();
    this.#opened.delete(name);
  }

  #open(identity: RemoteIdentity): Omit<Opened, 'fingerprint'> {
    const connection = connectRemote(identity, this.#clock);
    return { connection, client: new KubeClient({ connection, clock: this.#clock, requestTimeoutMs }) };
  }
}
