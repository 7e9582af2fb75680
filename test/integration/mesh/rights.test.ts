import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorAnnotation } from '../../../src/api/author.ts';
import { wholeSeconds } from '../../../src/api/conditions.ts';
import { idOf, type KubernetesObject, keyText } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { operatorNamespace } from '../../cluster/operator.ts';
import { waitUntil } from '../../cluster/wait-until.ts';
import { isWrite } from '../../support/audit-log.ts';
import { ClusterUser } from '../../support/cluster-user.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import type { RunningOperator } from '../../support/running-operator.ts';
import { findWebhookPlace, InstalledWebhooks, type WebhookPlace } from '../../support/running-webhooks.ts';
import { never, uniqueName } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

const clusterScope = {
  ...{ apiGroups: ['meshoperator.dev'], resources: ['meshoperators/clusterscope'], verbs: ['use'] },
};

let world: MeshCluster;
let operator: RunningOperator;
let place: WebhookPlace;
let webhooks: InstalledWebhooks;
/** The team's own namespace, where it is admin, and that of its neighbour. */
let team: string;
let neighbour: string;
let anna: ClusterUser;

beforeAll(async () => {
  world = await MeshCluster.open();
  place = await findWebhookPlace();
  operator = await world.startOperator(place.flags);
  webhooks = await InstalledWebhooks.install(world, place, operator);
  [team, neighbour] = [await world.ownNamespace('team'), await world.ownNamespace('neighbour')];
  anna = await ClusterUser.create(world.cluster, team, 'anna');
  // With the chart's roles, which make MeshOperators a matter of whoever is admin of a namespace.
  await anna.bind(team, 'admin');
  const trial = { fieldManager: 'test', dryRun: true };
  await untilAllowed(() => anna.client.create(aMesh(gateways(team)), trial, never));
});

afterAll(async () => {
  await webhooks?.remove();
  await anna?.close();
  await world?.close();
});

/** Gateways alone: nothing of it belongs to the cluster. */
function gateways(namespace: string): MeshOperatorSpec {
  const gateway = { name: uniqueName('gateway'), namespace, enabled: true };
  return { profile: 'empty', revision: uniqueName('r'), components: { egressGateways: [gateway] } };
}

const controlPlane = (): MeshOperatorSpec => ({
  ...{ profile: 'minimal', revision: uniqueName('r') },
  sidecarInjector: { enabled: false },
});

async function create(
  client: KubeClient,
  spec: MeshOperatorSpec,
  annotations: Record<string, string> = {},
): Promise<TestMesh> {
  const object = aMesh(spec, annotations);
  await client.create(object, { fieldManager: 'test' }, never);
  return new TestMesh(world.client, { namespace: team, name: object.metadata.name });
}

function aMesh(spec: MeshOperatorSpec, annotations: Record<string, string> = {}): KubernetesObject {
  return {
    ...{ apiVersion: 'meshoperator.dev/v1alpha1', kind: 'MeshOperator', spec },
    metadata: { name: uniqueName('mesh'), namespace: team, annotations },
  };
}

function change(
  client: KubeClient,
  mesh: TestMesh,
  merge: Record<string, unknown>,
): Promise<KubernetesObject> {
  return client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
}

async function authorOf(mesh: TestMesh): Promise<string> {
  const text = (await mesh.read()).metadata.annotations?.[authorAnnotation] ?? '{}';
  return JSON.parse(text).user?.username ?? 'nobody';
}

