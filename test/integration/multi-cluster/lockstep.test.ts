import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectId } from '../../../src/api/kubernetes-object.ts';
import type { CertificateAuthorityStatus } from '../../../src/api/mesh-operator-status.ts';
import type { CertificateAuthority } from '../../../src/api/spec/certificate-authority.ts';
import { factsOf, splitCertificates } from '../../../src/pki/certificate-facts.ts';
import type { TrustStatement } from '../../../src/pki/trust-statement.ts';
import { type Cluster, startCluster } from '../../cluster/cluster.ts';
import { printProgress } from '../../cluster/toolchain/progress.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import { TrustSecrets } from '../../support/trust-secrets.ts';

/** One of the clusters of a mesh, each with an operator of its own. */
interface Side {
  readonly name: string;
  readonly world: MeshCluster;
}

/** The mesh in one of them. */
interface Member {
  readonly side: Side;
  readonly mesh: TestMesh;
  readonly secrets: TrustSecrets;
}

let westCluster: Cluster;
let east: Side;
let west: Side;
let eastOperator: RunningOperator;

beforeAll(async () => {
  // Nothing runs in them, so that the gates of each are open but for what a test puts there.
  westCluster = await aCluster('west');
  const [first, second] = await Promise.all([MeshCluster.open('none'), MeshCluster.on(westCluster)]);
  [east, west] = [
    { name: 'east', world: first },
    { name: 'west', world: second },
  ];
  [eastOperator] = await Promise.all([first.startOperator(), second.startOperator()]);
});

afterAll(async () => {
  await Promise.all([east?.world.close(), west?.world.close()]);
  await westCluster?.stop();
});

function aCluster(name: string): Promise<Cluster> {
  return startCluster({ name: uniqueName(name), nodes: 'none', progress: printProgress });
}

/** A mesh in both clusters, which know each other, in a namespace of its own. */
async function joinedMeshes(rotation: CertificateAuthority['rotation'] = {}): Promise<[Member, Member]> {
  const [inEast, inWest] = await membersIn([east, west], rotation);
  return [inEast as Member, inWest as Member];
}

/** The same in so many clusters, each of which names all others. */
async function membersIn(
  sides: readonly Side[],
  rotation: CertificateAuthority['rotation'] = {},
): Promise<Member[]> {
  const namespace = await east.world.ownNamespace();
  for (const { world } of sides) if (world !== east.world) await world.createNamespace(namespace);
  const members = await Promise.all(
    sides.map((side) => {
      const others = sides.filter((other) => other !== side);
      return memberIn(side, others, namespace, rotation);
    }),
  );
  await untilExchanged(...members);
  return members;
}

async function memberIn(
  side: Side,
  others: readonly Side[],
  namespace: string,
  rotation: CertificateAuthority['rotation'],
): Promise<Member> {
  for (const { name, world } of others) {
    const text = await readFile(world.cluster.kubeconfigPath, 'utf8');
    const data = { kubeconfig: Buffer.from(text).toString('base64') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data };
    await side.world.client.apply(secret, { fieldManager: 'test', force: true }, never);
  }
  const mesh = await side.world.createMesh(
    {
      certificateAuthority: { rotation: { soak: '0s', ...rotation } },
      multiCluster: {
        ...{ meshID: 'shop', clusterName: side.name },
        remotes: others.map(({ name }) => ({ clusterName: name, kubeconfig: { secretName: name } })),
      },
    },
    { namespace },
  );
  return { side, mesh, secrets: new TrustSecrets(side.world.client, namespace) };
}

async function rootsIn({ secrets }: Member): Promise<string[]> {
  const files = await secrets.files();
  const roots = splitCertificates(files['root-cert.pem'] ?? '').map((pem) => factsOf(pem).fingerprint);
  return [...new Set(roots)].sort();
}

/** The fingerprint of the root that signs. */
async function rootOf({ secrets }: Member): Promise<string> {
  return factsOf((await secrets.authority()).roots.current.certPem).fingerprint;
}

function statementId({ secrets }: Member): ObjectId {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace: secrets.namespace, name: 'mesh-operator-trust' };
}

async function statementOf(member: Member): Promise<TrustStatement> {
  const { data } = await member.side.world.client.get(statementId(member), never);
  return JSON.parse((data as Record<string, string>)['statement.json'] ?? '');
}

/** Waits until each trusts the roots of all, and no other, and knows it of the others. */
async function untilExchanged(...members: readonly Member[]): Promise<void> {
  for (const { mesh } of members) {
    await mesh.untilStatus('has exchanged its root', ({ certificateAuthority: authority }) => {
      const others = authority?.members ?? [];
      const isExchanged = others.every(({ trustsRoot, isTrusted }) => trustsRoot && isTrusted);
      return authority?.phase === 'Stable' && others.length === members.length - 1 && isExchanged;
    });
  }
  const roots = (await Promise.all(members.map(rootOf))).sort();
  for (const member of members) {
    const what = `${member.side.name} trusts the roots of all`;
    await waitUntil({ what }, async () => (await rootsIn(member)).join() === roots.join());
  }
}

