import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { keyText } from '../../../src/api/kubernetes-object.ts';
import { authorityLabel } from '../../../src/api/labels.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { issueIntermediate } from '../../../src/pki/authority-certificates.ts';
import type { AuthorityState } from '../../../src/pki/authority-state.ts';
import { factsOf, splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import { generateKeyPair } from '../../../src/pki/key-pair.ts';
import { beginRotation } from '../../../src/pki/rotation-steps.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { requestText } from '../../support/audit-log.ts';
import { type Authority, anAuthority, authorityFiles } from '../../support/authorities.ts';
import { istiodPodIn, runIstiodPod } from '../../support/istiod-pod.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { ObjectHistory } from '../../support/object-history.ts';
import { openssl } from '../../support/openssl.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import {
  authorityDigests,
  digestsOf,
  isKeyOf,
  TrustSecrets,
  verifyFiles,
} from '../../support/trust-secrets.ts';

type AuthoritySpec = NonNullable<MeshOperatorSpec['certificateAuthority']>;

/** A mesh and the Secrets of its namespace. */
interface Subject {
  readonly mesh: TestMesh;
  readonly secrets: TrustSecrets;
}

const day = 24 * 3_600_000;
const without = { rotation: { soak: '0s' } } as const;
const pluggedIn = { ...without, provider: 'PluggedIn', pluggedIn: { secretName: 'mine' } } as const;

let world: MeshCluster;
let operator: RunningOperator;

beforeAll(async () => {
  // Nothing runs in it, so there is nobody for a gate to wait for.
  world = await MeshCluster.open('none');
  operator = await world.startOperator();
});

afterAll(() => world?.close());

describe('a new mesh', () => {
  test('gets an authority in the namespace of the operator, and what istiod signs with in its own', async () => {
    const { mesh, secrets } = await aHealthyMesh();

    const { phase, roots, intermediates } = await secrets.authority();
    const files = await secrets.files();
    expect(phase).toBe('Stable');
    expect(digestsOf(files)).toEqual(
      digestsOf({
        'ca-cert.pem': intermediates.current.certPem,
        'ca-key.pem': intermediates.current.keyPem,
        'cert-chain.pem': intermediates.current.certPem,
        'root-cert.pem': roots.current.certPem,
      }),
    );
    await verifyFiles(files);
    await mesh.untilEvent('AuthorityCreated');
    expect((await mesh.status()).certificateAuthority).toMatchObject({
      phase: 'Stable',
      root: { current: { fingerprint: factsOf(roots.current.certPem).fingerprint } },
      intermediate: { current: { fingerprint: factsOf(intermediates.current.certPem).fingerprint } },
    });
  });

  test('has the key of its root in no Secret of its namespace', async () => {
    const { secrets } = await aHealthyMesh();

    const { roots, intermediates } = await secrets.authority();
    const keys = await secrets.keysIn(secrets.namespace);
    expect(keys.some((key) => isKeyOf(key, intermediates.current.certPem))).toBe(true);
    expect(keys.some((key) => isKeyOf(key, roots.current.certPem))).toBe(false);
    expect(isKeyOf(roots.current.keyPem ?? '', roots.current.certPem)).toBe(true);
  });

  test('takes what it is made of from its spec', async () => {
    const { secrets } = await aHealthyMesh({
      ...without,
      root: { algorithm: 'ECDSA-P384', lifetime: '17520h' },
      intermediate: { algorithm: 'RSA-2048', lifetime: '720h' },
    });

    const files = await secrets.files();
    const about = (name: string) => openssl(files, 'x509', '-in', name, '-noout', '-text');
    expect(await about('root-cert.pem')).toContain('NIST CURVE: P-384');
    expect(await about('ca-cert.pem')).toContain('Public-Key: (2048 bit)');
    const leftMs = (name: string) => factsOf(files[name] ?? '').notAfter.getTime() - Date.now();
    expect(Math.ceil(leftMs('root-cert.pem') / day)).toBe(730);
    expect(Math.ceil(leftMs('ca-cert.pem') / day)).toBe(30);
  });
});