describe('at admission', () => {
  test('a team makes a mesh of what it may do in its own namespace', async () => {
    const mesh = await create(anna.client, gateways(team));

    await mesh.until('Ready');
    expect(await mesh.condition('Authorized')).toMatchObject({ status: 'True', reason: 'AuthorAllowed' });
    expect(await authorOf(mesh)).toBe(anna.username);
  });

  test('a gateway in the namespace of a neighbour is refused, with the right that is missing', async () => {
    await expect(create(anna.client, gateways(neighbour))).rejects.toThrow(
      new RegExp(
        `user "${anna.username}" may not do what this mesh needs: create, patch, delete serviceaccounts in namespace ${neighbour};.*kubectl auth can-i create serviceaccounts --namespace ${neighbour}`,
      ),
    );
  });

  test('a control plane is refused until somebody who may grants what reaches the whole cluster', async () => {
    const spec = controlPlane();
    await expect(create(anna.client, spec)).rejects.toThrow(
      `use meshoperators/clusterscope.meshoperator.dev in namespace ${team}; as this user, try: kubectl auth can-i use meshoperators.meshoperator.dev --subresource clusterscope --namespace ${team}`,
    );

    const binding = await anna.bind(team, 'meshoperators-clusterscope');
    const mesh = await untilAllowed(() => create(anna.client, spec));

    await mesh.until('Ready');
    expect(await canI('use', 'meshoperators.meshoperator.dev', '--subresource', 'clusterscope')).toBe('yes');
    await withdraw(binding);
  });

  test('nobody gives themselves that right', async () => {
    const role = {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules: [clusterScope] },
      metadata: { name: 'own', namespace: team },
    };

    await expect(anna.client.create(role, { fieldManager: 'test' }, never)).rejects.toThrow(
      /attempting to grant/,
    );
  });

  test('what another mesh has is refused with its name, and so is what the namespace has no room or label for', async () => {
    const holder = await create(world.client, gateways(team));
    const { revision } = (await world.client.get(holder.id, never)).spec as { revision: string };
    await waitUntil({ what: 'the operator has seen the mesh' }, async () =>
      (await holder.status()).observedGeneration === 1 ? true : undefined,
    );
    await expect(create(world.client, { ...gateways(team), revision })).rejects.toThrow(
      `spec.revision: revision ${revision} belongs to MeshOperator ${team}/${holder.key.name}`,
    );

    const tenant = uniqueName('tenant');
    const tenancy = { tenant, members: { selector: {} } };
    await world.cluster.kubectl('create', 'quota', 'small', '--hard', 'requests.cpu=100m', '-n', team);
    await expect(create(world.client, { ...controlPlane(), tenancy })).rejects.toThrow(
      new RegExp(
        `spec\\.tenancy\\.tenant: namespace ${team} is not the control plane of tenant ${tenant}.*` +
          `asks for requests\\.cpu 500m, but ResourceQuota ${team}/small allows requests\\.cpu 100m in all`,
      ),
    );
    await world.cluster.kubectl('delete', 'quota', 'small', '-n', team);
    await holder.delete();
    await holder.untilGone();
  });

  test('a spec with problems is refused in the words of the validation', async () => {
    const spec = { ...gateways(team), meshConfig: { acessLogFile: '/dev/stdout' } };

    await expect(create(world.client, spec)).rejects.toThrow(
      'spec.meshConfig.acessLogFile: is not a field (did you mean "accessLogFile"?)',
    );
  });

  test('who the author is cannot be claimed', async () => {
    const byAdmin = await create(world.client, gateways(team));
    const seal = (await byAdmin.read()).metadata.annotations?.[authorAnnotation] ?? '';
    const before = await authorOf(byAdmin);

    const claimed = await create(anna.client, gateways(team), { [authorAnnotation]: seal });
    await change(anna.client, byAdmin, {
      metadata: { annotations: { [authorAnnotation]: null, other: 'x' } },
    });

    expect(await authorOf(claimed)).toBe(anna.username);
    expect(await authorOf(byAdmin)).toBe(before);
    await change(anna.client, byAdmin, {
      metadata: { annotations: { [authorAnnotation]: seal } },
      spec: { tag: '1.31.0' },
    });
    expect(await authorOf(byAdmin)).toBe(anna.username);
  });

  test('a server-side dry run says the same and changes nothing', async () => {
    const object = aMesh(gateways(neighbour));

    await expect(anna.client.create(object, { fieldManager: 'test', dryRun: true }, never)).rejects.toThrow(
      /may not do what this mesh needs/,
    );
  });
});

