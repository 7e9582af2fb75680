import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterVersion } from '../../src/kube/cluster-version.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, type TestClient, testClient } from '../support/test-client.ts';

let direct: TestClient;

beforeAll(async () => {
  direct = testClient((await sharedCluster()).kubeconfigPath);
});

afterAll(() => direct.connection.close());

test('the minor version of an API server is read once, for all who ask, and again ten minutes later', async () => {
  const clock = new FakeClock();
  const version = new ClusterVersion({ client: direct.client, clock });

  const answers = await Promise.all([version.minor(never), version.minor(never)]);
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toBeGreaterThanOrEqual(30);
  expect(direct.requests).toHaveLength(1);

  await clock.advance(10 * 60_000 + 1);
  await version.minor(never);
  expect(direct.requests).toHaveLength(2);
});
