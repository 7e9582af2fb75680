import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RootMaterial } from '../../../src/pki/authority-state.ts';
import { splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { anAuthority } from '../../support/authorities.ts';
import { keyTracesIn } from '../../support/key-traces.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { openssl } from '../../support/openssl.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { RunningSpire, spireConfigMaps } from '../../support/running-spire.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';

const trustDomain = 'shop.example';
const workload = `spiffe://${trustDomain}/ns/shop/sa/cart`;

let world: MeshCluster;
let operator: RunningOperator;
const running: RunningSpire[] = [];

beforeAll(async () => {
  // Nothing runs in it, so there is nobody for a gate to wait for.
  world = await MeshCluster.open('none');
  operator = await world.startOperator();
});

afterAll(async () => {
  for (const spire of running) await spire.remove();
  await world?.close();
});

describe('the roots of a spire-server', () => {
  test('are shown with serial and end as soon as its notifier puts them where it does by default', async () => {
    const mesh = await world.createMesh({
      meshConfig: { trustDomain },
      certificateAuthority: { provider: 'Spire' },
    });
    await mesh.untilReason('TrustHealthy', 'Healthy');
    expect((await mesh.condition('TrustHealthy'))?.message).toContain("SPIRE's own roots are not known");
    await world.createNamespace('spire');

    const spire = await aServer({ namespace: 'spire' });
    const [root = '', ...others] = await untilShown(mesh, spire);

    expect(others).toEqual([]);
    const { serialNumber, fingerprint256, validTo } = new X509Certificate(root);
    const notAfter = new Date(validTo).toISOString();
    const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
    expect((await mesh.status()).trustBundle).toEqual({
      configMap: 'spire/spire-bundle',
      roots: [{ serial: serialNumber.toLowerCase(), fingerprint, notAfter }],
    });
    await mesh.untilReason('TrustHealthy', 'Healthy');
    const { message = '' } = (await mesh.condition('TrustHealthy')) ?? {};
    expect(message).toContain(`SPIRE's roots are valid until ${notAfter}`);
  });

  test('are told from those of the trust domain of the mesh, with the field to set, until that is set', async () => {
    const namespace = await world.ownNamespace('spire');
    await aServer({ namespace });
    const mesh = await aMeshOf(namespace, { trustDomain: 'another.example' });

    await mesh.untilReason('TrustHealthy', 'TrustDomainDiffers');
    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.status).toBe('False');
    expect(condition?.message).toBe(
      `The mesh is in trust domain another.example, but the roots of ConfigMap ${namespace}/spire-bundle are SPIRE's for shop.example, so that workloads refuse each other: set spec.meshConfig.trustDomain to it`,
    );

    await mesh.change({ meshConfig: { trustDomain } });
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });

  test('verify an SVID that it mints, while those of another server of the same name do not', async () => {
    const { mesh, spire } = await aMeshAndItsServer();
    const stranger = await aMeshAndItsServer();

    const svid = await spire.mint(workload);

    await verify(svid, await shownRoots(mesh));
    await expect(verify(svid, await shownRoots(stranger.mesh))).rejects.toThrow('unable to get');
  });

  test('are followed through each step of a rotation, and each step leaves those that verify what it mints', async () => {
    const { mesh, spire } = await aMeshAndItsServer({ writer: 'k8s_configmap' });
    const first = await spire.activeAuthority();
    const [firstRoot = ''] = await untilShown(mesh, spire);
    const early = await spire.mint(workload);

    const second = await spire.prepare();
    const [, secondRoot = ''] = await untilShown(mesh, spire);
    await verify(early, [firstRoot]);
    await verify(await spire.mint(workload), [firstRoot]);

    await spire.turn('activate', second);
    expect(await untilShown(mesh, spire)).toEqual([firstRoot, secondRoot]);
    await verify(early, await shownRoots(mesh));
    await verify(await spire.mint(workload), [secondRoot]);

    await spire.turn('taint', first);
    expect(await untilShown(mesh, spire)).toEqual([firstRoot, secondRoot]);

    await spire.turn('revoke', first);
    expect(await untilShown(mesh, spire)).toEqual([secondRoot]);
    await verify(await spire.mint(workload), await shownRoots(mesh));
    await expect(verify(early, await shownRoots(mesh))).rejects.toThrow('unable to get');
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });

  test('lose the one that is revoked when its notifier writes for the next time', async () => {
    const { mesh, spire } = await aMeshAndItsServer();
    const first = await spire.activeAuthority();
    const [firstRoot = ''] = await untilShown(mesh, spire);
    const second = await spire.prepare();
    const [, secondRoot = ''] = await untilShown(mesh, spire);

    await spire.turn('activate', second);
    await spire.turn('taint', first);
    await spire.turn('revoke', first);
    expect(await spire.roots()).toEqual([secondRoot]);
    await spire.prepare();

    const shown = await untilShown(mesh, spire);
    expect(shown).toHaveLength(2);
    expect(shown).toContain(secondRoot);
    expect(shown).not.toContain(firstRoot);
  });

  test('stay while it is away, for an operator that starts then, too, and are followed when it is back', async () => {
    const { mesh, spire } = await aMeshAndItsServer();
    const [root = ''] = await untilShown(mesh, spire);

    await spire.end();
    await operator.end('SIGKILL');
    operator = await world.startOperator();
    await mesh.change({ meshConfig: { trustDomain: 'another.example' } });
    await mesh.untilReason('TrustHealthy', 'TrustDomainDiffers');
    expect(await shownRoots(mesh)).toEqual([root]);

    await spire.startAgain();
    await spire.prepare();
    const [kept, next, ...others] = await untilShown(mesh, spire);
    expect(kept).toBe(root);
    expect(next).not.toBe(root);
    expect(others).toEqual([]);
  });

  test('tell no trust domain when an authority above it has issued its own, and still verify what it mints', async () => {
    const { root } = await anAuthority();
    const { mesh, spire } = await aMeshAndItsServer({ upstream: root });

    expect(await shownRoots(mesh)).toEqual([root.certPem]);
    const svid = await spire.mint(workload);
    expect(splitCertificates(svid)).toHaveLength(2);
    await verify(svid, await shownRoots(mesh));

    await mesh.change({ meshConfig: { trustDomain: 'another.example' } });
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });
});

