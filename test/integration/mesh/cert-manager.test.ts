import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, type KubernetesObject, keyText } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import type { RootMaterial } from '../../../src/pki/authority-state.ts';
import { buildCertificate, serialOf } from '../../../src/pki/certificate-builder.ts';
import { factsOf, splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { run } from '../../cluster/toolchain/run-command.ts';
import { ensureTool } from '../../cluster/toolchain/tools.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { requestText } from '../../support/audit-log.ts';
import { anAuthority, authorityFiles } from '../../support/authorities.ts';
import { keyTracesIn } from '../../support/key-traces.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import {
  applyIssuer,
  certManagerControllers,
  certManagerNamespace,
  type IssuerKeyPair,
  installCertManagerCrds,
  RunningCertManager,
  removeCertManagerCrds,
  untilIssuerReady,
} from '../../support/running-cert-manager.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';
import { digestsOf, isKeyOf, TrustSecrets, verifyFiles } from '../../support/trust-secrets.ts';

type AuthoritySpec = NonNullable<MeshOperatorSpec['certificateAuthority']>;

const day = 24 * 3_600_000;
const requestKind = kindInfo('cert-manager.io/v1', 'CertificateRequest');
const soak = { soak: '0s' } as const;
const ordered = {
  provider: 'CertManager',
  certManager: { issuerRef: { name: 'mesh-ca' } },
  rotation: soak,
} as const satisfies AuthoritySpec;

let world: MeshCluster;
let operator: RunningOperator;
const running: RunningCertManager[] = [];

beforeAll(async () => {
  // Nothing runs in it, so there is nobody for a gate to wait for.
  world = await MeshCluster.open('none');
  operator = await world.startOperator();
});

afterAll(async () => {
  await world?.close();
  for (const one of running) await one.end();
  if (world !== undefined) await removeCertManagerCrds(world.cluster);
});

describe('without cert-manager', () => {
  test('a mesh says that it is missing, and has no authority', async () => {
    const secrets = await newSecrets();

    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'CertManagerMissing');

    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.status).toBe('False');
    expect(condition?.message).toContain('Issuer mesh-ca');
    expect(condition?.message).toContain('the API server has no cert-manager.io/v1');
    expect(await secrets.findAuthority()).toBeUndefined();
  });

  test('a mesh that has an authority keeps it', async () => {
    const secrets = await newSecrets();
    const mesh = await meshIn(secrets, { rotation: soak });
    await mesh.untilReason('TrustHealthy', 'Healthy');
    const published = await secrets.cacerts();

    await mesh.change({ certificateAuthority: ordered });
    await mesh.untilReason('TrustHealthy', 'CertManagerMissing');

    expect((await mesh.condition('TrustHealthy'))?.message).toContain('The material in use stays');
    expect((await secrets.cacerts()).metadata.resourceVersion).toBe(published.metadata.resourceVersion);
  });
});

