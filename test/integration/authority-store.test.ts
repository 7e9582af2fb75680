import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { ConflictError } from '../../src/base/errors.ts';
import { AuthorityStore, type StoredAuthority } from '../../src/controllers/trust/authority-store.ts';
import type { AuthorityState } from '../../src/pki/authority-state.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { anAuthority } from '../support/authority-states.ts';
import { recordingLog } from '../support/recording-log.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

const mesh = 'mesh-system';

let direct: TestClient;
let namespace: string;
let stop: AbortController;

beforeAll(async () => {
  direct = testClient((await sharedCluster()).kubeconfigPath);
});

afterAll(() => direct.connection.close());

beforeEach(async () => {
  namespace = await ownNamespace(direct.client, 'store');
  stop = new AbortController();
});

afterEach(() => stop.abort());

/** As each of two processes has its own. */
async function aStore(): Promise<AuthorityStore> {
  const { log } = recordingLog();
  const { client } = direct;
  const store = new AuthorityStore(namespace, { client, log, clock: systemClock, random: Math.random });
  void store.secrets.run(stop.signal);
  await store.secrets.waitForSync(never);
  return store;
}

function seenBy(store: AuthorityStore, state: AuthorityState): Promise<StoredAuthority> {
  return waitUntil({ what: 'the cache to have the authority' }, async () => {
    const reading = store.read(mesh);
    return reading?.state?.roots.current.certPem === state.roots.current.certPem ? reading : undefined;
  });
}

test('writes over the version that a step was decided for', async () => {
  const store = await aStore();
  const [first, second, third] = [anAuthority(), anAuthority(), anAuthority()];

  const version = await store.write(mesh, { state: first, over: undefined }, never);
  const next = await store.write(mesh, { state: second, over: version }, never);
  await store.write(mesh, { state: third, over: next }, never);

  expect(store.read(mesh)?.state).toEqual(third);
});

test('writes nothing over an authority that another process has changed since, even when its cache knows', async () => {
  const [store, other] = [await aStore(), await aStore()];
  const [first, theirs, ours] = [anAuthority(), anAuthority(), anAuthority()];
  await store.write(mesh, { state: first, over: undefined }, never);
  const decidedFor = (await seenBy(store, first)).version;
  await other.write(mesh, { state: theirs, over: (await seenBy(other, first)).version }, never);
  await seenBy(store, theirs);

  const written = store.write(mesh, { state: ours, over: decidedFor }, never);

  await expect(written).rejects.toThrow(ConflictError);
  expect((await seenBy(other, theirs)).state).toEqual(theirs);
});

test('writes no first authority where another process has', async () => {
  const [store, other] = [await aStore(), await aStore()];
  const [theirs, ours] = [anAuthority(), anAuthority()];
  await other.write(mesh, { state: theirs, over: undefined }, never);
  await seenBy(store, theirs);

  const written = store.write(mesh, { state: ours, over: undefined }, never);

  await expect(written).rejects.toThrow(ConflictError);
});
