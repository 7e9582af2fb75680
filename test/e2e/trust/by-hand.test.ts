import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../../cluster/wait-until.ts';
import { type GivenAuthority, giveToIstiod, makeAuthority } from '../../support/given-authority.ts';
import { MeasuredTraffic, report } from '../../support/measured-traffic.ts';
import { fingerprintsOf } from '../../support/proxy-trust.ts';
import { type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { trustCallers, trustNamespaces } from '../../support/trust-apps.ts';
import { installTrustMesh, untilAllProxies } from '../../support/trust-mesh.ts';

const namespace = 'istio-system';

let real: RealMesh;
let first: GivenAuthority;
let second: GivenAuthority;

beforeAll(async () => {
  first = await makeAuthority('first');
  second = await makeAuthority('second');
  const cluster = await sharedCluster('kubelet');
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
  await giveToIstiod(cluster, namespace, { signer: first, roots: [first] });
  real = await installTrustMesh({ certificateAuthority: { provider: 'Istiod' } });
  await untilTrusted([first], first);
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...trustNamespaces);
});

describe('the apps that rotations are proven with', () => {
  test('verify both certificates for each request', async () => {
    const traffic = await MeasuredTraffic.start(real.cluster);

    const { ok, failures, handshakes } = await traffic.end();

    expect(failures).toEqual({});
    expect(ok).toBeGreaterThanOrEqual(5 * trustCallers.length);
    expect(handshakes.asClient).toBeGreaterThanOrEqual(ok);
    expect(handshakes.asServer).toBeGreaterThanOrEqual(ok);
    expect(handshakes).toMatchObject({ resumed: 0, failed: 0 });
  });

  test('lose no request while a root is replaced in three steps by hand', async () => {
    const traffic = await MeasuredTraffic.start(real.cluster);

    const seconds = new Map([
      ['trust', await step([second, first], first)],
      ['sign', await step([first, second], second)],
      ['distrust', await step([second], second)],
    ]);

    const outcome = await traffic.end();
    report('A root replaced by hand', seconds, outcome);
    expect(outcome.failures).toEqual({});
    expect(outcome.handshakes).toMatchObject({ resumed: 0, failed: 0 });
  });

  test('lose requests while a root is replaced at once', async () => {
    const traffic = await MeasuredTraffic.start(real.cluster);

    await giveToIstiod(real.cluster, namespace, { signer: first, roots: [first] });
    await real.cluster.kubectl('rollout', 'restart', 'deployment/istiod', '-n', namespace);

    await waitUntil({ what: 'requests fail', intervalMs: 1_000 }, async () => {
      const { failures } = await traffic.look();
      return Object.keys(failures).length > 0;
    });
    await untilTrusted([first], first);
    const { failures, handshakes } = await traffic.end();
    expect(Object.keys(failures).every((failure) => failure.endsWith(': status-503'))).toBe(true);
    expect(handshakes.failed).toBeGreaterThan(0);
  });
});

/** Gives a bundle to istiod and says how many seconds passed until all proxies had it. */
async function step(roots: readonly GivenAuthority[], signer: GivenAuthority): Promise<number> {
  const start = performance.now();
  await giveToIstiod(real.cluster, namespace, { signer, roots });
  await untilTrusted(roots, signer);
  return (performance.now() - start) / 1000;
}

function untilTrusted(roots: readonly GivenAuthority[], signer: GivenAuthority): Promise<void> {
  const fingerprint = (pem: string) => fingerprintsOf(pem)[0] ?? '';
  return untilAllProxies(real, {
    roots: roots.map(({ rootPem }) => fingerprint(rootPem)),
    signer: fingerprint(signer.intermediatePem),
  });
}