describe('where somebody has to approve', () => {
  beforeAll(async () => {
    await installCertManagerCrds(world.cluster);
    running.push(await RunningCertManager.start(world.cluster, certManagerControllers.signers));
  });

  test('a mesh waits for that, says what for, and goes on', async () => {
    const secrets = await newSecrets();
    const root = await anIssuerOf(secrets);
    const mesh = await meshIn(secrets);

    await mesh.untilReason('TrustHealthy', 'OrderWaiting');
    const request = await theRequest(secrets);
    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.status).toBe('False');
    expect(condition?.message).toBe(
      `CertificateRequest ${secrets.namespace}/${request.metadata.name} to Issuer mesh-ca is not approved yet`,
    );
    expect(await secrets.findAuthority()).toBeUndefined();
    await judge(request, 'Approved', 'by hand');
    await mesh.untilReason('TrustHealthy', 'Healthy');

    const { roots, intermediates } = await secrets.authority();
    expect(roots.current.certPem).toBe(root.certPem);
    expect(keyTracesIn([intermediates.current.keyPem])(JSON.stringify(request))).toBe(0);
  });

  test('a request that is denied is told and removed, and another one follows', async () => {
    const secrets = await newSecrets();
    await anIssuerOf(secrets);
    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'OrderWaiting');
    const denied = await theRequest(secrets);

    await judge(denied, 'Denied', 'no authorities in this namespace');
    await mesh.untilReason('TrustHealthy', 'OrderRefused');
    const condition = await mesh.condition('TrustHealthy');
    expect(condition?.message).toContain(denied.metadata.name);
    expect(condition?.message).toContain('is denied: ByTheTest, no authorities in this namespace');

    await mesh.untilReason('TrustHealthy', 'OrderWaiting');
    const next = await theRequest(secrets);
    expect(next.metadata.name).not.toBe(denied.metadata.name);
  });

  test('a rotation that waits leaves what is in use, and is not yet a trouble', async () => {
    const secrets = await newSecrets();
    await anIssuerOf(secrets);
    const mesh = await meshIn(secrets, { rotation: soak });
    await mesh.untilReason('TrustHealthy', 'Healthy');
    const published = await secrets.cacerts();

    await mesh.change({ certificateAuthority: ordered });
    await mesh.untilReason('TrustHealthy', 'Ordering');

    expect((await mesh.condition('TrustHealthy'))?.status).toBe('True');
    expect((await secrets.cacerts()).metadata.resourceVersion).toBe(published.metadata.resourceVersion);
  });

  test('an order ends with the wish for it, and with its mesh', async () => {
    const secrets = await newSecrets();
    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'OrderWaiting');
    const first = await theRequest(secrets);

    await mesh.change({ certificateAuthority: { certManager: { issuerRef: { name: 'another-ca' } } } });
    await waitUntil({ what: 'another issuer is asked' }, async () => {
      return (await requests(secrets)).every(({ metadata }) => metadata.name !== first.metadata.name);
    });
    await mesh.untilReason('TrustHealthy', 'OrderWaiting');
    expect((await mesh.condition('TrustHealthy'))?.message).toContain('Issuer another-ca');
    expect(await requests(secrets)).toHaveLength(1);

    await mesh.delete();
    await mesh.untilGone();
    await untilNoRequest(secrets);
  });

  test('an operator that starts anew deletes the request whose key it does not have', async () => {
    const secrets = await newSecrets();
    await anIssuerOf(secrets);
    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'OrderWaiting');
    const lost = await theRequest(secrets);

    await operator.end('SIGKILL');
    operator = await world.startOperator();

    await waitUntil({ what: 'another request is there' }, async () => {
      const [request, ...others] = await requests(secrets);
      return request !== undefined && others.length === 0 && request.metadata.name !== lost.metadata.name;
    });
    await judge(await theRequest(secrets), 'Approved', 'by hand');
    await mesh.untilReason('TrustHealthy', 'Healthy');
    await verifyFiles(await secrets.files());
  });
});

