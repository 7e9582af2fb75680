import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { primaryConfigMapId, readPrimary } from '../../../src/api/primary-statement.ts';
import { trustStatementKey, trustStatementName } from '../../../src/api/trust-statement-object.ts';
import { factsOf } from '../../../src/pki/certificate-facts.ts';
import type { TrustStatement } from '../../../src/pki/trust-statement.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { makeAuthority } from '../../support/given-authority.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { RemoteCluster } from '../../support/remote-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import type { TestMesh } from '../../support/test-mesh.ts';
import { TrustSecrets } from '../../support/trust-secrets.ts';

let east: MeshCluster;
let west: MeshCluster;
let westCluster: RemoteCluster;
let westOperator: RunningOperator;

beforeAll(async () => {
  [east, westCluster] = await Promise.all([
    MeshCluster.open('none'),
    RemoteCluster.start(uniqueName('west')),
  ]);
  west = await MeshCluster.on(westCluster.cluster);
  [, westOperator] = await Promise.all([east.startOperator(), west.startOperator()]);
});

afterAll(async () => {
  await east?.close();
  await west?.close();
  await westCluster?.close();
});

/** The two MeshOperators of a mesh, in namespaces of one name. */
class Pair {
  readonly namespace: string;
  readonly revision: string;

  private constructor(namespace: string, revision: string) {
    this.namespace = namespace;
    this.revision = revision;
  }