describe('rights that are withdrawn', () => {
  test('leave the mesh as it is, stop the next change of the spec, and never its deletion', async () => {
    const edge = await world.ownNamespace('edge');
    const binding = await anna.bind(edge, 'admin');
    const mesh = await untilAllowed(() => create(anna.client, gateways(edge)));
    await mesh.until('Ready');
    await withdraw(binding, edge);

    await untilRefused(() => change(anna.client, mesh, { spec: { tag: '1.31.0' } }));

    await mesh.until('Ready');
    await anna.client.delete(mesh.id, {}, never);
    await mesh.untilGone();
  });

  test('after admission leave nothing done, and say so in status until somebody applies it who may', async () => {
    const edge = await world.ownNamespace('edge');
    const binding = await anna.bind(edge, 'admin');
    const lease = await heldLease();
    await operator.end();
    operator = world.launchOperator(['--lease-name', lease.metadata.name, ...place.flags]);
    const mesh = await untilAllowed(() => create(anna.client, gateways(edge)));
    await withdraw(binding, edge);

    await world.client.delete(idOf(lease), {}, never);
    await mesh.until('Stalled');

    expect(await mesh.condition('Authorized')).toMatchObject({
      ...{ status: 'False', reason: 'AuthorNotAllowed' },
      message: expect.stringMatching(
        `user "${anna.username}" may not .* serviceaccounts in namespace ${edge};`,
      ),
    });
    expect(await mesh.inventory()).toEqual([]);
    await change(world.client, mesh, { metadata: { labels: { applied: 'again' } } });
    await mesh.until('Ready');
    expect(await authorOf(mesh)).not.toBe(anna.username);
  });
});

describe('while nobody answers the webhooks', () => {
  test('a new spec is refused, and nothing else: neither deletion nor the operator’s own writes', async () => {
    const mesh = await create(world.client, gateways(team));
    await mesh.until('Ready');
    await operator.end();

    await expect(create(world.client, gateways(team))).rejects.toThrow(/failed calling webhook/);
    await expect(change(world.client, mesh, { spec: { tag: '1.31.0' } })).rejects.toThrow(
      /failed calling webhook/,
    );
    await change(world.client, mesh, { metadata: { labels: { other: 'x' } } });
    await mesh.delete();
    operator = await world.startOperator(elsewhere(place));
    await mesh.untilGone();
    await operator.end();
    operator = await world.startOperator(place.flags);
  });

  test('a spec that is stored nevertheless is not followed until it is applied once more', async () => {
    const mesh = await create(anna.client, gateways(team));
    await mesh.until('Ready');
    const objects = await mesh.objects();
    await webhooks.remove();

    await untilAllowed(() => change(anna.client, mesh, { spec: { hub: 'registry.example.com/istio' } }));
    await mesh.until('Stalled');

    expect(await mesh.condition('Authorized')).toMatchObject({ status: 'False', reason: 'AuthorUnknown' });
    expect((await mesh.objects()).map(versionOf)).toEqual(objects.map(versionOf));
    webhooks = await InstalledWebhooks.install(world, place, operator);
    await change(anna.client, mesh, { metadata: { labels: { applied: 'again' } } });
    await mesh.until('Ready');
    expect((await mesh.objects()).map(versionOf)).not.toEqual(objects.map(versionOf));
  });
});

