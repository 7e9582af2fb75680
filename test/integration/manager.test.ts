import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kindInfo } from '../../src/api/kinds.ts';
import { type KubernetesObject, keyText, type ObjectKey } from '../../src/api/kubernetes-object.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Applier } from '../../src/kube/apply/applier.ts';
import { HttpEndpoints } from '../../src/observability/http-endpoints.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { Controller } from '../../src/runtime/controller.ts';
import { Informer } from '../../src/runtime/informer.ts';
import { LeaderElection, type LeaderElectionOptions } from '../../src/runtime/leader-election.ts';
import { Manager } from '../../src/runtime/manager.ts';
import { OperatorProcess } from '../../src/runtime/operator-process.ts';
import type { ReconcileContext, Reconciler } from '../../src/runtime/reconciler.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { recordingLog } from '../support/recording-log.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

let direct: TestClient;
let namespace: string;
let operators: Operator[];

beforeAll(async () => {
  const cluster = await sharedCluster();
  direct = testClient(cluster.kubeconfigPath);
});

afterAll(() => direct.connection.close());

beforeEach(async () => {
  namespace = await ownNamespace(direct.client, 'manager');
  operators = [];
});

afterEach(async () => {
  await Promise.all(operators.map((operator) => operator.stop()));
});

/** Keeps a copy of each ConfigMap labelled `source`, in a ConfigMap named after it. */
class CopyReconciler implements Reconciler {
  readonly #sources: Informer;
  readonly #copies: Informer;
  readonly #applier: Applier;

  constructor(sources: Informer, copies: Informer, applier: Applier) {
    this.#sources = sources;
    this.#copies = copies;
    this.#applier = applier;
  }

  async reconcile(key: ObjectKey, context: ReconcileContext) {
    const source = this.#sources.get(key.namespace, key.name);
    if (source === undefined) return {};
    if (source.metadata.name.startsWith('poison')) throw new Error('poison');
    const copy = copyOf(source);
    await this.#applier.apply(
      copy,
      this.#copies.get(copy.metadata.namespace, copy.metadata.name),
      context.signal,
    );
    return {};
  }
}

function copyOf(source: KubernetesObject): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${source.metadata.name}-copy`,
      namespace: source.metadata.namespace ?? '',
      labels: { role: 'copy' },
    },
    data: source.data,
  };
}

type LeaseTimes = Pick<LeaderElectionOptions, 'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'>;

/** So that nobody has to wait long for the lease of a process that was cut off. */
const shortLease: LeaseTimes = { leaseDurationMs: 4_000, renewDeadlineMs: 3_000, retryPeriodMs: 500 };

/** A whole small operator in this process, behind a proxy of its own. */
class Operator {
  readonly election: LeaderElection;
  readonly health: HttpEndpoints;
  readonly parts: TestClient;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly #proxy: FaultProxy;
  readonly #process: OperatorProcess;
  #ended: Promise<void> = Promise.resolve();

  private constructor(proxy: FaultProxy, identity: string, lease: LeaseTimes) {
    this.#proxy = proxy;
    const { log, lines } = recordingLog();
    this.lines = lines;
    this.parts = testClient(proxy.kubeconfig);
    const { client } = this.parts;
    const deps = { client, clock: systemClock, log, random: Math.random };
    const kind = kindInfo('v1', 'ConfigMap');
    const sources = new Informer({ kind, namespace, labelSelector: 'role=source' }, deps);
    const copies = new Informer({ kind, namespace, labelSelector: 'role=copy' }, deps);
    const applier = new Applier({
      client,
      fieldManager: 'copier',
      onWrite: (object) => copies.observeWrite(object),
    });
    const controller = new Controller(
      { name: 'copy', workers: 2 },
      {
        reconciler: new CopyReconciler(sources, copies, applier),
        ...deps,
        metrics: new Metrics().controller('copy'),
      },
    );
    sources.addHandler(({ key }) => controller.enqueue(parseKey(key)));
    copies.addHandler(({ key }) => controller.enqueue(parseKey(key.replace(/-copy$/, ''))));
    this.election = new LeaderElection({ lease: { namespace, name: 'copier' }, identity, ...lease }, deps);
    this.health = new HttpEndpoints({
      bindAddress: '127.0.0.1:0',
      readyChecks: { caches: () => manager.checkCaches() },
    });
    const manager: Manager = new Manager(
      {},
      {
        clock: systemClock,
        log,
        informers: [sources, copies],
        controllers: [controller],
        leaderElection: this.election,
        endpoints: [this.health],
      },
    );
    this.#process = new OperatorProcess({ manager, log });
  }

  static async start(
    identity: string,
    options: { prepare?: (proxy: FaultProxy) => void; lease?: LeaseTimes } = {},
  ): Promise<Operator> {
    const cluster = await sharedCluster();
    const proxy = await FaultProxy.start(cluster.kubeconfigPath);
    options.prepare?.(proxy);
    const operator = new Operator(proxy, identity, options.lease ?? {});
    operators.push(operator);
    operator.#ended = operator.#process.run();
    return operator;
  }

  get proxy(): FaultProxy {
    return this.#proxy;
  }

  /** As SIGTERM does. */
  async shutDown(): Promise<void> {
    this.#process.stop();
    await this.#ended;
  }

  async stop(): Promise<void> {
    await this.#proxy.acceptConnections();
    await this.shutDown();
    await this.parts.connection.close();
    await this.#proxy.stop();
  }

  async readiness(): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.health.port}/readyz`);
    return { status: response.status, text: (await response.text()).trim() };
  }
}

