import { afterAll, beforeAll, expect, test } from 'vitest';
import { rotateRemotesAnnotation } from '../../../src/api/labels.ts';
import type { RemoteStatus } from '../../../src/api/mesh-operator-status.ts';
import { trustStatementName } from '../../../src/api/trust-statement-object.ts';
import type { BenchOperator } from '../../bench/bench-operator.ts';
import { never } from '../../bench/cluster-view.ts';
import { MeshOfClusters, namespace } from '../../bench/mesh-of-clusters.ts';
import { isRefused } from '../../bench/plain-connections.ts';
import { waitUntil } from '../../cluster/wait-until.ts';

let world: MeshOfClusters;
let operator: BenchOperator;

beforeAll(async () => {
  world = await MeshOfClusters.start(2, []);
  operator = world.bench.startOperator();
  await world.applyAlone();
});

afterAll(async () => {
  await operator?.stop();
  await world?.stop();
});

const isConnected = ({ state, reason }: RemoteStatus) => state === 'Ready' && reason === 'Connected';

test('a cluster that istiod does not reach while it is given its credential holds up no other', async () => {
  // Nobody listens there; the operator itself gets in.
  await world.apply({ 'remote-0': 'https://127.0.0.1:9' });
  await world.untilRemotes(
    'istiod was given the one that it does not reach',
    ['remote-0'],
    ({ message }) => message?.includes('says') === true,
  );

  await world.untilRemotes('the other one is connected', ['remote-1'], isConnected);
  const before = (await world.readers(['remote-1'])).get('remote-1');
  await world.annotate({ [rotateRemotesAnnotation]: 'now' });
  await waitUntil({ what: 'its old token is refused', intervalMs: 500 }, async () =>
    before === undefined ? false : isRefused(before),
  );
  await world.untilRemotes('it is connected again', ['remote-1'], isConnected);

  await world.untilRemotes(
    'the other one is still waited for',
    ['remote-0'],
    ({ state, reason }) => state === 'Progressing' && reason === 'Delivering',
  );
  expect(await world.readers(['remote-1'])).not.toEqual(new Map([['remote-1', before]]));
});

test('what a complete mesh says of its trust stays as it is', async () => {
  const metadata = { namespace, name: trustStatementName };
  const statement = () => world.bench.client.get({ apiVersion: 'v1', kind: 'ConfigMap', ...metadata }, never);
  await world.untilComplete();
  const { uid } = (await statement()).metadata;

  const generation = await world.change({ meshConfig: { accessLogFile: '/dev/stdout' } });
  await world.untilComplete(generation);

  expect((await statement()).metadata.uid).toBe(uid);
});