test('a Stable authority costs no request, whatever wakes its mesh', async () => {
  const { mesh, secrets } = await aHealthyMesh();
  await mesh.untilStatus('waits for istiod, for which nobody makes a pod', ({ conditions = [] }) =>
    conditions.some(({ type, message }) => type === 'Ready' && message.includes('deployment controller')),
  );
  const key = keyText(mesh.key);
  const before = operator.logged('Reconciled', { controller: 'trust', key }).length;
  await world.audit.restart();

  const merge = { metadata: { annotations: { note: 'somebody was here' } } };
  await world.client.patch(secrets.cacertsId, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  await world.client.patch(secrets.authorityId, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  await operator.untilLogged('Reconciled', { controller: 'trust', key }, { times: before + 1 });

  const requests = await world.audit.requestsOf(world.access.user);
  const own = [secrets.authorityId.name, secrets.namespace];
  const ofTheMesh = requests.filter(
    ({ name = '', namespace = '' }) => own.includes(name) || own.includes(namespace),
  );
  expect(ofTheMesh.map(requestText)).toEqual([]);
});

describe('a rotation that is asked for', () => {
  test('of the root ends with another root and intermediate, and each phase is told', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    const before = await secrets.authority();

    await mesh.askFor('root/1');
    const status = await untilRotated(mesh);

    const after = await secrets.authority();
    expect([after.phase, after.answeredRequest]).toEqual(['Stable', 'root/1']);
    expect(Object.keys(after.roots)).toEqual(['current']);
    expect(Object.keys(after.intermediates)).toEqual(['current']);
    expect(after.roots.current.certPem).not.toBe(before.roots.current.certPem);
    expect(after.intermediates.current.certPem).not.toBe(before.intermediates.current.certPem);
    await expectFiles(secrets, { ...istioBundleOf(after) });
    await verifyFiles(await secrets.files());
    expect(status).toMatchObject({
      phase: 'Stable',
      root: { current: { fingerprint: factsOf(after.roots.current.certPem).fingerprint } },
      intermediate: { current: { fingerprint: factsOf(after.intermediates.current.certPem).fingerprint } },
      lastRotation: { kind: 'root', reason: 'Requested' },
    });
    expect(status?.rotation).toBeUndefined();
    await mesh.untilEvent('RotationStarted', 'root, Requested', 'Trusting');
    await mesh.untilEvent('RotationAdvanced', 'root, Requested', 'Signing');
    await mesh.untilEvent('RotationAdvanced', 'root, Requested', 'Distrusting');
    await mesh.untilEvent('RotationFinished', 'root has ended');
  });

  test('of the intermediate keeps the root', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    const before = await secrets.authority();

    await mesh.askFor('intermediate/1');
    const status = await untilRotated(mesh);

    const after = await secrets.authority();
    expect(after.roots.current.certPem).toBe(before.roots.current.certPem);
    expect(after.intermediates.current.certPem).not.toBe(before.intermediates.current.certPem);
    await verifyFiles(await secrets.files());
    expect(status?.lastRotation).toMatchObject({ kind: 'intermediate', reason: 'Requested' });
  });

  test('is done once for one text, and again for another', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    await mesh.askFor('intermediate/1');
    await untilRotated(mesh);
    const first = await secrets.authority();

    await mesh.askFor('not-this/1');
    await mesh.untilReason('TrustHealthy', 'UnknownRequest');
    await mesh.askFor('intermediate/1');
    await mesh.untilReason('TrustHealthy', 'Healthy');
    await expectAuthority(secrets, first);

    await mesh.askFor('intermediate/2');
    await waitUntil({ what: 'the second request is answered' }, async () => {
      const { phase, answeredRequest } = await secrets.authority();
      return phase === 'Stable' && answeredRequest === 'intermediate/2';
    });
    const second = await secrets.authority();
    expect(second.intermediates.current.certPem).not.toBe(first.intermediates.current.certPem);
    for (const { intermediates } of [first, second]) {
      await mesh.untilEvent('RotationStarted', factsOf(intermediates.current.certPem).serial);
      await mesh.untilEvent('RotationFinished', factsOf(intermediates.current.certPem).serial);
    }
  });

  test('that nobody knows is told, and nothing happens', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    const before = await secrets.authority();

    await mesh.askFor('everything');
    await mesh.untilReason('TrustHealthy', 'UnknownRequest');

    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.status).toBe('False');
    expect(condition?.message).toContain('meshoperator.dev/rotate');
    expect(condition?.message).toContain('"everything"');
    await expectAuthority(secrets, before);
  });
});