describe('the operator', () => {
  test('makes control planes of a mesh without being refused, and stands for them itself', async () => {
    const mesh = await create(world.client, {
      ...{ ...controlPlane(), upgrade: { strategy: 'RevisionBased' } },
    });
    await mesh.until('Ready');

    const part = (await mesh.inventory()).find(({ kind }) => kind === 'MeshOperator');
    const own = new TestMesh(world.client, { namespace: team, name: part?.name ?? '' });
    expect(await own.condition('Authorized')).toMatchObject({ status: 'True', reason: 'MadeByOperator' });
  });

  test('asks nothing of a mesh that is at rest, and nothing again when it is restarted', async () => {
    const mesh = await create(anna.client, gateways(team));
    await mesh.until('Ready');
    await operator.end();
    await world.audit.restart();

    operator = await world.startOperator(place.flags);
    await operator.untilLogged('Reconciled', { key: keyText(mesh.key), controller: 'mesh' });

    const requests = await world.audit.requestsOf(world.access.user);
    expect(requests.filter(({ resource }) => resource === 'subjectaccessreviews')).toEqual([]);
    expect(requests.filter(isWrite).filter(({ resource }) => !isOfOperator(resource))).toEqual([]);
  });

  test('renews its certificate when the Secret is deleted, and no spec is refused meanwhile', async () => {
    const id = { apiVersion: 'v1', kind: 'Secret', namespace: operatorNamespace };
    const secret = { ...id, name: 'mesh-operator-admission-tls' };
    const before = certificateOf(await world.client.get(secret, never));
    const refusals: unknown[] = [];
    const ask = async () => {
      const trial = { fieldManager: 'test', dryRun: true };
      await world.client
        .create(aMesh(gateways(team)), trial, never)
        .catch((error: unknown) => refusals.push(error));
    };

    await world.client.delete(secret, {}, never);
    await waitUntil({ what: 'there is another certificate' }, async () => {
      await ask();
      const after = certificateOf(await world.client.find(secret, never));
      return after !== '' && after !== before;
    });
    for (let times = 0; times < 20; times += 1) await ask();

    expect(refusals).toEqual([]);
  });

  test('leaves meshes in force that it had before it recorded authors, until their spec changes', async () => {
    await webhooks.remove();
    await operator.end();
    operator = await world.startOperator();
    const mesh = await create(anna.client, gateways(team));
    await mesh.until('Ready');
    expect(await mesh.condition('Authorized')).toBeUndefined();
    const before = (await mesh.objects()).map(versionOf);
    await operator.end();

    operator = await world.startOperator(place.flags);
    webhooks = await InstalledWebhooks.install(world, place, operator);

    await mesh.untilReason('Authorized', 'AuthorNotRecorded');
    await mesh.until('Ready');
    expect((await mesh.objects()).map(versionOf)).toEqual(before);
    await change(anna.client, mesh, { spec: { hub: 'registry.example.com/istio' } });
    await mesh.untilReason('Authorized', 'AuthorAllowed');
  });
});

/** A Lease that nobody will give back. */
async function heldLease(): Promise<KubernetesObject> {
  const lease = {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: { name: uniqueName('held'), namespace: operatorNamespace },
    spec: {
      holderIdentity: 'nobody',
      leaseDurationSeconds: 3600,
      renewTime: `${wholeSeconds(new Date()).slice(0, -1)}.000000Z`,
    },
  };
  return world.client.create(lease, { fieldManager: 'test' }, never);
}

/** An operator whose webhooks the API server does not find. */
function elsewhere({ flags }: WebhookPlace): string[] {
  return [...flags.slice(0, -1), '127.0.0.1:0'];
}

function isOfOperator(resource: string): boolean {
  return ['leases', 'events'].includes(resource);
}

function versionOf(object: KubernetesObject | undefined): string | undefined {
  return object?.metadata.generation?.toString() ?? object?.metadata.uid;
}

/** What replicas show; empty while there is none. */
function certificateOf(secret: KubernetesObject | undefined): string {
  return (secret?.data as { 'tls.crt'?: string } | undefined)?.['tls.crt'] ?? '';
}

async function withdraw(binding: string, namespace = team): Promise<void> {
  await world.cluster.kubectl('delete', 'rolebinding', binding, '--namespace', namespace);
}

/** What kubectl says of a right of anna in the namespace of the team; fails when it is no. */
async function canI(...what: readonly string[]): Promise<string> {
  const place = ['--namespace', team, '--as', anna.username];
  return (await world.cluster.kubectl('auth', 'can-i', ...what, ...place)).trim();
}

/** An API server follows roles by a watch: a moment after a right is given or taken it counts. */
async function untilAllowed<T>(act: () => Promise<T>): Promise<T> {
  return waitUntil({ what: 'the right counts' }, act);
}

async function untilRefused(act: () => Promise<unknown>): Promise<void> {
  await waitUntil({ what: 'the right is gone' }, async () => {
    try {
      await act();
      return undefined;
    } catch (error) {
      expect(String(error)).toContain('may not do what this mesh needs');
      return true;
    }
  });
}