describe('where cert-manager approves', () => {
  beforeAll(async () => {
    running.push(await RunningCertManager.start(world.cluster, certManagerControllers.approver));
  });

  test('a new mesh gets an intermediate of the issuer and its root', async () => {
    const secrets = await newSecrets();
    const root = await anIssuerOf(secrets);
    const mesh = await meshIn(secrets, {
      ...ordered,
      intermediate: { algorithm: 'RSA-2048', lifetime: '720h' },
    });
    await mesh.untilReason('TrustHealthy', 'Healthy');

    const { phase, roots, intermediates } = await secrets.authority();
    const files = await secrets.files();
    expect(phase).toBe('Stable');
    expect(roots.current).toEqual({ certPem: root.certPem });
    expect(digestsOf(files)).toEqual(
      digestsOf({
        'ca-cert.pem': intermediates.current.certPem,
        'ca-key.pem': intermediates.current.keyPem,
        'cert-chain.pem': intermediates.current.certPem,
        'root-cert.pem': root.certPem,
      }),
    );
    await verifyFiles(files);
    const leftMs = factsOf(intermediates.current.certPem).notAfter.getTime() - Date.now();
    expect(Math.ceil(leftMs / day)).toBe(30);
    await mesh.untilEvent('AuthorityCreated', 'Issuer mesh-ca');
    const status = await mesh.status();
    expect(Object.keys(status.certificateAuthority?.nextRotation ?? {})).toEqual(['intermediate']);
    expect((await mesh.condition('TrustHealthy'))?.message).toContain('the root is that of Issuer mesh-ca');
  });

  test('the key of an intermediate is in its authority and cacerts, and nowhere else', async () => {
    const { secrets } = await aHealthyMesh();
    await untilNoRequest(secrets);

    const { intermediates } = await secrets.authority();
    const { certPem, keyPem } = intermediates.current;
    const ofTheMesh = await secrets.keysIn(secrets.namespace);
    const ofTheOperator = await secrets.keysIn(operatorNamespace);
    expect(ofTheMesh.filter((key) => isKeyOf(key, certPem))).toHaveLength(1);
    expect(ofTheOperator.filter((key) => isKeyOf(key, certPem))).toHaveLength(1);
    expect(keyTracesIn([keyPem])(JSON.stringify(operator.log))).toBe(0);
    const others = ['certificaterequests', 'events', 'meshoperators', 'configmaps'].join(',');
    const text = await world.cluster.kubectl('get', others, '-n', secrets.namespace, '-o', 'yaml');
    expect(keyTracesIn([keyPem])(text)).toBe(0);
  });

  test('a Stable authority costs no request, whatever wakes its mesh', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    await mesh.untilStatus('waits for istiod, for which nobody makes a pod', ({ conditions = [] }) =>
      conditions.some(({ type, message }) => type === 'Ready' && message.includes('deployment controller')),
    );
    await untilNoRequest(secrets);
    const key = keyText(mesh.key);
    const before = operator.logged('Reconciled', { controller: 'trust', key }).length;
    await world.audit.restart();

    const merge = { metadata: { annotations: { note: 'somebody was here' } } };
    await world.client.patch(secrets.cacertsId, { type: 'merge', merge }, { fieldManager: 'test' }, never);
    await operator.untilLogged('Reconciled', { controller: 'trust', key }, { times: before + 1 });

    const asked = await world.audit.requestsOf(world.access.user);
    const own = [secrets.authorityId.name, secrets.namespace];
    const ofTheMesh = asked.filter(
      ({ name = '', namespace = '' }) => own.includes(name) || own.includes(namespace),
    );
    expect(ofTheMesh.map(requestText)).toEqual([]);
  });

  test('a mesh whose issuer is missing says so, and goes on when it is there', async () => {
    const secrets = await newSecrets();
    const mesh = await meshIn(secrets);
    await mesh.untilStatus('says what cert-manager says', ({ conditions = [] }) =>
      conditions.some(
        ({ reason, message }) =>
          reason === 'OrderWaiting' &&
          message.includes('Referenced "Issuer" not found') &&
          message.includes('mesh-ca'),
      ),
    );

    await anIssuerOf(secrets);
    await mesh.untilReason('TrustHealthy', 'Healthy');
    await verifyFiles(await secrets.files());
  });

  test('a ClusterIssuer serves meshes of all namespaces', async () => {
    await world.createNamespace(certManagerNamespace);
    const name = 'corporate';
    const { root } = await anAuthority();
    await applyIssuer(world.cluster, { name }, keyPairOf(root));
    const issuerRef = { name, kind: 'ClusterIssuer' } as const;

    const secrets = await newSecrets();
    const mesh = await meshIn(secrets, { ...ordered, certManager: { issuerRef } });
    await mesh.untilReason('TrustHealthy', 'Healthy');

    expect((await secrets.authority()).roots.current.certPem).toBe(root.certPem);
  });

  test('an intermediate that is asked for is ordered, and the root stays', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    const before = await secrets.authority();

    await mesh.askFor('intermediate/1');
    const status = await untilRotated(mesh);

    const after = await secrets.authority();
    expect(status?.lastRotation).toMatchObject({ kind: 'intermediate', reason: 'Requested' });
    expect(after.roots.current.certPem).toBe(before.roots.current.certPem);
    expect(after.intermediates.current.certPem).not.toBe(before.intermediates.current.certPem);
    expect(after.intermediates.current.keyPem).not.toBe(before.intermediates.current.keyPem);
    await verifyFiles(await secrets.files());
    await untilNoRequest(secrets);
  });

  test.each([
    ['root/1', 'Requested'],
    ['KeyCompromise/1', 'KeyCompromise'],
  ])(
    '%s of an issuer that has no other root replaces the intermediate, and says so',
    async (request, reason) => {
      const { mesh, secrets } = await aHealthyMesh();
      const before = await secrets.authority();

      await mesh.askFor(request);
      const status = await untilRotated(mesh);

      expect(status?.lastRotation).toMatchObject({ kind: 'intermediate', reason });
      expect((await secrets.authority()).roots.current.certPem).toBe(before.roots.current.certPem);
      await mesh.untilEvent('RootUnchanged', 'Issuer mesh-ca');
    },
  );

  test('an issuer with another root has it rotated in, through all phases', async () => {
    const { mesh, secrets } = await aHealthyMesh();
    const root = await anIssuerOf(secrets);

    await mesh.askFor('intermediate/1');
    const status = await untilRotated(mesh);

    expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'Requested' });
    const { roots, intermediates } = await secrets.authority();
    expect(roots).toEqual({ current: { certPem: root.certPem } });
    expect(Object.keys(intermediates)).toEqual(['current']);
    await verifyFiles(await secrets.files());
    await mesh.untilEvent('RotationStarted', 'root, Requested', 'Trusting');
    await mesh.untilEvent('RotationAdvanced', 'root, Requested', 'Signing');
    await mesh.untilEvent('RotationAdvanced', 'root, Requested', 'Distrusting');
    await mesh.untilEvent('RotationFinished', 'root has ended');
  });

  test('what istiod signs with already is adopted, and rotated to the issuer', async () => {
    const secrets = await newSecrets();
    const old = await anAuthority();
    await secrets.put('cacerts', authorityFiles(old));
    const root = await anIssuerOf(secrets);

    const mesh = await meshIn(secrets);
    const status = await untilRotated(mesh);

    await mesh.untilEvent('AuthorityAdopted', `${secrets.namespace}/cacerts`);
    expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'Replaced' });
    expect((await secrets.authority()).roots.current.certPem).toBe(root.certPem);
    await mesh.untilReason('TrustHealthy', 'Healthy');
  });

  test('an intermediate ends before its issuer does', async () => {
    const secrets = await newSecrets();
    const { root } = await anAuthority({ root: { lifetimeMs: 30 * day } });
    await applyIssuer(world.cluster, issuerOf(secrets), keyPairOf(root));

    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'Healthy');

    const end = factsOf((await secrets.authority()).intermediates.current.certPem).notAfter;
    const rootEnd = factsOf(root.certPem).notAfter;
    expect(end.getTime()).toBeLessThan(rootEnd.getTime());
    expect(rootEnd.getTime() - end.getTime()).toBeLessThan(day);
  });

  test('an issuer that names no root is refused, and its chain is taken when it does', async () => {
    const secrets = await newSecrets();
    const { root, below } = await anIssuerBelowARoot();
    const { rootPem: _root, ...withoutRoot } = below;
    await applyIssuer(world.cluster, issuerOf(secrets), withoutRoot);

    const mesh = await meshIn(secrets);
    await mesh.untilReason('TrustHealthy', 'MaterialRefused');
    expect((await mesh.condition('TrustHealthy'))?.message).toContain('is not self-signed');
    await untilNoRequest(secrets);

    await applyIssuer(world.cluster, issuerOf(secrets), below);
    await mesh.untilReason('TrustHealthy', 'Healthy');
    const { roots, intermediates } = await secrets.authority();
    expect(roots.current.certPem).toBe(root.certPem);
    expect(splitCertificates(intermediates.current.chainPem)).toHaveLength(2);
    await verifyFiles(await secrets.files());
  });
});