test('kubelets are told again and again of what istiod was not seen to have loaded', async () => {
  const { mesh, secrets } = await aHealthyMesh();
  await runIstiodPod(world.client, mesh.key);
  onTestFinished(() => world.client.delete(istiodPodIn(secrets.namespace), {}, never));
  const history = await ObjectHistory.follow(world.client, istiodPodIn(secrets.namespace));
  onTestFinished(() => history.stop());
  const told = async () => {
    const versions = await history.upToDate();
    return new Set(versions.map(({ metadata }) => metadata.annotations?.['meshoperator.dev/trust-bundle']));
  };

  // No kubelet lets anybody ask what istiod has loaded.
  await mesh.askFor('root/1');
  await waitUntil({ what: 'kubelet is told three times' }, async () => (await told()).size > 3);
  expect((await mesh.status()).certificateAuthority).toMatchObject({ phase: 'Trusting' });
});

describe('what somebody does to the Secrets', () => {
  test('cacerts comes back as it was when it is deleted', async () => {
    const { secrets } = await aHealthyMesh();
    const before = await secrets.files();

    await secrets.delete(secrets.cacertsId);

    await untilFiles(secrets, before);
  });

  test('cacerts comes back as it was when it is edited', async () => {
    const { secrets } = await aHealthyMesh();
    const before = await secrets.files();
    const other = await anAuthority();

    await secrets.edit(secrets.cacertsId, { 'root-cert.pem': other.root.certPem, 'ca-key.pem': 'nonsense' });

    await untilFiles(secrets, before);
  });

  test.each([
    ['a key that is none', { 'intermediate-current.key': 'nonsense' }, 'intermediate-current'],
    ['a state that is none', { 'state.json': '{' }, 'state.json'],
    ['an empty root', { 'root-current.crt': '' }, 'root-current.crt'],
  ])('an authority with %s changes nothing, until it is restored', async (_what, edit, named) => {
    const { mesh, secrets } = await aHealthyMesh();
    const before = await secrets.authority();
    const published = await secrets.cacerts();

    await secrets.edit(secrets.authorityId, edit);
    await mesh.untilReason('TrustHealthy', 'AuthorityUnusable');
    expect((await mesh.condition('TrustHealthy'))?.message).toContain(named);
    expect((await secrets.cacerts()).metadata.resourceVersion).toBe(published.metadata.resourceVersion);

    await secrets.plant(before);
    await mesh.untilReason('TrustHealthy', 'Healthy');
    expect((await secrets.cacerts()).metadata.resourceVersion).toBe(published.metadata.resourceVersion);
  });

  test('an authority that is deleted is adopted from cacerts, and an old request is not answered again', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    await mesh.askFor('root/1');
    await untilRotated(mesh);
    const before = await secrets.authority();

    await secrets.delete(secrets.authorityId);
    await mesh.untilEvent('AuthorityAdopted', `${secrets.namespace}/cacerts`);
    await mesh.untilStatus('has forgotten its rotation', ({ certificateAuthority: authority }) => {
      return authority?.phase === 'Stable' && authority.lastRotation === undefined;
    });

    const after = await secrets.authority();
    expect(after.phase).toBe('Stable');
    expect(after.intermediates.current.certPem).toBe(before.intermediates.current.certPem);
    expect(after.roots.current.certPem).toBe(before.roots.current.certPem);
    expect(after.roots.current.keyPem).toBeUndefined();
    await expectFiles(secrets, { ...istioBundleOf(before) });
  });
});

