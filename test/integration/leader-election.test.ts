import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { LeaderElection, type LeaderElectionOptions } from '../../src/runtime/leader-election.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { recordingLog } from '../support/recording-log.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

let direct: TestClient;
let namespace: string;
let replicas: Replica[];

beforeAll(async () => {
  const cluster = await sharedCluster();
  direct = testClient(cluster.kubeconfigPath);
});

afterAll(() => direct.connection.close());

beforeEach(async () => {
  namespace = await ownNamespace(direct.client, 'lease');
  replicas = [];
});

afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
});

/** One process that wants to lead, behind a proxy of its own so that it alone can be cut off. */
class Replica {
  readonly identity: string;
  readonly election: LeaderElection;
  /** Says `begin` and `end` of each leadership, with the identity, in the order they happened anywhere. */
  readonly #history: string[];
  readonly #proxy: FaultProxy;
  readonly #parts: TestClient;
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #lastsUntil: Promise<void> = Promise.resolve();

  private constructor(
    identity: string,
    history: string[],
    proxy: FaultProxy,
    options: Partial<LeaderElectionOptions>,
  ) {
    this.identity = identity;
    this.#history = history;
    this.#proxy = proxy;
    this.#parts = testClient(proxy.kubeconfig);
    this.election = new LeaderElection(
      { lease: { namespace, name: 'mesh-operator' }, identity, ...options },
      { client: this.#parts.client, clock: systemClock, log: recordingLog().log, random: Math.random },
    );
  }

  static async start(
    identity: string,
    history: string[],
    options: Partial<LeaderElectionOptions> = {},
  ): Promise<Replica> {
    const cluster = await sharedCluster();
    const proxy = await FaultProxy.start(cluster.kubeconfigPath);
    const replica = new Replica(identity, history, proxy, options);
    replicas.push(replica);
    replica.#ended = replica.election.run(replica.#stop.signal, (signal) => replica.#lead(signal));
    return replica;
  }

  get proxy(): FaultProxy {
    return this.#proxy;
  }

  /** Makes the work go on after its abort until the promise resolves. */
  lingerUntil(promise: Promise<void>): void {
    this.#lastsUntil = promise;
  }

  /** As SIGTERM does; resolves when the lease is released. */
  async shutDown(): Promise<void> {
    this.#stop.abort(new Error('shutdown'));
    await this.#ended;
  }

  async stop(): Promise<void> {
    await this.#proxy.acceptConnections();
    await this.shutDown();
    await this.#parts.connection.close();
    await this.#proxy.stop();
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#history.push(`begin ${this.identity}`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await this.#lastsUntil;
    this.#history.push(`end ${this.identity}`);
  }
}

function untilLeads(replica: Replica): Promise<unknown> {
  return waitUntil({ what: `${replica.identity} leads` }, async () => replica.election.isLeading);
}

async function lease() {
  const object = await direct.client.get(
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'mesh-operator' },
    never,
  );
  return object.spec as Record<string, unknown>;
}

/** Short, for tests that must wait for a lease to expire. */
const short = { leaseDurationMs: 2_000, renewDeadlineMs: 1_200, retryPeriodMs: 300 };

describe('leader election', () => {
  test('lets one of two replicas lead, and writes what other tools read', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history);
    await untilLeads(a);
    const b = await Replica.start('b', history);
    await waitUntil({ what: 'b watches the lease' }, async () => {
      return b.proxy.requestsLike({ isWatch: true, path: /leases/ }).some(({ status }) => status === 200);
    });

    expect(b.election.isLeading).toBe(false);
    expect(history).toEqual(['begin a']);
    expect(await lease()).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: expect.stringMatching(/\.\d{6}Z$/),
    });
  });

  test('hands over at once when the leader stops, long before the lease would expire', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history);
    await untilLeads(a);
    const b = await Replica.start('b', history);
    await waitUntil({ what: 'b watches the lease' }, async () => {
      return b.proxy.requestsLike({ isWatch: true, path: /leases/ }).some(({ status }) => status === 200);
    });

    await a.shutDown();
    await untilLeads(b);

    expect(history).toEqual(['begin a', 'end a', 'begin b']);
    expect(await lease()).toMatchObject({
      holderIdentity: 'b',
      leaseTransitions: 1,
      leaseDurationSeconds: 15,
    });
  });

  test('does not hand over before the work of the old leader has ended', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history, short);
    await untilLeads(a);
    const b = await Replica.start('b', history, short);
    const workEnds = Promise.withResolvers<void>();
    a.lingerUntil(workEnds.promise);
    const renewals = () => a.proxy.requestsLike({ method: 'PATCH', path: /leases/ }).length;
    const before = renewals();

    const stopped = a.shutDown();
    await waitUntil({ what: 'a has renewed for longer than a lease lasts' }, async () => {
      return renewals() >= before + 8;
    });
    expect(history).toEqual(['begin a']);
    workEnds.resolve();
    await stopped;
    await untilLeads(b);

    expect(history).toEqual(['begin a', 'end a', 'begin b']);
  });

  test('ends the work of a leader that cannot reach the API server before another begins', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history, short);
    await untilLeads(a);
    const b = await Replica.start('b', history, short);

    await a.proxy.refuseConnections();
    await untilLeads(b);

    expect(a.election.isLeading).toBe(false);
    expect(history).toEqual(['begin a', 'end a', 'begin b']);
  });

  test('ends the work of a leader whose requests hang before another begins', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history, short);
    await untilLeads(a);
    const b = await Replica.start('b', history, short);

    const held = Array.from({ length: 20 }, () => a.proxy.holdNext({ path: /leases/ }));
    await untilLeads(b);

    expect(history).toEqual(['begin a', 'end a', 'begin b']);
    for (const request of held) request.release();
  });

  test('goes on leading when another writer touches the lease without taking it', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history, short);
    await untilLeads(a);
    const renewTime = (await lease()).renewTime;

    await direct.client.patch(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'mesh-operator' },
      { type: 'merge', merge: { metadata: { labels: { touched: 'yes' } } } },
      { fieldManager: 'test' },
      never,
    );
    const before = a.proxy.requestsLike({ method: 'PATCH', path: /leases/ }).length;
    await waitUntil({ what: 'a has renewed again' }, async () => {
      const renewals = a.proxy.requestsLike({ method: 'PATCH', path: /leases/ });
      return renewals.length > before + 1 && (await lease()).renewTime !== renewTime;
    });

    expect(history).toEqual(['begin a']);
  });

  test('stops leading when another holds the lease', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history, short);
    await untilLeads(a);

    await direct.client.patch(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'mesh-operator' },
      { type: 'merge', merge: { spec: { holderIdentity: 'thief' } } },
      { fieldManager: 'test' },
      never,
    );
    await waitUntil({ what: 'a has noticed' }, async () => history.includes('end a'));
    await untilLeads(a);

    expect(history).toEqual(['begin a', 'end a', 'begin a']);
  });

  test('ends its work when the lease is gone, and leads again with a new one', async () => {
    const history: string[] = [];
    const a = await Replica.start('a', history, short);
    await untilLeads(a);

    await direct.client.delete(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: 'mesh-operator' },
      {},
      never,
    );
    await waitUntil({ what: 'a has begun again' }, async () => history.length === 3);

    expect(history).toEqual(['begin a', 'end a', 'begin a']);
    expect(await lease()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  });
});
