import { beforeAll, expect, test } from 'vitest';
import { AskedRotation, authorityOf } from '../../support/asked-rotation.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { joinedShop } from '../../support/joined-shop.ts';
import { connectForEachRequest, shopCaller } from '../../support/shop-apps.ts';

const both = joinedShop('examples/multi-cluster/multi-primary', 'separate');

beforeAll(async () => {
  for (const { mesh } of both.all) {
    await mesh.change({ certificateAuthority: { rotation: { soak: '0s' } } });
    await mesh.until('Ready');
  }
  await connectForEachRequest(both.east.cluster);
});

test.each(['east', 'west'] as const)(
  'a rotation of the root of %s takes the other cluster along, and fails no request between them',
  async (name) => {
    const { mesh } = both[name];
    const before = await authorityOf(mesh);
    const outcome = await callsWhile(
      both.east.cluster,
      { callers: [shopCaller], what: `root of ${name}`, further: 20 },
      async () => {
        const ended = await (await AskedRotation.ask(mesh, `root/${name}`)).untilItEnds();
        expect(ended.kind).toBe('root');
        for (const one of both.all) await one.untilTrusted();
      },
    );
    expect(outcome.failures).toEqual({});
    const after = await authorityOf(mesh);
    expect(after.root.current.fingerprint).not.toBe(before.root.current.fingerprint);
  },
);