describe('what was there before the mesh', () => {
  test('cacerts of the user is adopted, and istiod reads the same bytes as before', async () => {
    const secrets = await newSecrets();
    const files = authorityFiles(await anAuthority());
    await secrets.put('cacerts', files);

    const mesh = await healthyMeshIn(secrets);

    await mesh.untilEvent('AuthorityAdopted', `${secrets.namespace}/cacerts`);
    await expectFiles(secrets, files);
    const { roots, intermediates } = await secrets.authority();
    expect(roots.current.certPem).toBe(files['root-cert.pem']);
    expect(roots.current.keyPem).toBeUndefined();
    expect(intermediates.current.certPem).toBe(files['ca-cert.pem']);
  });

  test('an adopted authority whose root is kept elsewhere is replaced as a whole', async () => {
    const secrets = await newSecrets();
    const given = await anAuthority();
    await secrets.put('cacerts', authorityFiles(given));
    const mesh = await healthyMeshIn(secrets);

    await mesh.askFor('intermediate/1');
    const status = await untilRotated(mesh);

    expect(status?.lastRotation?.kind).toBe('root');
    expect((await secrets.authority()).roots.current.certPem).not.toBe(given.root.certPem);
    await verifyFiles(await secrets.files());
  });

  test('cacerts that no istiod could use is refused, and stays', async () => {
    const secrets = await newSecrets();
    const files = authorityFiles(await anAuthority(), {
      'ca-key.pem': (await anAuthority()).intermediate.keyPem,
    });
    await secrets.put('cacerts', files);

    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'MaterialRefused');

    expect((await mesh.condition('TrustHealthy'))?.message).toContain('is not the key of ca-cert.pem');
    await expectFiles(secrets, files);
    expect(await secrets.findAuthority()).toBeUndefined();
    await mesh.untilStatus('Ready names it where it waits for istiod', ({ conditions = [] }) => {
      const { message = '' } = conditions.find(({ type }) => type === 'Ready') ?? {};
      return /; TrustHealthy says why \(MaterialRefused\): .*is not the key of/.test(message);
    });
  });

  test('what an istiod has made for itself stays what it signs with', async () => {
    const secrets = await newSecrets();
    const { root } = await anAuthority();
    const texts = { 'ca-cert.pem': root.certPem, 'ca-key.pem': root.keyPem ?? '' };
    const empty = { 'cert-chain.pem': '', 'key.pem': '', 'root-cert.pem': '' };
    await secrets.put('istio-ca-secret', { ...texts, ...empty }, 'istio.io/ca-root');

    const mesh = await healthyMeshIn(secrets);

    await mesh.untilEvent('AuthorityAdopted', `${secrets.namespace}/istio-ca-secret`);
    const files = await secrets.files();
    const expected = { ...texts, 'cert-chain.pem': root.certPem, 'root-cert.pem': root.certPem };
    expect(digestsOf(files)).toEqual(digestsOf(expected));
    await verifyFiles(files);
  });
});