test('the example of docs/guides/ca-rotation.md works as it is written, and so does the replacement of its root', async () => {
  const guide = await readFile('docs/guides/ca-rotation.md', 'utf8');
  const [, section = ''] = guide.split('## Intermediates from cert-manager\n');
  const [, script = ''] = /```sh\n(.*?)```/s.exec(section) ?? [];
  const secrets = await newSecrets();
  const { namespace } = secrets;
  const mesh = new TestMesh(world.client, { namespace, name: 'mesh' });
  const here = script.replaceAll('istio-system', namespace);

  await shell(here);
  const before = await secrets.authority();
  expect(before.roots.current.keyPem).toBeUndefined();
  await verifyFiles(await secrets.files());

  const [untilTheMesh = ''] = here.split('---\n');
  await shell(`${untilTheMesh}END\n`.replaceAll(/(root[ -])1/g, '$12'));
  await untilIssuerReady(world.cluster, issuerOf(secrets));
  await mesh.change({ certificateAuthority: { rotation: { soak: '0s' } } });
  await mesh.askFor('root/1');
  const status = await untilRotated(mesh);

  expect(status?.lastRotation).toMatchObject({ kind: 'root', reason: 'Requested' });
  expect((await secrets.authority()).roots.current.certPem).not.toBe(before.roots.current.certPem);
});

