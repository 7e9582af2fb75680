import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AskedRotation, authorityOf } from '../../support/asked-rotation.ts';
import { MeasuredTraffic, report } from '../../support/measured-traffic.ts';
import { readProxyTrust } from '../../support/proxy-trust.ts';
import { type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { trustNamespaces, trustProxies } from '../../support/trust-apps.ts';
import { installTrustMesh, rootsInConfigMaps, untilAllProxies } from '../../support/trust-mesh.ts';

let real: RealMesh;
let istiodsRoot: string;

beforeAll(async () => {
  real = await installTrustMesh({ certificateAuthority: { provider: 'Istiod' } });
  [istiodsRoot = ''] = await rootsInConfigMaps(real);
});

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...trustNamespaces);
});

describe('an authority that istiod has made for itself', () => {
  test('is nobody else’s until the spec says so', async () => {
    const { certificateAuthority } = await real.mesh.status();

    expect(certificateAuthority).toBeUndefined();
    expect(istiodsRoot).not.toBe('');
  });

  test('is adopted, and then replaced, without a failed request', async () => {
    const traffic = await MeasuredTraffic.start(real.cluster);
    const start = performance.now();

    await real.mesh.change({ certificateAuthority: { provider: 'SelfSigned', rotation: { soak: '0s' } } });
    await real.mesh.untilStatus('keeps an authority', ({ certificateAuthority }) => {
      return certificateAuthority !== undefined;
    });
    await real.mesh.until('Ready');
    const adoptedAfter = (performance.now() - start) / 1000;
    const adopted = await authorityOf(real.mesh);
    await untilAllProxies(real, { roots: [istiodsRoot], signer: istiodsRoot });
    const ended = await (await AskedRotation.ask(real.mesh, 'root/adopted')).untilItEnds();

    const { handshakes, ...calls } = await traffic.end();
    const seconds = [['adopted', adoptedAfter], ['replaced', ended.seconds], ...ended.phases] as const;
    report('Adoption', new Map(seconds), calls);
    expect(calls.failures).toEqual({});
    expect(handshakes).toMatchObject({ resumed: 0, failed: 0 });
    expect(adopted.phase).toBe('Stable');
    expect(adopted.root.current.fingerprint).toBe(istiodsRoot);
    expect(adopted.intermediate.current.fingerprint).toBe(istiodsRoot);
    const proxies = await readProxyTrust(real.cluster, trustProxies);
    expect(proxies.filter(({ roots }) => roots.includes(istiodsRoot))).toEqual([]);
    expect(await rootsInConfigMaps(real)).not.toContain(istiodsRoot);
  });
});