describe('a PluggedIn authority', () => {
  test('is what its Secret holds, and another one there starts a rotation to it', async () => {
    const secrets = await newSecrets();
    const [first, second] = [authorityFiles(await anAuthority()), authorityFiles(await anAuthority())];
    await secrets.put('mine', first);
    const mesh = await healthyMeshIn(secrets, pluggedIn);
    await expectFiles(secrets, first);

    await secrets.put('mine', second);
    const status = await untilRotated(mesh);

    expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'Replaced' });
    await expectFiles(secrets, second);
  });

  test('rotates the intermediate alone when the other one is of the same root', async () => {
    const secrets = await newSecrets();
    const given = await anAuthority();
    await secrets.put('mine', authorityFiles(given));
    const mesh = await healthyMeshIn(secrets, pluggedIn);
    const files = authorityFiles({ ...given, intermediate: await anotherIntermediate(given) });

    await secrets.put('mine', files);
    const status = await untilRotated(mesh);

    expect(status?.lastRotation).toMatchObject({ kind: 'intermediate', reason: 'Replaced' });
    await expectFiles(secrets, files);
  });

  test('that is replaced by certificates of version 1 is refused, and the last good one stays', async () => {
    const secrets = await newSecrets();
    const good = authorityFiles(await anAuthority());
    await secrets.put('mine', good);
    const mesh = await healthyMeshIn(secrets, pluggedIn);
    const published = await secrets.cacerts();

    await secrets.put('mine', await filesOfVersionOne());
    await mesh.untilReason('TrustHealthy', 'MaterialRefused');

    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.status).toBe('False');
    expect(condition?.message).toContain(`Secret ${secrets.namespace}/mine fails lint`);
    expect((await secrets.cacerts()).metadata.resourceVersion).toBe(published.metadata.resourceVersion);
    expect((await secrets.authority()).phase).toBe('Stable');

    await secrets.put('mine', good);
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });

  test('says of a rotation that is asked for and that only its owner can bring, what to do, and goes on with that', async () => {
    const secrets = await newSecrets();
    const [first, second] = [authorityFiles(await anAuthority()), authorityFiles(await anAuthority())];
    await secrets.put('mine', first);
    const mesh = await healthyMeshIn(secrets, pluggedIn);

    await mesh.askFor('KeyCompromise/1');
    await mesh.untilReason('TrustHealthy', 'MaterialNeeded');

    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.status).toBe('False');
    expect(condition?.message).toContain(`put the new material into Secret ${secrets.namespace}/mine`);
    await expectFiles(secrets, first);

    await secrets.put('mine', second);
    const status = await untilRotated(mesh);

    expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'KeyCompromise' });
    await mesh.untilReason('TrustHealthy', 'Healthy');
    await expectFiles(secrets, second);
  });

  test('waits for its Secret, and begins when it is there', async () => {
    const secrets = await newSecrets();
    const mesh = await meshIn(secrets, pluggedIn);
    await mesh.untilReason('TrustHealthy', 'MaterialRefused');
    expect((await mesh.condition('TrustHealthy'))?.message).toContain('does not exist');
    expect(await secrets.findAuthority()).toBeUndefined();

    const files = authorityFiles(await anAuthority());
    await secrets.put('mine', files);
    await mesh.untilReason('TrustHealthy', 'Healthy');

    await expectFiles(secrets, files);
  });
});

describe('MeshOperators of one namespace', () => {
  test('share one authority, which outlives them, and goes with their namespace', async () => {
    const { mesh: first, secrets } = await aHealthyMesh();
    const files = await secrets.files();
    const second = await meshIn(secrets, without, 'second');
    await second.untilReason('TrustHealthy', 'SharedAuthority');
    expect((await authorities(secrets.namespace)).length).toBe(1);

    await first.delete();
    await first.untilGone();
    await second.untilReason('TrustHealthy', 'Healthy');
    await waitUntil({ what: 'cacerts belongs to the second alone' }, async () => {
      const { ownerReferences = [] } = (await secrets.cacerts()).metadata;
      return ownerReferences.length === 1 && ownerReferences[0]?.name === 'second';
    });
    await expectFiles(secrets, files);
    expect((await authorities(secrets.namespace)).length).toBe(1);

    await second.delete();
    await second.untilGone();
    const third = await meshIn(secrets, without, 'third');
    await third.untilReason('TrustHealthy', 'Healthy');
    await expectFiles(secrets, files);

    await third.delete();
    await third.untilGone();
    await world.deleteNamespace(secrets.namespace);
    await waitUntil({ what: 'the authority is gone' }, async () => {
      return (await authorities(secrets.namespace)).length === 0;
    });
  });
});

