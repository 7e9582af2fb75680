import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubeconfigOptions, tokenFileOption } from '../../../src/api/kubeconfig-options.ts';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { type KubeconfigChangeCost, kubeconfigChangeCost } from '../../../src/api/versions.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { CredentialSlot } from '../../../src/controllers/remotes/credential-state.ts';
import { issueToken, withdrawToken } from '../../../src/controllers/remotes/reader-tokens.ts';
import { type Reader, remoteSecret } from '../../../src/controllers/remotes/remote-secret.ts';
import { type RemoteIdentity, readKubeconfig } from '../../../src/kube/remote-identity.ts';
import { renderReader } from '../../../src/render/multicluster/reader.ts';
import { remoteTokenFile } from '../../../src/render/multicluster/remote-tokens.ts';
import type { IstiodName } from '../../cluster/toolchain/tools.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { IstiodProcess } from '../../support/istiod-process.ts';
import { EndpointWitness, knownEndpoints, untilKnown, untilSynced } from '../../support/known-endpoints.ts';
import { mayListServices } from '../../support/remote-cluster.ts';
import { aResolvedMesh } from '../../support/resolved-mesh.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { TcpGate } from '../../support/tcp-gate.ts';
import { never, type TestClient, testClient, uniqueName } from '../../support/test-client.ts';

/** Real programs, each with a release that is as it is in this. */
const istiods = [
  { release: '1.30.3', program: 'istiod-losing-endpoints' },
  { release: '1.31.1', program: 'pilot-discovery' },
] as const satisfies readonly { readonly release: string; readonly program: IstiodName }[];

const clusterName = 'west';
const fieldManager = 'test';

let east: TestClient;
let eastKubeconfig: string;
let west: TestClient;
let westPlace: Omit<RemoteIdentity, 'credential'>;
let folder: string;

beforeAll(async () => {
  const [here, there] = await Promise.all([sharedCluster('none'), sharedCluster('none', 'other')]);
  [east, west] = [testClient(here.kubeconfigPath), testClient(there.kubeconfigPath)];
  eastKubeconfig = here.kubeconfigPath;
  const { credential: _admin, ...place } = readKubeconfig(
    await readFile(there.kubeconfigPath, 'utf8'),
    clusterName,
  );
  westPlace = place;
  folder = await mkdtemp(join(tmpdir(), 'remote-tokens-'));
});

afterAll(async () => {
  await east?.connection.close();
  await west?.connection.close();
  await rm(folder, { recursive: true });
});

/** A namespace of a mesh in both clusters; in the other one, the reader of its istiod, and two services that run there alone. */
class Mesh {
  readonly namespace = uniqueName('bytes');
  readonly steady = this.#service('steady');
  readonly moving = this.#service('moving');
  readonly gate: TcpGate;
  readonly #resolved = aResolvedMesh({ namespace: this.namespace, clusterId: 'east' });
  readonly #istiods: IstiodProcess[] = [];

  private constructor(gate: TcpGate) {
    this.gate = gate;
  }

