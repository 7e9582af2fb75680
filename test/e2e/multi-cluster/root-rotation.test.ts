import { beforeAll, describe, expect, test } from 'vitest';
import { ApiServerOutage, outagesTimeoutMs } from '../../support/api-server-outage.ts';
import { AskedRotation, authorityOf } from '../../support/asked-rotation.ts';
import { callsBothWays } from '../../support/calls-both-ways.ts';
import { countedHandshakes } from '../../support/handshake-for-each-request.ts';
import type { JoinedCluster } from '../../support/joined-meshes.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { handshakesBetween, readHandshakes } from '../../support/proxy-handshakes.ts';
import { readProxyTrust } from '../../support/proxy-trust.ts';
import { SettledProxies } from '../../support/settled-proxies.ts';
import { connectForEachRequest, installShop, shopProxies } from '../../support/shop-apps.ts';

const phases = ['Trusting', 'Signing', 'Distrusting'] as const;

const both = joinedShop('examples/multi-cluster/multi-primary', 'separate', {
  spec: { ...countedHandshakes, certificateAuthority: { rotation: { soak: '0s' } } },
});

beforeAll(async () => {
  const { east, west } = both;
  await installShop(west, east, 'other-server');
  await connectForEachRequest(east.cluster, 'server');
  await connectForEachRequest(west.cluster, 'other-server');
  // So that it has not answered yet when its API server goes, however soon everybody there has followed.
  await west.mesh.change({ certificateAuthority: { rotation: { soak: '5s' } } });
  await west.mesh.until('Ready');
  for (const { cluster, proxies } of shops()) await new SettledProxies(cluster, proxies, []).wait();
});

describe('a rotation of the root of one cluster takes the other along, and fails no request between them', () => {
  test.each(['east', 'west'] as const)('of %s', async (name) => {
    await expectNoFailure(both[name], `root of ${name}`, async () => {
      const ended = await (await AskedRotation.ask(both[name].mesh, `root/${name}`)).untilItEnds();
      expect(ended.kind).toBe('root');
    });
  });

  test.each([
    { from: 'Trusting', heldIn: 'Trusting' },
    // Whoever was seen to trust the next root is not needed before the previous one goes.
    { from: 'Signing', heldIn: 'Distrusting' },
    { from: 'Distrusting', heldIn: 'Distrusting' },
  ] as const)(
    'held in $heldIn while the API server of the other is away from $from on',
    { timeout: outagesTimeoutMs(1) },
    async ({ from, heldIn }) => {
      const { east, west } = both;
      const outage = new ApiServerOutage(west.cluster);
      await expectNoFailure(east, `other API server away from ${from} on`, async () => {
        const rotation = await AskedRotation.ask(east.mesh, `root/away-from-${from}`);
        await rotation.untilPhase(from);
        await outage.begin();
        await east.askForTokens(`away-from-${from}`);
        const waiting = await rotation.untilItWaitsFor('cluster west cannot be reached since');
        await outage.hold();
        const held = await authorityOf(east.mesh);
        await outage.end();
        await rotation.untilItEnds();

        expect(waiting.phase).toBe(heldIn);
        expect(held).toMatchObject({
          phase: heldIn,
          rotation: { phaseSince: waiting.rotation?.phaseSince },
          waitingFor: waiting.waitingFor,
        });
        await east.untilConnected();
      });
    },
  );

  test('while its own API server is away in each phase', { timeout: outagesTimeoutMs(3) }, async () => {
    const { west } = both;
    const outage = new ApiServerOutage(west.cluster);
    await expectNoFailure(west, 'own API server away in each phase', async () => {
      const rotation = await AskedRotation.ask(west.mesh, 'root/without-own-server');
      for (const phase of phases) {
        await rotation.untilPhase(phase);
        await outage.begin();
        await outage.hold();
        await outage.end();
      }
      await rotation.untilItEnds();
      for (const one of both.all) await one.untilConnected();
    });
  });
});

/** The root of a cluster is replaced by another one, which both hold then, and no request or handshake fails either way meanwhile. */
async function expectNoFailure(
  { mesh }: JoinedCluster,
  what: string,
  rotate: () => Promise<void>,
): Promise<void> {
  const before = await authorityOf(mesh);
  const look = () => Promise.all(shops().map(({ cluster, proxies }) => readHandshakes(cluster, proxies)));

  const first = await look();
  const calls = await callsBothWays(both, what, async () => {
    await rotate();
    for (const one of both.all) await one.untilTrusted();
  });
  const last = await look();

  expect([calls.east.failures, calls.west.failures]).toEqual([{}, {}]);
  const made = first.map((handshakes, index) => handshakesBetween(handshakes, last[index] ?? handshakes));
  for (const handshakes of made) expect(handshakes).toMatchObject({ resumed: 0, failed: 0 });
  expect(made[0]?.asClient).toBeGreaterThanOrEqual(calls.east.ok);
  expect(made[1]?.asClient).toBeGreaterThanOrEqual(calls.west.ok);

  const authorities = await Promise.all(both.all.map((one) => authorityOf(one.mesh)));
  const roots = authorities.map(({ root }) => root.current.fingerprint).toSorted();
  expect(roots).not.toContain(before.root.current.fingerprint);
  for (const { cluster, proxies } of shops()) {
    for (const trust of await readProxyTrust(cluster, proxies)) expect(trust.roots).toEqual(roots);
  }
}

/** The proxies of clients and servers in each cluster. */
function shops() {
  const { east, west } = both;
  return [
    { cluster: east.cluster, proxies: shopProxies('other-server') },
    { cluster: west.cluster, proxies: shopProxies('server') },
  ];
}