async function untilAnswered({ mesh, secrets }: Member, request: string): Promise<void> {
  const explain = async () => JSON.stringify((await mesh.status()).certificateAuthority);
  await waitUntil({ what: `${request} is answered`, explain }, async () => {
    const { phase, answeredRequest } = await secrets.authority();
    return phase === 'Stable' && answeredRequest === request;
  });
}

async function untilWaiting(
  { mesh }: Member,
  phase: string,
  text: string,
): Promise<CertificateAuthorityStatus> {
  const found = await mesh.untilStatus(`is in ${phase} and waits: ${text}`, ({ certificateAuthority }) => {
    const waitsForIt = certificateAuthority?.waitingFor?.some((each) => each.includes(text));
    return certificateAuthority?.phase === phase && waitsForIt === true;
  });
  return (found.status as { certificateAuthority: CertificateAuthorityStatus }).certificateAuthority;
}

/** A copy of the bundle that nobody keeps: what it lacks holds the gate of its cluster. */
async function putBundle({ side, secrets }: Member, roots: string): Promise<KubernetesObject> {
  const metadata = { name: 'istio-ca-root-cert', namespace: secrets.namespace };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': roots } };
  await side.world.client.apply(object, { fieldManager: 'test', force: true }, never);
  return object;
}

async function bundleText({ secrets }: Member): Promise<string> {
  return (await secrets.files())['root-cert.pem'] ?? '';
}

/** Does with that copy what istiod would do, until another member is out of a phase. */
async function keepBundleUntilLeft(member: Member, other: Member, phase: string): Promise<void> {
  await waitUntil({ what: `${other.side.name} leaves ${phase}` }, async () => {
    await putBundle(member, await bundleText(member));
    return (await other.secrets.authority()).phase !== phase;
  });
}

