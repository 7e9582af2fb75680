import { describe, expect, test } from 'vitest';
import { askAppFrom, clientIdentity } from '../../support/app-requests.ts';
import { AskedRotation, authorityOf } from '../../support/asked-rotation.ts';
import { callsBothWays } from '../../support/calls-both-ways.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { readProxyTrust } from '../../support/proxy-trust.ts';
import {
  connectForEachRequest,
  installShop,
  scaleServers,
  shopCaller,
  shopUrl,
  untilAnsweredBy,
} from '../../support/shop-apps.ts';

const callers = [shopCaller];
const client = 'spiffe://cluster.local/ns/shop/sa/client';

describe.each([
  { networks: 'two networks', folder: 'examples/multi-cluster/primary-remote', mode: 'separate' },
  { networks: 'one network', folder: 'examples/multi-cluster/primary-remote-one-network', mode: 'flat' },
] as const)('two clusters with one istiod, in $networks', ({ networks, folder, mode }) => {
  const both = joinedShop(folder, mode);

  test('the one without an istiod has none, and its proxies follow that of the other one', async () => {
    const { west } = both;
    const istiods = await west.cluster.kubectl('get', 'deployments', '-A', '-l', 'app=istiod', '-o', 'name');
    expect(istiods.trim()).toBe('');
    const { gateways = [] } = await both.east.mesh.status();
    expect(await west.addressesOfIstiod()).toEqual(gateways.flatMap(({ addresses }) => addresses));
  });

  test('a workload of the cluster with the istiod calls one of the other over mTLS', async () => {
    const answer = await askAppFrom(both.east.cluster, shopCaller, shopUrl);

    expect(answer.name).toBe('server-west');
    expect(clientIdentity(answer)).toBe(client);
  });

  test('a workload of the cluster without an istiod calls one of the other in the same way', async () => {
    await installShop(both.west, both.east);

    const answer = await askAppFrom(both.west.cluster, shopCaller, shopUrl);

    expect(answer.name).toBe('server-east');
    expect(clientIdentity(answer)).toBe(client);
  });

  test('endpoints of its own region are used first there, and the other cluster takes over when they go', async () => {
    const { cluster } = both.west;
    await scaleServers(cluster, 1);
    await untilAnsweredBy(cluster, 'server-west');
    const what = `failover of a follower in ${networks}`;
    const outcome = await callsWhile(cluster, { callers, what, further: 20 }, async () => {
      await scaleServers(cluster, 0);
      await untilAnsweredBy(cluster, 'server-east');
    });

    expect(outcome.failures).toEqual({});
  });

  test('a rotation of the root waits for the proxies of both, and fails no request in either', async () => {
    const { east, west } = both;
    await east.mesh.change({ certificateAuthority: { rotation: { soak: '0s' } } });
    await east.mesh.until('Ready');
    await connectForEachRequest(east.cluster);
    const before = (await authorityOf(east.mesh)).root.current.fingerprint;
    const rotate = async () => {
      await west.scaleOperator(0);
      const rotation = await AskedRotation.ask(east.mesh, 'root/1');
      await east.mesh.untilStatus('waits for the other cluster', ({ certificateAuthority: authority }) => {
        const waits = authority?.waitingFor?.includes('cluster west has not answered for its proxies yet');
        return authority?.phase === 'Trusting' && waits === true;
      });
      await west.scaleOperator(1);
      await rotation.untilItEnds();
    };

    // The server is in the east, so that each of the two clients meets it there.
    const calls = await callsBothWays(both, `a rotation in ${networks}`, rotate);

    expect(calls.east.failures).toEqual({});
    expect(calls.west.failures).toEqual({});
    const after = (await authorityOf(east.mesh)).root.current.fingerprint;
    expect(after).not.toBe(before);
    for (const { cluster } of both.all) {
      const [trust] = await readProxyTrust(cluster, [{ ...shopCaller, container: 'istio-proxy' }]);
      expect(trust?.roots).toEqual([after]);
    }
  });
});