function parseKey(key: string): ObjectKey {
  const [keyNamespace = '', name = ''] = key.split('/');
  return { namespace: keyNamespace, name };
}

async function writeSource(name: string, data: Record<string, string>): Promise<void> {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { role: 'source' } },
    data,
  };
  await direct.client.apply(object, { fieldManager: 'test', force: true }, never);
}

function idOfCopy(name: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${name}-copy` };
}

async function untilCopied(name: string, data: Record<string, string>): Promise<void> {
  await waitUntil({ what: `${keyText({ namespace, name })} is copied` }, async () => {
    const copy = await direct.client.find(idOfCopy(name), never);
    return JSON.stringify(copy?.data) === JSON.stringify(data);
  });
}

async function untilStandby(operator: Operator): Promise<void> {
  await waitUntil({ what: 'the standby watches the lease and has its caches' }, async () => {
    const watches = operator.proxy.requestsLike({ isWatch: true, path: /leases/ });
    return watches.some(({ status }) => status === 200) && (await operator.readiness()).status === 200;
  });
}

describe('an operator of these parts', () => {
  test('makes what is missing, repairs what drifts, and asks nothing of the API server when nothing changes', async () => {
    for (const name of ['a', 'b', 'c']) await writeSource(name, { v: name });
    const operator = await Operator.start('one');
    for (const name of ['a', 'b', 'c']) await untilCopied(name, { v: name });

    await direct.client.delete(idOfCopy('a'), {}, never);
    await untilCopied('a', { v: 'a' });
    await direct.client.patch(
      idOfCopy('b'),
      { type: 'merge', merge: { data: { v: 'x', w: 'y' } } },
      { fieldManager: 'kubectl-edit' },
      never,
    );
    await untilCopied('b', { v: 'b' });
    await writeSource('c', { v: 'new' });
    await untilCopied('c', { v: 'new' });

    // Three times made; one deletion, one edit (an addition and a change: two writes), one new source.
    const { proxy } = operator;
    expect(proxy.requestsLike({ isWrite: true, path: /configmaps/ })).toHaveLength(3 + 1 + 2 + 1);
    expect(proxy.requestsLike({ isList: true })).toHaveLength(2);
    const reads = proxy.requestsLike({ method: 'GET', isWatch: false, isList: false });
    expect(reads.filter(({ path }) => !path.includes('/leases/'))).toEqual([]);
  });

  test('finds everything in order after a restart, with two lists and no write', async () => {
    await writeSource('a', { v: '1' });
    const first = await Operator.start('one');
    await untilCopied('a', { v: '1' });
    await first.shutDown();

    const second = await Operator.start('two');
    await waitUntil({ what: 'the second has looked at it' }, async () =>
      second.lines.some(({ message, key }) => message === 'Reconciled' && key === `${namespace}/a`),
    );

    expect(second.proxy.requestsLike({ isWrite: true, path: /configmaps/ })).toEqual([]);
    expect(second.proxy.requestsLike({ isList: true })).toHaveLength(2);
  });

  test('hands over to its standby, which has what happened meanwhile in its caches', async () => {
    const first = await Operator.start('one');
    await writeSource('a', { v: '1' });
    await untilCopied('a', { v: '1' });
    const second = await Operator.start('two');
    await untilStandby(second);

    await first.shutDown();
    await writeSource('a', { v: '2' });
    await untilCopied('a', { v: '2' });

    expect(second.election.isLeading).toBe(true);
    expect(second.proxy.requestsLike({ isList: true })).toHaveLength(2);
  });

  test('is not held up by an object that always fails', async () => {
    await writeSource('poison', {});
    const operator = await Operator.start('one');
    await waitUntil({ what: 'the poison has failed' }, async () =>
      operator.lines.some(({ message }) => message === 'Reconcile failed'),
    );

    await writeSource('good', { v: '1' });

    await untilCopied('good', { v: '1' });
  });

  test('says what it waits for until its caches are filled', async () => {
    let release = () => {};
    const operator = await Operator.start('one', {
      prepare: (proxy) => {
        ({ release } = proxy.holdNext({ isList: true }));
      },
    });
    await waitUntil({ what: 'it waits for one kind only' }, async () => {
      const { status, text } = await operator.readiness();
      return status === 503 && text === 'caches: waiting for configmaps';
    });

    release();
    await waitUntil({ what: 'it is ready' }, async () => {
      return (await operator.readiness()).text === 'ok';
    });

    expect(await operator.readiness()).toEqual({ status: 200, text: 'ok' });
  });

  test('loses nothing when requests are refused, watches are dropped and the API server is away', async () => {
    const operator = await Operator.start('one');
    await writeSource('before', { v: '1' });
    await untilCopied('before', { v: '1' });
    const { proxy } = operator;

    proxy.failNext({ isWrite: true, path: /configmaps/ }, { status: 429, retryAfterSeconds: 1 }, 3);
    await writeSource('refused', { v: '1' });
    await untilCopied('refused', { v: '1' });

    proxy.dropWatches({ path: /configmaps/ });
    await writeSource('dropped', { v: '1' });
    await untilCopied('dropped', { v: '1' });

    await proxy.refuseConnections();
    await writeSource('away', { v: '1' });
    await direct.client.delete(idOfCopy('before'), {}, never);
    await waitUntil({ what: 'both informers have tried in vain' }, async () => {
      const failed = operator.parts.requests.filter(({ verb, code }) => verb === 'watch' && code === 'error');
      return failed.length >= 6;
    });
    await proxy.acceptConnections();
    await untilCopied('away', { v: '1' });
    await untilCopied('before', { v: '1' });

    expect(proxy.requestsLike({ isList: true })).toHaveLength(2);
    expect(operator.election.isLeading).toBe(true);
  });

  test('goes on where it was cut off between two writes', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await writeSource(name, { v: name });
    let cut: Promise<void> = Promise.resolve();
    const first = await Operator.start('one', {
      lease: shortLease,
      prepare: (proxy) => {
        const write = { isWrite: true, path: /configmaps/ };
        cut = proxy.nextArrival(write).then(() => proxy.refuseConnections());
      },
    });
    await cut;
    const stopped = first.shutDown();
    await Operator.start('two');
    await stopped;

    for (const name of ['a', 'b', 'c', 'd']) await untilCopied(name, { v: name });
  });
});