describe('an authority that is due', () => {
  test('by its lifetime is replaced by itself, once', async () => {
    const secrets = await newSecrets();
    const old = await authorityMade(300);
    const mesh = await meshWith(stable(old), secrets);
    const status = await untilRotated(mesh);

    expect(status?.lastRotation).toMatchObject({ kind: 'intermediate', reason: 'Threshold' });
    const { roots, intermediates } = await secrets.authority();
    expect(roots.current.certPem).toBe(old.root.certPem);
    expect(intermediates.current.certPem).not.toBe(old.intermediate.certPem);
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });

  test('by its schedule is replaced by itself, and then waits for the next date', async () => {
    const secrets = await newSecrets();

    const mesh = await meshWith(stable(await authorityMade(40)), secrets, {
      rotation: { soak: '0s', intermediate: { schedule: '0 3 1 * *' } },
    });
    const status = await untilRotated(mesh);

    expect(status?.lastRotation).toMatchObject({ kind: 'intermediate', reason: 'Schedule' });
    expect(status?.nextRotation?.intermediate?.reason).toBe('Schedule');
    expect(Date.parse(status?.nextRotation?.intermediate?.at ?? '')).toBeGreaterThan(Date.now());
  });

  test('is left alone while rotation is paused', async () => {
    const secrets = await newSecrets();
    const old = stable(await authorityMade(300));
    const paused = { reason: 'end of the quarter' };

    const mesh = await meshWith(old, secrets, { rotation: { soak: '0s', paused } });
    await mesh.untilReason('TrustHealthy', 'Paused');
    await mesh.askFor('root/1');
    const key = keyText(mesh.key);
    const before = operator.logged('Reconciled', { controller: 'trust', key }).length;
    await secrets.delete(secrets.cacertsId);
    await operator.untilLogged('Reconciled', { controller: 'trust', key }, { times: before + 1 });
    await untilFiles(secrets, { ...istioBundleOf(old) });
    await expectAuthority(secrets, old);

    await mesh.change({ certificateAuthority: { rotation: { paused: null } } });
    const status = await untilRotated(mesh);
    expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'Requested' });
  });
});

test('a rotation that is paused stays in its phase, which the status says, and goes on after it', async () => {
  const secrets = await newSecrets();
  const [old, next] = [await anAuthority(), await anAuthority()];
  const begun = beginRotation(stable(old), { reason: 'Requested' }, next, new Date());
  const paused = { reason: 'end of the quarter' };

  const mesh = await meshWith(begun, secrets, { rotation: { soak: '0s', paused } });
  await mesh.untilReason('TrustHealthy', 'Paused');
  expect((await mesh.status()).certificateAuthority).toMatchObject({ phase: 'Trusting' });
  await expectAuthority(secrets, begun);
  await expectFiles(secrets, { ...istioBundleOf(begun) });

  await mesh.change({ certificateAuthority: { rotation: { paused: null } } });
  await untilRotated(mesh);
  expect((await secrets.authority()).roots.current.certPem).toBe(next.root.certPem);
});

test('a root that has ended is told, no rotation begins by itself, and Recovery replaces it', async () => {
  const secrets = await newSecrets();
  const made = { now: new Date(Date.now() - 90 * day), lifetimeMs: 60 * day };
  const ended = stable(await anAuthority({ root: made, intermediate: made }));

  const mesh = await meshWith(ended, secrets);
  await mesh.untilReason('TrustHealthy', 'Expired');
  expect((await mesh.condition('TrustHealthy'))?.message).toContain('ca rotate --recover');
  await expectAuthority(secrets, ended);

  await mesh.askFor('Recovery/1');
  const status = await untilRotated(mesh);
  expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'Recovery' });
  expect(await mesh.condition('TrustHealthy')).toMatchObject({ status: 'True', reason: 'Healthy' });
  await verifyFiles(await secrets.files());
});

async function aHealthyMesh(authority: AuthoritySpec = without): Promise<Subject> {
  const secrets = await newSecrets();
  return { secrets, mesh: await healthyMeshIn(secrets, authority) };
}

