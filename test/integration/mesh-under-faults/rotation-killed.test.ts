import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { managedBySelector } from '../../../src/api/labels.ts';
import { secretTexts } from '../../../src/kube/secret-data.ts';
import { factsOf, splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { istioBundleOf } from '../../../src/pki/istio-bundle.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { FaultProxy, type ProxiedRequest } from '../../support/fault-proxy.ts';
import { istiodPodIn, runIstiodPod } from '../../support/istiod-pod.ts';
import { keyTracesIn } from '../../support/key-traces.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { ObjectHistory } from '../../support/object-history.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import { digestsOf, privateKeysOf, TrustSecrets, verifyFiles } from '../../support/trust-secrets.ts';

/** What the trust controller writes: the authority, cacerts, istiod's pods, and its part of the status. */
const ofTrust = { isWrite: true, fieldManager: /^mesh-operator-trust/ };

/** All writes of one rotation of the root, in their order. */
const writes = [
  ...['authority', 'cacerts', 'pod', 'status'],
  ...['authority', 'cacerts', 'pod', 'status'],
  ...['authority', 'cacerts', 'pod', 'status'],
  ...['authority', 'status'],
].map((what, index) => ({ write: index + 1, what }));

let world: MeshCluster;
let proxy: FaultProxy;
let mesh: TestMesh;
let secrets: TrustSecrets;
let authorities: ObjectHistory;
let bundles: ObjectHistory;
let operator: RunningOperator;
const operators: RunningOperator[] = [];
let requests = 0;

beforeAll(async () => {
  world = await MeshCluster.open('none');
  proxy = await FaultProxy.start(world.access.kubeconfig);
  // No kubelet runs istiod: whoever is asked is not there, and what is asked of it counts for nobody.
  proxy.failNext({ path: /\/exec$/ }, { status: 404, reason: 'NotFound' }, Number.POSITIVE_INFINITY);
  secrets = new TrustSecrets(world.client, await world.ownNamespace('killed'));
  bundles = await ObjectHistory.follow(world.client, secrets.cacertsId);
  authorities = await ObjectHistory.follow(world.client, secrets.authorityId);
  operator = startOperator();
  await operator.untilLeading();
  mesh = await world.createMesh(
    { certificateAuthority: { rotation: { soak: '200ms' } } },
    { namespace: secrets.namespace },
  );
  await mesh.untilReason('TrustHealthy', 'Healthy');
  await runIstiodPod(world.client, mesh.key);
});

afterAll(async () => {
  await Promise.all([authorities?.stop(), bundles?.stop()]);
  // No kubelet ends it, and the mesh would wait for that.
  await world?.client.delete(istiodPodIn(secrets.namespace), {}, new AbortController().signal);
  await world?.close();
  await proxy?.stop();
});

test('a rotation that nobody disturbs makes these writes', async () => {
  const before = proxy.requestsLike(ofTrust).length;

  const request = await askForRoot();
  await untilAnswered(request);

  expect(proxy.requestsLike(ofTrust).slice(before).map(nameOf)).toEqual(writes.map(({ what }) => what));
  await expectOneMoreRoot();
});

test.each(writes)(
  'an operator killed before write $write ($what) is followed by one that ends it',
  async ({ write }) => {
    const held = holdWrite(write, () => proxy.holdNext(ofTrust));
    const request = await askForRoot();
    await held.arrived;
    await operator.end('SIGKILL');
    held.cut();

    operator = startOperator();
    await untilAnswered(request);

    await expectOneMoreRoot();
  },
);

test.each(writes)(
  'an operator killed after write $write ($what) is followed by one that ends it',
  async ({ write }) => {
    const held = holdWrite(write, () => proxy.holdNextAnswer(ofTrust));
    const request = await askForRoot();
    await held.answered;
    await operator.end('SIGKILL');
    held.cut();

    operator = startOperator();
    await untilAnswered(request);

    await expectOneMoreRoot();
  },
);

test.each(writes)(
  'an operator that loses its connection before write $write ($what) ends it',
  async ({ write }) => {
    const held = holdWrite(write, () => proxy.holdNext(ofTrust));
    const request = await askForRoot();
    await held.arrived;
    held.cut();

    await untilAnswered(request);

    await expectOneMoreRoot();
  },
);

test.each(writes)('an operator that loses the answer to write $write ($what) ends it', async ({ write }) => {
  const held = holdWrite(write, () => proxy.holdNextAnswer(ofTrust));
  const request = await askForRoot();
  await held.answered;
  held.cut();

  await untilAnswered(request);

  await expectOneMoreRoot();
});

test('each bundle contains the one before or is contained in it, and each signer leads to a root of the one before', async () => {
  const versions = await textsOf(bundles);

  expect(versions.length).toBeGreaterThan(3 * writes.length);
  for (const [index, files] of versions.entries()) {
    const before = versions[index - 1];
    if (before === undefined) continue;
    const [now, then] = [rootsOf(files), rootsOf(before)];
    expect(contains(now, then) || contains(then, now), `bundle ${index}`).toBe(true);
    // By the roots that both hold, whoever has either verifies.
    const shared = contains(now, then) ? before : files;
    await verifyFiles({ ...files, 'root-cert.pem': shared['root-cert.pem'] ?? '' });
  }
});

test('nothing that was said in all these runs, in logs, Events or status, has anything of a key', async () => {
  const kept = [...(await textsOf(authorities)), ...(await textsOf(bundles))];
  const keys = new Set(kept.flatMap((texts) => Object.values(texts).flatMap(privateKeysOf)));
  const log = operators.flatMap((one) => one.log.map((line) => JSON.stringify(line)));
  const { items: events } = await world.client.list(kindInfo('v1', 'Event'), {}, never);
  const status = (await world.meshes()).map((each) => JSON.stringify(each));
  const others = await allButSecrets();
  const said = [...log, ...events.map((event) => JSON.stringify(event)), ...status, ...others];

  expect(keys.size).toBeGreaterThan(2 * writes.length);
  expect(log.some((line) => line.includes('"level":"debug"'))).toBe(true);
  expect(events.some(({ reason }) => reason === 'RotationStarted')).toBe(true);
  const traces = keyTracesIn([...keys]);
  for (const key of keys) expect(traces(key.split('\n').slice(1).join('\n'))).toBeGreaterThan(0);
  expect(said.map(traces).filter((found) => found > 0)).toEqual([]);
});

function startOperator(): RunningOperator {
  const flags = ['--leader-election', 'false', '--lease-name', uniqueName('lease')];
  const started = world.launchOperator(flags, proxy.kubeconfig);
  operators.push(started);
  return started;
}

function holdWrite<Held>(write: number, hold: () => Held): Held {
  for (let earlier = 1; earlier < write; earlier += 1) void proxy.nextArrival(ofTrust);
  return hold();
}

async function askForRoot(): Promise<string> {
  requests += 1;
  const request = `root/${requests}`;
  await mesh.askFor(request);
  return request;
}

/** Until the rotation has ended, and the status says so. */
async function untilAnswered(request: string): Promise<void> {
  const explain = async () => operator.tail();
  await waitUntil({ what: `${request} is answered`, explain }, async () => {
    const { phase, answeredRequest, roots, lastRotation } = await secrets.authority();
    const { certificateAuthority: told } = await mesh.status();
    const isTold =
      told?.phase === 'Stable' &&
      told.root.current.fingerprint === factsOf(roots.current.certPem).fingerprint &&
      told.lastRotation?.finishedAt === lastRotation?.finishedAt;
    return phase === 'Stable' && answeredRequest === request && isTold;
  });
}

let rootsSoFar = 1;

/** The rotation was done once, the authority is whole, and istiod has what it says. */
async function expectOneMoreRoot(): Promise<void> {
  const state = await secrets.authority();
  const files = await secrets.files();
  expect(digestsOf(files)).toEqual(digestsOf({ ...istioBundleOf(state) }));
  await verifyFiles(files);
  expect([Object.keys(state.roots), Object.keys(state.intermediates)]).toEqual([['current'], ['current']]);
  rootsSoFar += 1;
  const published = (await textsOf(bundles)).flatMap((version) => [...rootsOf(version)]);
  expect(new Set(published).size).toBe(rootsSoFar);
  expect(await mesh.condition('TrustHealthy')).toMatchObject({ status: 'True', reason: 'Healthy' });
}

/** Of each version of a Secret. */
async function textsOf(secret: ObjectHistory): Promise<Record<string, string>[]> {
  return (await secret.upToDate()).map(secretTexts);
}

function rootsOf(files: Readonly<Record<string, string>>): Set<string> {
  return new Set(
    splitCertificates(files['root-cert.pem'] ?? '').map((pem) => new X509Certificate(pem).fingerprint256),
  );
}

function contains(whole: ReadonlySet<string>, part: ReadonlySet<string>): boolean {
  return [...part].every((each) => whole.has(each));
}

function nameOf({ path }: ProxiedRequest): string {
  if (path.endsWith('/status')) return 'status';
  if (path.includes('/pods/')) return 'pod';
  return path.endsWith('/cacerts') ? 'cacerts' : 'authority';
}

/** Everything else that operators have made in the cluster. */
async function allButSecrets(): Promise<string[]> {
  const kinds = [kindInfo('v1', 'ConfigMap'), kindInfo('apps/v1', 'Deployment'), kindInfo('v1', 'Pod')];
  const lists = kinds.map((kind) => world.client.list(kind, { labelSelector: managedBySelector }, never));
  return (await Promise.all(lists)).flatMap(({ items }) => items.map((item) => JSON.stringify(item)));
}