test('nothing of the keys of a spire-server is in log, status and events, even when one gets into its ConfigMap', async () => {
  const { mesh, spire } = await aMeshAndItsServer();
  await spire.turn('activate', await spire.prepare());
  const roots = await untilShown(mesh, spire);
  const keys = await spire.keysPem();
  const { configMap = '' } = (await mesh.status()).trustBundle ?? {};
  const [namespace = '', name = ''] = configMap.split('/');
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
  const merge = { data: { 'bundle.crt': [...roots, ...keys].join('') } };

  await world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  await mesh.untilReason('TrustHealthy', 'BundleRefused');
  await mesh.untilEvent('BundleRefused', 'holds a private key');
  const refused = await mesh.read();
  await spire.end();
  await spire.startAgain();
  await mesh.untilReason('TrustHealthy', 'Healthy');

  expect(keys.length).toBeGreaterThanOrEqual(2);
  const said = [operator.log, refused, await mesh.read(), await mesh.events()];
  expect(said.map((part) => keyTracesIn(keys)(JSON.stringify(part)))).toEqual([0, 0, 0, 0]);
});

interface ServerOptions {
  readonly namespace: string;
  readonly upstream?: RootMaterial;
}

async function aServer(options: ServerOptions): Promise<RunningSpire> {
  const spire = await RunningSpire.start(world.cluster, { trustDomain, ...options });
  running.push(spire);
  return spire;
}

/** A mesh that looks for SPIRE's roots in this namespace. */
function aMeshOf(
  namespace: string,
  asked: { readonly trustDomain?: string; readonly writer?: keyof typeof spireConfigMaps } = {},
): Promise<TestMesh> {
  const { writer = 'k8sbundle' } = asked;
  const trustBundle = { namespace, configMapName: spireConfigMaps[writer] };
  return world.createMesh({
    meshConfig: { trustDomain: asked.trustDomain ?? trustDomain },
    certificateAuthority: { provider: 'Spire', spire: { trustBundle } },
  });
}

/** A server of its own and a mesh that shows its roots. */
async function aMeshAndItsServer(
  asked: { readonly upstream?: RootMaterial; readonly writer?: keyof typeof spireConfigMaps } = {},
) {
  const { upstream, writer = 'k8sbundle' } = asked;
  const namespace = await world.ownNamespace('spire');
  const spire = await aServer({ namespace, ...(upstream === undefined ? {} : { upstream }) });
  const mesh = await aMeshOf(namespace, { writer });
  await mesh.untilReason('TrustHealthy', 'Healthy');
  await untilShown(mesh, spire);
  return { mesh, spire };
}

/** Waits until the status shows exactly the roots that the server shows itself, and returns these. */
async function untilShown(mesh: TestMesh, spire: RunningSpire): Promise<string[]> {
  const roots = await spire.roots();
  const expected = roots.map(fingerprintOf);
  await mesh.untilStatus(`shows ${expected.length} roots of SPIRE`, ({ trustBundle }) => {
    const shown = trustBundle?.roots.map(({ fingerprint }) => fingerprint);
    return shown?.join() === expected.join();
  });
  return roots;
}

/** The certificates of the ConfigMap that the status names, of those roots alone that the status shows. */
async function shownRoots(mesh: TestMesh): Promise<string[]> {
  const { configMap = '', roots = [] } = (await mesh.status()).trustBundle ?? {};
  const [namespace = '', name = ''] = configMap.split('/');
  const { data } = await world.client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, never);
  const shown = roots.map(({ fingerprint }) => fingerprint);
  return splitCertificates((data as Record<string, string>)['bundle.crt'] ?? '').filter((certPem) => {
    return shown.includes(fingerprintOf(certPem));
  });
}

function fingerprintOf(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** Has openssl verify an SVID up to these roots. */
async function verify(svid: string, roots: readonly string[]): Promise<void> {
  const files = { 'svid.pem': svid, 'roots.pem': roots.join('') };
  await openssl(
    files,
    'verify',
    '-x509_strict',
    '-CAfile',
    'roots.pem',
    '-untrusted',
    'svid.pem',
    'svid.pem',
  );
}
