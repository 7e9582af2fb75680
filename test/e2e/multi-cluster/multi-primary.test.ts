import { expect, test } from 'vitest';
import type { RemoteIdentity } from '../../../src/kube/remote-identity.ts';
import { askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { callsWhile } from '../../support/calls-while.ts';
import type { JoinedCluster } from '../../support/joined-meshes.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { mayListServices } from '../../support/remote-cluster.ts';
import { scaleServers, shopCaller, shopUrl, untilAnsweredBy } from '../../support/shop-apps.ts';

const callers = [shopCaller];

const both = joinedShop('examples/multi-cluster/multi-primary', 'separate');

test('a service is reached whose endpoints are in the other cluster, over mTLS through its gateway', async () => {
  const answer = await askAppFrom(both.east.cluster, shopCaller, shopUrl);
  expect(answer.name).toBe('server-west');
  expect(clientIdentity(answer)).toBe('spiffe://cluster.local/ns/shop/sa/client');
});

test('no request fails while the token is replaced again and again, and each one before is refused', async () => {
  const { east } = both;
  const before: RemoteIdentity[] = [];
  const outcome = await callsWhile(east.cluster, { callers, what: 'five tokens', further: 10 }, async () => {
    for (let round = 1; round <= 5; round += 1) {
      before.push(await east.readerIn('west'));
      await replaceToken(east, `round-${round}`);
    }
  });
  expect(outcome.failures).toEqual({});
  expect(outcome.ok).toBeGreaterThan(20);
  expect(new Set(before.map(({ credential }) => JSON.stringify(credential))).size).toBe(5);
  for (const identity of before) expect(await mayListServices(identity)).toBe('Unauthorized');
  expect(await mayListServices(await east.readerIn('west'))).toBe(true);
});

test('endpoints of the same region are used first, and the other cluster takes over when they go', async () => {
  const { cluster } = both.east;
  await scaleServers(cluster, 1);
  await untilAnsweredBy(cluster, 'server-east');
  const outcome = await callsWhile(cluster, { callers, what: 'failover', further: 20 }, async () => {
    await scaleServers(cluster, 0);
    await untilAnsweredBy(cluster, 'server-west');
  });
  expect(outcome.failures).toEqual({});
});

/** Returns when istiod uses another token and the one before is refused. */
async function replaceToken(east: JoinedCluster, request: string): Promise<void> {
  const { remotes: [before] = [] } = await east.mesh.status();
  await east.askForTokens(request);
  await east.untilRemote('another token is in use', ({ reason, credential }) => {
    return reason === 'Connected' && credential?.issuedAt !== before?.credential?.issuedAt;
  });
}