/** Runs lines of a guide as a person would, in a folder of their own. */
async function shell(script: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mesh-operator-guide-'));
  try {
    const kubectl = dirname(await ensureTool('kubectl'));
    const env = { PATH: `${kubectl}:${process.env.PATH}`, KUBECONFIG: world.cluster.kubeconfigPath };
    await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function newSecrets(): Promise<TrustSecrets> {
  return new TrustSecrets(world.client, await world.ownNamespace('ordered'));
}

function meshIn(
  { namespace }: TrustSecrets,
  certificateAuthority: AuthoritySpec = ordered,
): Promise<TestMesh> {
  return world.createMesh({ certificateAuthority }, { namespace });
}

/** A mesh with an issuer of its own, which has signed. */
async function aHealthyMesh(): Promise<{ readonly mesh: TestMesh; readonly secrets: TrustSecrets }> {
  const secrets = await newSecrets();
  await anIssuerOf(secrets);
  const mesh = await meshIn(secrets);
  await mesh.untilReason('TrustHealthy', 'Healthy');
  return { mesh, secrets };
}

function issuerOf({ namespace }: TrustSecrets) {
  return { namespace, name: 'mesh-ca' };
}

/** Gives the issuer of a namespace a new root to sign with. */
async function anIssuerOf(secrets: TrustSecrets): Promise<RootMaterial> {
  const { root } = await anAuthority();
  await applyIssuer(world.cluster, issuerOf(secrets), keyPairOf(root));
  return root;
}

function keyPairOf({ certPem, keyPem = '' }: RootMaterial): IssuerKeyPair {
  return { certPem, keyPem };
}

/** An issuer that is no root itself; its intermediates may sign others, while those of a mesh may not. */
async function anIssuerBelowARoot(): Promise<{ readonly root: RootMaterial; readonly below: IssuerKeyPair }> {
  const { root, rootKeys } = await anAuthority();
  const keys = await generateKeyPair('ECDSA-P256');
  const certPem = buildCertificate(
    {
      ...{ commonName: 'Issuing CA', serial: serialOf(randomBytes(16)) },
      ...{ notBefore: new Date(), notAfter: new Date(Date.now() + 500 * day) },
      extensions: [
        { name: 'basicConstraints', critical: true, cA: true },
        { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
      ],
    },
    keys,
    { certPem: root.certPem, keys: rootKeys },
  );
  return { root, below: { certPem, keyPem: privateKeyPem(keys), rootPem: root.certPem } };
}

async function requests({ namespace }: TrustSecrets): Promise<KubernetesObject[]> {
  return (await world.client.list(requestKind, { namespace }, never)).items;
}

async function theRequest(secrets: TrustSecrets): Promise<KubernetesObject> {
  const [request, ...others] = await requests(secrets);
  if (request === undefined || others.length > 0)
    throw new Error(`there are ${others.length + 1} requests or none`);
  return request;
}

async function untilNoRequest(secrets: TrustSecrets): Promise<void> {
  const what = `no CertificateRequest is left in ${secrets.namespace}`;
  await waitUntil({ what }, async () => (await requests(secrets)).length === 0);
}

/** What `cmctl approve` and `cmctl deny` do. */
async function judge(request: KubernetesObject, type: 'Approved' | 'Denied', message: string): Promise<void> {
  const condition = { type, status: 'True', reason: 'ByTheTest', message };
  const merge = { status: { conditions: [condition] } };
  const options = { fieldManager: 'test', subresource: 'status' };
  await world.client.patch(idOf(request), { type: 'merge', merge }, options, never);
}

/** Waits for the first rotation of a mesh to end, and returns what its status says then. */
async function untilRotated(mesh: TestMesh) {
  await mesh.untilStatus('has rotated', ({ certificateAuthority: authority }) => {
    return authority?.phase === 'Stable' && authority.lastRotation !== undefined;
  });
  return (await mesh.status()).certificateAuthority;
}
