import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyText } from '../../../src/api/kubernetes-object.ts';
import type { CertificateAuthorityStatus } from '../../../src/api/mesh-operator-status.ts';
import type { AppContainer } from '../../support/app-requests.ts';
import { AskedRotation, authorityOf } from '../../support/asked-rotation.ts';
import { freeze } from '../../support/frozen-process.ts';
import { MeasuredTraffic, report } from '../../support/measured-traffic.ts';
import { readProxyTrust } from '../../support/proxy-trust.ts';
import { type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { auditCaller, trustNamespaces, trustProxies } from '../../support/trust-apps.ts';
import { installTrustMesh, podOf, rootsInConfigMaps } from '../../support/trust-mesh.ts';

let real: RealMesh;

beforeAll(async () => {
  real = await installTrustMesh({
    certificateAuthority: { provider: 'SelfSigned', rotation: { soak: '0s' } },
  });
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...trustNamespaces);
});

const requests = [
  { request: 'root/first', kind: 'root', reason: 'Requested' },
  { request: 'root/second', kind: 'root', reason: 'Requested' },
  { request: 'intermediate/first', kind: 'intermediate', reason: 'Requested' },
  { request: 'KeyCompromise/drill', kind: 'root', reason: 'KeyCompromise' },
] as const;

describe('under mTLS with a handshake for each request', () => {
  test.each(requests)(
    '$request fails no request and leaves nothing old',
    async ({ request, kind, reason }) => {
      const before = await authorityOf(real.mesh);
      const traffic = await MeasuredTraffic.start(real.cluster);

      const rotation = await AskedRotation.ask(real.mesh, request);
      const ended = await rotation.untilItEnds();

      const { handshakes, ...calls } = await traffic.end();
      report(request, new Map([['all of it', ended.seconds], ...ended.phases]), calls);
      expect(calls.failures).toEqual({});
      expect(handshakes).toMatchObject({ resumed: 0, failed: 0 });
      expect(ended).toMatchObject({ kind, reason });
      await expectNothingOld(before, kind);
    },
  );
});

describe('a rotation of the root meets a proxy that is frozen', () => {
  test.each([
    { what: 'its agent', command: ['pilot-agent', 'proxy'], callsThrough: true },
    { what: 'its Envoy', command: ['envoy', '-c'], callsThrough: false },
  ])(
    '$what: it names the pod, drops nothing, and goes on when that wakes',
    async ({ what, command, callsThrough }) => {
      const before = await authorityOf(real.mesh);
      const frozen = await podOf(real, auditCaller);
      const traffic = await MeasuredTraffic.start(real.cluster, callsThrough ? undefined : auditCaller);
      const proxy = await freeze(real.cluster, frozen, ...command);

      const rotation = await AskedRotation.ask(real.mesh, `root/${what}`);
      const waiting = await rotation.untilItWaitsFor(`pod ${keyText(frozen)}`);
      const trusted = await readProxyTrust(real.cluster, othersOf(auditCaller));
      proxy.wake();
      const ended = await rotation.untilItEnds();

      const { failures } = await traffic.end();
      expect(failures).toEqual({});
      expect(waiting.phase).toBe('Trusting');
      for (const { roots } of trusted) expect(roots).toContain(before.root.current.fingerprint);
      expect(ended).toMatchObject({ kind: 'root', reason: 'Requested' });
      await expectNothingOld(before, 'root');
    },
  );
});

/** Nothing that was replaced is left in the status, in any proxy, or in any copy of the bundle. */
async function expectNothingOld(
  before: CertificateAuthorityStatus,
  kind: 'root' | 'intermediate',
): Promise<void> {
  const { root, intermediate } = await authorityOf(real.mesh);
  const { fingerprint } = root.current;
  expect(intermediate.current.serial).not.toBe(before.intermediate.current.serial);
  expect(fingerprint === before.root.current.fingerprint).toBe(kind === 'intermediate');
  const proxies = await readProxyTrust(real.cluster, trustProxies);
  expect(proxies).toEqual(
    proxies.map(({ proxy }) => ({ proxy, roots: [fingerprint], signer: intermediate.current.fingerprint })),
  );
  expect(await rootsInConfigMaps(real)).toEqual([fingerprint]);
}

function othersOf({ workload }: AppContainer): AppContainer[] {
  return trustProxies.filter((proxy) => proxy.workload !== workload);
}