  static async create(): Promise<Mesh> {
    const mesh = new Mesh(await TcpGate.start(new URL(westPlace.server)));
    const { namespace } = mesh;
    const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    for (const { client } of [east, west]) await client.create(home, { fieldManager }, never);
    for (const object of renderReader(mesh.#resolved, false))
      await west.client.apply(object, { fieldManager }, never);
    for (const [{ name }, address] of [
      [mesh.steady, '192.0.2.1'],
      [mesh.moving, '192.0.2.2'],
    ] as const) {
      const spec = { ports: [{ name: 'http', port: 80 }] };
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
      await west.client.create(service, { fieldManager }, never);
      await mesh.moveTo(name, address);
    }
    return mesh;
  }

  async close(): Promise<void> {
    for (const istiod of this.#istiods) await istiod.stop();
    await this.gate.stop();
  }

  /** Gives a service in the other cluster this endpoint and no other. */
  async moveTo(name: string, address: string): Promise<void> {
    const labels = { 'kubernetes.io/service-name': name };
    const slice = {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      metadata: { name, namespace: this.namespace, labels },
      ...{ addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] },
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    };
    await west.client.apply(slice, { fieldManager, force: true }, never);
  }

  /** As the operator does it. */
  issueToken(): Promise<CredentialSlot> {
    const credential = { type: 'Bound', lifetimeMs: 24 * 3_600_000 } as const;
    return issueToken(west.client, this.#resolved, { credential }, systemClock, never);
  }

  /** Takes a token back, and returns when the other API server refuses it. */
  async withdraw(slot: CredentialSlot): Promise<void> {
    await withdrawToken(west.client, this.#resolved, slot, never);
    await waitUntil({ what: 'the token is refused', intervalMs: 200 }, async () => {
      const whom = { ...westPlace, credential: { token: slot.token } };
      return (await mayListServices(whom)) === 'Unauthorized';
    });
  }

  /** Writes what istiod reads. A token in a file is in one of this test: istiod is in no pod here. */
  async tellIstiod(place: Partial<Reader>): Promise<void> {
    const owner = { apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator' };
    const metadata = { name: 'mesh', namespace: this.namespace, uid: this.namespace };
    const secret = remoteSecret({ ...owner, metadata }, clusterName, { ...westPlace, ...place });
    const { [clusterName]: text = '' } = secret.data as Record<string, string>;
    const kubeconfig = Buffer.from(text, 'base64')
      .toString()
      .replace(remoteTokenFile(clusterName), this.#tokenFile);
    const data = { [clusterName]: Buffer.from(kubeconfig).toString('base64') };
    await east.client.apply({ ...secret, data } as KubernetesObject, { fieldManager, force: true }, never);
  }

  /** Puts a token into the file at once, as a kubelet does. */
  async writeToken(token: string): Promise<void> {
    await writeFile(`${this.#tokenFile}.new`, token);
    await rename(`${this.#tokenFile}.new`, this.#tokenFile);
  }

  async startIstiod(program: IstiodName): Promise<IstiodProcess> {
    // The clusters are shared: istiod must leave all other namespaces alone.
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': this.namespace } };
    const istiod = await IstiodProcess.start({
      ...{ program, kubeconfig: eastKubeconfig, namespace: this.namespace },
      files: { 'etc/istio/config/mesh': JSON.stringify({ discoverySelectors: [selector] }) },
      env: {
        ...{ CLUSTER_ID: 'east', INJECT_ENABLED: 'false', [kubeconfigOptions]: tokenFileOption },
        // 30 s by default. The program that loses endpoints uses another kubeconfig only after that.
        PILOT_REMOTE_CLUSTER_TIMEOUT: '10s',
      },
    });
    this.#istiods.push(istiod);
    return istiod;
  }

  async restartIstiod(program: IstiodName): Promise<IstiodProcess> {
    await this.#istiods.pop()?.stop();
    return this.startIstiod(program);
  }

  get #tokenFile(): string {
    return join(folder, this.namespace);
  }

  #service(name: string) {
    return { clusterName, namespace: this.namespace, name };
  }
}

async function inMesh(act: (mesh: Mesh) => Promise<void>): Promise<void> {
  const mesh = await Mesh.create();
  try {
    await act(mesh);
  } finally {
    await mesh.close();
  }
}

/** What istiod knows of a service while it cannot read its cluster yet by another kubeconfig, and once it has. */
const outcomes = {
  Nothing: { meanwhile: ['192.0.2.1'], afterwards: ['192.0.2.1'] },
  Moment: { meanwhile: [], afterwards: ['192.0.2.1'] },
  UntilRestart: { meanwhile: ['192.0.2.1'], afterwards: [] },
} as const satisfies Record<KubeconfigChangeCost, object>;

describe.concurrent.each(istiods)('an istiod as in $release', ({ release, program }) => {
  const cost = kubeconfigChangeCost(release) ?? 'Nothing';

  test(`pays for another kubeconfig with ${cost}, and nothing more after a restart`, () =>
    inMesh(async (mesh) => {
      const { steady, moving, gate } = mesh;
      const { token } = await mesh.issueToken();
      await mesh.tellIstiod({ token });
      const istiod = await mesh.startIstiod(program);
      await untilKnown(istiod, steady, ['192.0.2.1']);
      await untilSynced(istiod, clusterName);
      const witness = new EndpointWitness(istiod, steady);

      const comes = gate.shut();
      await mesh.tellIstiod({ token, server: `https://${gate.address}` });
      await comes;
      await untilKnown(istiod, steady, outcomes[cost].meanwhile);
      gate.open();
      await untilSynced(istiod, clusterName);

      // Whatever istiod would have done about the one service is done when it knows this of the other.
      await mesh.moveTo(moving.name, '192.0.2.3');
      await untilKnown(istiod, moving, ['192.0.2.3']);
      const { looks, missed } = await witness.end();
      expect(await knownEndpoints(istiod, steady)).toEqual(outcomes[cost].afterwards);
      expect(missed === 0).toBe(cost === 'Nothing');
      expect(looks).toBeGreaterThan(0);

      const restarted = await mesh.restartIstiod(program);
      await untilKnown(restarted, steady, ['192.0.2.1']);
      await untilKnown(restarted, moving, ['192.0.2.3']);
    }));

  test('loses nothing with another token in the file that its kubeconfig names, and uses that', () =>
    inMesh(async (mesh) => {
      const { steady, moving, gate } = mesh;
      const [before, after] = [await mesh.issueToken(), await mesh.issueToken()];
      await mesh.writeToken(before.token);
      await mesh.tellIstiod({ server: `https://${gate.address}` });
      const istiod = await mesh.startIstiod(program);
      await untilKnown(istiod, steady, ['192.0.2.1']);
      await untilSynced(istiod, clusterName);
      const witness = new EndpointWitness(istiod, steady);

      await mesh.writeToken(after.token);
      await mesh.withdraw(before);
      // What istiod has asked before is answered on; from now on it must show a token.
      gate.cut();
      await mesh.moveTo(moving.name, '192.0.2.3');
      await untilKnown(istiod, moving, ['192.0.2.3']);

      expect(await witness.end()).toMatchObject({ missed: 0 });
      expect(await knownEndpoints(istiod, steady)).toEqual(['192.0.2.1']);
    }));
});