  static async prepare(): Promise<Pair> {
    const namespace = await east.ownNamespace();
    await west.createNamespace(namespace);
    const data = { kubeconfig: Buffer.from(await westCluster.kubeconfig()).toString('base64') };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'west', namespace }, data };
    await east.client.apply(secret, { fieldManager: 'test', force: true }, never);
    return new Pair(namespace, uniqueName('r'));
  }

  /** The mesh of the cluster with the istiod; without nodes, only one without istiod has its gateways made. */
  createPrimary(spec: MeshOperatorSpec = {}): Promise<TestMesh> {
    return east.createMesh(
      {
        ...{ profile: 'empty', revision: this.revision, sidecarInjector: { enabled: false } },
        multiCluster: {
          ...{ meshID: 'shop', clusterName: 'east' },
          remotes: [{ clusterName: 'west', role: 'Remote', kubeconfig: { secretName: 'west' } }],
        },
        components: { eastWestGateways: [{ name: 'eastwest' }] },
        ...spec,
      },
      { namespace: this.namespace },
    );
  }

  createFollower(spec: MeshOperatorSpec = {}): Promise<TestMesh> {
    const key = 'kubernetes.io/metadata.name';
    return west.createMesh(
      {
        ...{ revision: this.revision, sidecarInjector: { enabled: false } },
        // The meshes of other tests bring other roots to their namespaces.
        meshConfig: {
          discoverySelectors: [{ matchExpressions: [{ key, operator: 'In', values: [this.namespace] }] }],
        },
        multiCluster: { meshID: 'shop', clusterName: 'west', role: 'Remote' },
        ...spec,
      },
      { namespace: this.namespace },
    );
  }

  /** Has `west` refuse further ConfigMaps in the namespace. Resolves when it does. */
  async refuseConfigMaps(): Promise<void> {
    const limit = { 'count/configmaps': '0' };
    const metadata = { name: 'none', namespace: this.namespace };
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: limit } };
    await west.client.apply(quota, { fieldManager: 'test', force: true }, never);
    // As the controller of quotas, which does not run here.
    const counted = JSON.stringify({ status: { hard: limit, used: limit } });
    await west.cluster.kubectl(
      ...['patch', 'resourcequota', 'none', '-n', this.namespace, '--subresource=status', '--type=merge'],
      ...['-p', counted],
    );
    const create = ['create', 'configmap', 'tried', '-n', this.namespace, '--dry-run=server'];
    await waitUntil({ what: 'ConfigMaps are refused' }, () =>
      west.cluster.kubectl(...create).then(
        () => false,
        (error: Error) => error.message.includes('exceeded quota'),
      ),
    );
  }

  async acceptConfigMaps(): Promise<void> {
    await west.cluster.kubectl('delete', 'resourcequota', 'none', '-n', this.namespace);
  }

  async untilIstiodMayRead(): Promise<void> {
    const name = 'istio-remote-secret-west';
    const id = { apiVersion: 'v1', kind: 'Secret', namespace: this.namespace, name };
    await waitUntil({ what: 'istiod has a credential' }, () => east.client.find(id, never));
  }

  /** As whoever keeps the authority of `east`. */
  async putRoots(rootPem: string): Promise<void> {
    const metadata = { name: 'istio-ca-root-cert', namespace: this.namespace };
    const roots = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': rootPem } };
    await east.client.apply(roots, { fieldManager: 'test', force: true }, never);
  }

  /** As the load balancer of `east`. */
  async giveAddress(...ingress: readonly object[]): Promise<void> {
    const id = { apiVersion: 'v1', kind: 'Service', namespace: this.namespace, name: 'eastwest' };
    await waitUntil({ what: 'the gateway has a Service' }, () => east.client.find(id, never));
    await east.cluster.kubectl(
      ...['patch', 'service', 'eastwest', '-n', this.namespace, '--subresource=status', '--type=merge'],
      ...['-p', JSON.stringify({ status: { loadBalancer: { ingress } } })],
    );
  }

  get #toldId() {
    return primaryConfigMapId(this.namespace, this.revision);
  }

  /** What `west` has been told. */
  told(): Promise<KubernetesObject | undefined> {
    return west.client.find(this.#toldId, never);
  }

  async untilTold(what: string, holds: (configMap: KubernetesObject) => boolean): Promise<void> {
    const explain = async () => JSON.stringify((await this.told())?.data);
    await waitUntil({ what, explain }, async () => {
      const told = await this.told();
      return told !== undefined && holds(told);
    });
  }

  async untilNothingTold(): Promise<void> {
    await waitUntil({ what: 'nothing is told' }, async () => (await this.told()) === undefined);
  }

  async breakTold(): Promise<void> {
    const merge = { data: { 'primary.json': 'nonsense' } };
    await west.client.patch(this.#toldId, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  }

  async untilFollowerAt(...addresses: readonly string[]): Promise<void> {
    const name = `istiod-${this.revision}`;
    const id = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: this.namespace, name };
    let found: unknown;
    await waitUntil(
      {
        what: `istiod is at ${addresses.join()}`,
        explain: async () => JSON.stringify(found),
      },
      async () => {
        const endpoints = (await west.client.find(id, never))?.endpoints as
          | { addresses: string[] }[]
          | undefined;
        found = endpoints;
        return endpoints?.flatMap((endpoint) => endpoint.addresses).join() === addresses.join();
      },
    );
  }

  /** The version that `east` asks for, and what `west` has answered. */
  async answered(): Promise<{ readonly version: string; readonly said: Partial<TrustStatement> }> {
    const told = await this.told();
    const version = told === undefined ? '' : (readPrimary(told).statement?.version ?? '');
    const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: this.namespace, name: trustStatementName };
    const data = (await west.client.find(id, never))?.data as Record<string, string> | undefined;
    return { version, said: JSON.parse(data?.[trustStatementKey] ?? '{}') };
  }

  async untilAnswered(): Promise<Partial<TrustStatement>> {
    const explain = async () => JSON.stringify(await this.answered());
    return waitUntil({ what: 'the bundle is answered', explain }, async () => {
      const { version, said } = await this.answered();
      return version !== '' && said.answers === version ? said : undefined;
    });
  }

  /** The roots that proxies of `west` find in the namespace of the mesh. */
  async untilRootsInWest(rootPem: string | undefined): Promise<void> {
    const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace: this.namespace, name: 'istio-ca-root-cert' };
    await waitUntil({ what: 'the roots are in the other cluster' }, async () => {
      const data = (await west.client.find(id, never))?.data as Record<string, string> | undefined;
      return data?.['root-cert.pem'] === rootPem;
    });
  }
}

const addressesIn = (told: KubernetesObject) => readPrimary(told).statement?.addresses ?? [];