async function newSecrets(): Promise<TrustSecrets> {
  return new TrustSecrets(world.client, await world.ownNamespace('trust'));
}

async function healthyMeshIn(secrets: TrustSecrets, authority: AuthoritySpec = without): Promise<TestMesh> {
  const mesh = await meshIn(secrets, authority);
  await mesh.untilReason('TrustHealthy', 'Healthy');
  return mesh;
}

function meshIn(
  { namespace }: TrustSecrets,
  certificateAuthority: AuthoritySpec = without,
  name = 'mesh',
): Promise<TestMesh> {
  return world.createMesh({ certificateAuthority }, { namespace, name });
}

/** A mesh that finds this authority. */
async function meshWith(
  state: AuthorityState,
  secrets: TrustSecrets,
  certificateAuthority: AuthoritySpec = without,
): Promise<TestMesh> {
  await secrets.plant(state);
  return meshIn(secrets, certificateAuthority);
}

/** Waits for the first rotation of a mesh to end, and returns what its status says then. */
async function untilRotated(mesh: TestMesh) {
  await mesh.untilStatus('has rotated', ({ certificateAuthority: authority }) => {
    return authority?.phase === 'Stable' && authority.lastRotation !== undefined;
  });
  return (await mesh.status()).certificateAuthority;
}

async function untilFiles(secrets: TrustSecrets, expected: Record<string, string>): Promise<void> {
  await waitUntil({ what: 'cacerts is as it was' }, async () => {
    await expectFiles(secrets, expected);
    return true;
  });
}

/** By digests: a failure must print no key. */
async function expectFiles(secrets: TrustSecrets, expected: Readonly<Record<string, string>>): Promise<void> {
  expect(digestsOf(await secrets.files())).toEqual(digestsOf(expected));
}

async function expectAuthority(secrets: TrustSecrets, expected: AuthorityState): Promise<void> {
  expect(authorityDigests(await secrets.authority())).toEqual(authorityDigests(expected));
}

async function authorities(namespace: string) {
  const options = { namespace: operatorNamespace, labelSelector: `${authorityLabel}=${namespace}` };
  return (await world.client.list(kindInfo('v1', 'Secret'), options, never)).items;
}

function stable({ root, intermediate }: Authority): AuthorityState {
  return { phase: 'Stable', roots: { current: root }, intermediates: { current: intermediate } };
}

/** An authority of ten years and one, made this many days ago. */
function authorityMade(daysAgo: number): Promise<Authority> {
  const now = new Date(Date.now() - daysAgo * day);
  return anAuthority({ root: { now }, intermediate: { now } });
}

async function anotherIntermediate({ root, rootKeys }: Authority) {
  return issueIntermediate({
    ...{ issuer: { certPem: root.certPem, keys: rootKeys }, keys: await generateKeyPair('ECDSA-P256') },
    ...{ commonName: 'Intermediate CA', random: randomBytes(16), now: new Date(), lifetimeMs: 200 * day },
  });
}

/** What the much copied recipe of `openssl req -x509` and `openssl x509 -req` makes: an intermediate without extensions. */
async function filesOfVersionOne(): Promise<Record<string, string>> {
  const { root, intermediate } = await anAuthority();
  const files = { 'root.crt': root.certPem, 'root.key': root.keyPem ?? '', 'ca.key': intermediate.keyPem };
  const request = await openssl(files, 'req', '-new', '-key', 'ca.key', '-subj', '/O=Acme/CN=Intermediate');
  const signed = ['-CA', 'root.crt', '-CAkey', 'root.key', '-set_serial', '7', '-days', '30'];
  const pem = await openssl({ ...files, 'ca.csr': request }, 'x509', '-req', '-in', 'ca.csr', ...signed);
  const [certPem = ''] = splitCertificates(pem);
  return {
    'ca-cert.pem': certPem,
    'ca-key.pem': intermediate.keyPem,
    'cert-chain.pem': certPem,
    'root-cert.pem': root.certPem,
  };
}