describe('two clusters of one mesh', () => {
  test('trust the roots of both when they have been joined, and each says so to the other', async () => {
    const [inEast, inWest] = await joinedMeshes();

    const both = [await rootOf(inEast), await rootOf(inWest)].sort();
    expect(both[0]).not.toBe(both[1]);
    expect(await statementOf(inWest)).toMatchObject({
      ...{ clusterName: 'west', meshID: 'shop', members: ['east'], trusted: both, held: both },
    });
    await inEast.mesh.untilEvent('RootsExchanged', 'cluster west are trusted');
  });

  test('have what they say put back when somebody edits or deletes it', async () => {
    const [inEast] = await joinedMeshes();
    const { client } = inEast.side.world;
    const said = await statementOf(inEast);
    const merge = { data: { 'statement.json': '{}' } };
    await client.patch(
      statementId(inEast),
      { type: 'merge', merge },
      { fieldManager: 'kubectl-edit' },
      never,
    );
    const isBack = async () => {
      const object = await client.find(statementId(inEast), never);
      const text = (object?.data as Record<string, string> | undefined)?.['statement.json'];
      return text !== undefined && JSON.stringify(JSON.parse(text)) === JSON.stringify(said);
    };
    await waitUntil({ what: 'it is as before', intervalMs: 100 }, isBack);
    await client.delete(statementId(inEast), {}, never);
    await waitUntil({ what: 'it is there again', intervalMs: 100 }, isBack);
  });

  test('replace the root of one while the other follows', async () => {
    const [inEast, inWest] = await joinedMeshes();
    const before = await rootOf(inEast);

    await inEast.mesh.askFor('root/1');
    await untilAnswered(inEast, 'root/1');
    await untilExchanged(inEast, inWest);

    expect(await rootOf(inEast)).not.toBe(before);
    expect(await rootsIn(inWest)).not.toContain(before);
    expect((await statementOf(inWest)).held).not.toContain(before);
  });

  test('replace their roots at once', async () => {
    const members = await joinedMeshes();
    const before = await Promise.all(members.map(rootOf));

    await Promise.all(members.map(({ mesh }) => mesh.askFor('KeyCompromise/1')));
    await Promise.all(members.map((member) => untilAnswered(member, 'KeyCompromise/1')));
    await untilExchanged(...members);

    for (const member of members) {
      const roots = await rootsIn(member);
      expect(before.some((root) => roots.includes(root))).toBe(false);
    }
  });

  test('wait for each other: no root signs before everybody in the other cluster trusts it', async () => {
    const [inEast, inWest] = await joinedMeshes();
    await putBundle(inWest, await bundleText(inWest));

    await inEast.mesh.askFor('root/1');
    await untilWaiting(inEast, 'Trusting', 'cluster west does not trust the next root yet');
    await untilWaiting(inWest, 'Stable', 'istio-ca-root-cert lacks a root that is to be trusted');
    await keepBundleUntilLeft(inWest, inEast, 'Trusting');
    await untilWaiting(inEast, 'Distrusting', 'cluster west still holds the previous root');
    await keepBundleUntilLeft(inWest, inEast, 'Distrusting');

    await untilAnswered(inEast, 'root/1');
  });

  test('go on when one of them has been away', async () => {
    const [inEast, inWest] = await joinedMeshes();
    await westCluster.stopServer('kube-apiserver');

    await inEast.mesh.askFor('root/1');
    const held = await untilWaiting(inEast, 'Trusting', 'cluster west cannot be reached since');
    expect(held.members).toMatchObject([{ clusterName: 'west', absentSince: expect.any(String) }]);
    await westCluster.startServer('kube-apiserver');

    await untilAnswered(inEast, 'root/1');
    await untilExchanged(inEast, inWest);
  });

  test('part for a while where the policy says so, and the one that was left behind catches up', async () => {
    const [inEast, inWest] = await joinedMeshes({ absentMembers: { proceedAfter: '1s' } });
    await westCluster.stopServer('kube-apiserver');

    await inEast.mesh.askFor('root/1');
    await untilAnswered(inEast, 'root/1');
    await inEast.mesh.untilEvent('MemberLeftBehind', 'leaves Trusting without cluster west');
    await inEast.mesh.untilStatus(
      'does not take it for trusted there',
      ({ certificateAuthority: authority }) => {
        const [member] = authority?.members ?? [];
        return authority?.phase === 'Stable' && member?.clusterName === 'west' && !member.trustsRoot;
      },
    );
    await westCluster.startServer('kube-apiserver');

    await untilExchanged(inEast, inWest);
  });

  test('let a compromised root go without the soak of the other, in a rotation that was under way as well', async () => {
    const [inEast, inWest] = await joinedMeshes();
    const before = await rootOf(inEast);
    await inWest.mesh.change({ certificateAuthority: { rotation: { soak: '24h' } } });
    await inWest.mesh.untilReason('TrustHealthy', 'Healthy');
    await inEast.mesh.askFor('root/1');
    await untilWaiting(inEast, 'Trusting', 'cluster west does not trust the next root yet');

    await inEast.mesh.askFor('KeyCompromise/1');
    await untilAnswered(inEast, 'KeyCompromise/1');

    expect(await rootsIn(inWest)).not.toContain(before);
    expect((await statementOf(inWest)).held).not.toContain(before);
  });

  test('do not trust each other any more when one is not named any more', async () => {
    const [inEast, inWest] = await joinedMeshes();
    const own = await rootOf(inEast);

    await inEast.mesh.change({ multiCluster: { remotes: [] } });
    await waitUntil({ what: 'the root of west is gone' }, async () => {
      return (await rootsIn(inEast)).join() === own;
    });

    await inEast.mesh.untilEvent('RootsExchanged', 'cluster west are trusted no more');
    await inWest.mesh.askFor('root/1');
    await untilAnswered(inWest, 'root/1');
  });

  test('go on where an operator has been killed, in each phase', async () => {
    const [inEast, inWest] = await joinedMeshes();
    await putBundle(inWest, await bundleText(inWest));
    await inEast.mesh.askFor('root/1');
    for (const [phase, text] of [
      ['Trusting', 'cluster west does not trust the next root yet'],
      ['Distrusting', 'cluster west still holds the previous root'],
    ] as const) {
      await untilWaiting(inEast, phase, text);
      await eastOperator.end('SIGKILL');
      eastOperator = await east.world.startOperator();
      await keepBundleUntilLeft(inWest, inEast, phase);
    }

    await untilAnswered(inEast, 'root/1');
    await untilExchanged(inEast, inWest);
  });
});

describe('three clusters of one mesh', () => {
  let northCluster: Cluster;
  let north: Side;

  beforeAll(async () => {
    northCluster = await aCluster('north');
    north = { name: 'north', world: await MeshCluster.on(northCluster) };
    await north.world.startOperator();
  });

  afterAll(async () => {
    await north?.world.close();
    await northCluster?.stop();
  });

  test('trust the roots of all, and replace that of one while the others follow', async () => {
    const members = await membersIn([east, west, north]);
    const [inEast] = members as [Member];
    const before = await rootOf(inEast);

    await inEast.mesh.askFor('root/1');
    await untilAnswered(inEast, 'root/1');
    await untilExchanged(...members);

    for (const member of members) expect(await rootsIn(member)).not.toContain(before);
  });

  test('wait for the one that is away, by its name alone, and go on when it is back', async () => {
    const members = await membersIn([east, west, north]);
    const [inEast, inWest] = members as [Member, Member];
    await northCluster.stopServer('kube-apiserver');

    await Promise.all([inEast, inWest].map(({ mesh }) => mesh.askFor('root/1')));
    for (const { mesh } of [inEast, inWest]) {
      await mesh.untilStatus('waits for cluster north alone', ({ certificateAuthority: authority }) => {
        const { phase, waitingFor = [] } = authority ?? {};
        const isNamed = waitingFor.some((each) => each.includes('cluster north cannot be reached since'));
        return phase === 'Trusting' && isNamed && waitingFor.every((each) => each.includes('cluster north'));
      });
    }
    await northCluster.startServer('kube-apiserver');

    for (const member of [inEast, inWest]) await untilAnswered(member, 'root/1');
    await untilExchanged(...members);
  });
});