describe('a cluster that follows the istiod of another one', () => {
  test('waits, and says for what, until that is told, and then goes on by itself', async () => {
    const pair = await Pair.prepare();
    const follower = await pair.createFollower();
    await follower.untilReason('Ready', 'PrimaryPending');
    const awaited = await follower.condition('Ready');
    expect(awaited?.message).toContain(
      'name this cluster there in spec.multiCluster.remotes with role Remote',
    );
    expect((await follower.condition('TrustHealthy'))?.reason).toBe('BundleRefused');

    const { rootPem } = await makeAuthority('east');
    await pair.putRoots(rootPem);
    const primary = await pair.createPrimary();
    await follower.untilStatus('waits for an address', ({ conditions = [] }) =>
      conditions.some(({ message }) =>
        message.includes('Waits for an address at which the istiod of cluster east is reached'),
      ),
    );
    await primary.untilStatus(
      'says so as well',
      ({ remotes = [] }) => remotes[0]?.reason === 'GatewayPending',
    );
    await pair.untilRootsInWest(rootPem);
    await follower.untilReason('TrustHealthy', 'Healthy');

    await pair.giveAddress({ ip: '192.0.2.7' });
    await follower.until('Ready');
    await pair.untilFollowerAt('192.0.2.7');
    await primary.untilStatus('is connected', ({ remotes = [] }) => remotes[0]?.state === 'Ready');
  });

  test('follows its addresses and its roots', async () => {
    const pair = await Pair.prepare();
    const [first, second] = [await makeAuthority('first'), await makeAuthority('second')];
    await pair.putRoots(first.rootPem);
    await pair.createPrimary();
    const follower = await pair.createFollower();
    await pair.giveAddress({ ip: '192.0.2.7' });
    await pair.untilFollowerAt('192.0.2.7');

    await pair.giveAddress({ ip: '192.0.2.8' }, { ip: '192.0.2.9' });
    await pair.untilFollowerAt('192.0.2.8', '192.0.2.9');

    await pair.putRoots(`${first.rootPem}${second.rootPem}`);
    await pair.untilRootsInWest(`${first.rootPem}${second.rootPem}`);
    await follower.until('Ready');
  });

  test('goes by the address of its own spec where that has one', async () => {
    const pair = await Pair.prepare();
    await pair.createPrimary();
    await pair.createFollower({ values: { global: { remotePilotAddress: '198.51.100.1' } } });
    await pair.giveAddress({ ip: '192.0.2.7' });
    await pair.untilTold('the address is told', (told) => addressesIn(told).join() === '192.0.2.7');

    await pair.untilFollowerAt('198.51.100.1');
  });

  test('is told again what somebody has changed or deleted over there, and keeps its istiod meanwhile', async () => {
    const pair = await Pair.prepare();
    await pair.createPrimary();
    const follower = await pair.createFollower();
    await pair.giveAddress({ ip: '192.0.2.7' });
    await pair.untilFollowerAt('192.0.2.7');

    await pair.breakTold();
    await follower.untilReason('Ready', 'PrimaryPending');
    await pair.untilFollowerAt('192.0.2.7');
    await pair.untilTold('the address is told again', (told) => addressesIn(told).join() === '192.0.2.7');
    await follower.until('Ready');
  });

  test('that refuses to be told is named, and gets its credential all the same', async () => {
    const pair = await Pair.prepare();
    await pair.refuseConfigMaps();
    const primary = await pair.createPrimary();

    await primary.untilStatus('names what is refused', ({ remotes = [] }) =>
      remotes.some(({ state, message = '' }) => state !== 'Ready' && message.includes('exceeded quota')),
    );
    await pair.untilIstiodMayRead();

    await pair.acceptConfigMaps();
    await pair.untilTold('it is told', () => true);
  });

  test('keeps nothing that it was told when it is named no more, follows no more, or the mesh ends', async () => {
    for (const end of ['named no more', 'a primary', 'deleted'] as const) {
      const pair = await Pair.prepare();
      const primary = await pair.createPrimary();
      await pair.untilTold('something is told', () => true);

      const remote = { clusterName: 'west', kubeconfig: { secretName: 'west' } };
      if (end === 'deleted') await primary.delete();
      else await primary.change({ multiCluster: { remotes: end === 'a primary' ? [remote] : [] } });
      await pair.untilNothingTold();
    }
  });

  test('takes its roots along when its own mesh ends', async () => {
    const pair = await Pair.prepare();
    const { rootPem } = await makeAuthority('east');
    await pair.putRoots(rootPem);
    await pair.createPrimary();
    const follower = await pair.createFollower();
    await pair.untilRootsInWest(rootPem);

    await follower.delete();
    await follower.untilGone();
    await pair.untilRootsInWest(undefined);
  });

  test('is told what istiod signs with where the operator keeps the authority, and no key', async () => {
    const pair = await Pair.prepare();
    await pair.createPrimary({ profile: 'minimal' });
    const versionIn = (configMap: KubernetesObject) => readPrimary(configMap).statement?.version ?? '';
    await pair.untilTold('there is something to answer', (configMap) => versionIn(configMap) !== '');

    const told = (await pair.told()) as KubernetesObject;
    const { statement } = readPrimary(told);
    expect(statement).toMatchObject({ clusterName: 'east', meshID: 'shop' });
    expect(String((told.data as Record<string, string>)['root-cert.pem'])).toContain('BEGIN CERTIFICATE');
    expect(statement?.signerPem).toContain('BEGIN CERTIFICATE');
    expect(JSON.stringify(told)).not.toContain('PRIVATE KEY');
  });

  test('answers for its proxies, and holds each phase of a rotation until it has', async () => {
    const pair = await Pair.prepare();
    const primary = await pair.createPrimary({
      profile: 'minimal',
      certificateAuthority: { rotation: { soak: '0s' } },
    });
    await pair.createFollower();
    const secrets = new TrustSecrets(east.client, pair.namespace);
    const root = async () => factsOf((await secrets.authority()).roots.current.certPem).fingerprint;
    const before = await pair.untilAnswered();
    expect(before).toMatchObject({ clusterName: 'west', meshID: 'shop', trusted: [await root()] });

    await westOperator.end('SIGKILL');
    await primary.askFor('root/1');
    await primary.untilStatus('waits for the other cluster', ({ certificateAuthority: authority }) => {
      const waits = authority?.waitingFor?.some((each) => each.includes('cluster west has not answered'));
      return authority?.phase === 'Trusting' && waits === true;
    });
    westOperator = await west.startOperator();
    await untilReplaced(secrets, 'root/1');

    const after = await pair.untilAnswered();
    expect(await root()).not.toBe(before.trusted?.[0]);
    expect(after).toMatchObject({ trusted: [await root()], held: [await root()] });
  });

  test('is left behind by a rotation after the time that the policy says, is named, and catches up by itself', async () => {
    const pair = await Pair.prepare();
    const primary = await pair.createPrimary({
      profile: 'minimal',
      certificateAuthority: { rotation: { soak: '0s', absentMembers: { proceedAfter: '1s' } } },
    });
    await pair.createFollower();
    const secrets = new TrustSecrets(east.client, pair.namespace);
    await pair.untilAnswered();

    await westOperator.end('SIGKILL');
    await primary.askFor('root/1');
    await untilReplaced(secrets, 'root/1');
    await primary.untilEvent('MemberLeftBehind', 'leaves Trusting without cluster west');
    await primary.untilStatus(
      'names whoever was left behind',
      ({ certificateAuthority, conditions = [] }) => {
        const [follower] = certificateAuthority?.followers ?? [];
        const isNamed = conditions.some(({ message }) =>
          message.includes('Not seen to trust the root: cluster west'),
        );
        return follower?.clusterName === 'west' && !follower.trustsRoot && isNamed;
      },
    );
    westOperator = await west.startOperator();

    const after = await pair.untilAnswered();
    const root = factsOf((await secrets.authority()).roots.current.certPem).fingerprint;
    expect(after).toMatchObject({ trusted: [root], held: [root] });
    await primary.untilStatus(
      'knows that it has caught up',
      ({ certificateAuthority }) =>
        certificateAuthority?.followers?.every(({ trustsRoot }) => trustsRoot) === true,
    );
  });
});

async function untilReplaced(secrets: TrustSecrets, request: string): Promise<void> {
  await waitUntil({ what: 'the root is replaced' }, async () => {
    const { phase, answeredRequest } = await secrets.authority();
    return phase === 'Stable' && answeredRequest === request;
  });
}
