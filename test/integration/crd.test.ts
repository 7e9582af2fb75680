import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kindInfo } from '../../src/api/kinds.ts';
import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../src/api/mesh-operator-status.ts';
import { messageOf } from '../../src/base/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { badInputs } from '../support/bad-input.ts';
import { aMeshOperator, aMeshOperatorFromYaml } from '../support/mesh-operator.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

const crdName = 'meshoperators.meshoperator.dev';
const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');

describe('the CRD on a real API server', () => {
  let cluster: Cluster;
  let api: TestClient;
  let namespace: string;

  beforeAll(async () => {
    cluster = await sharedCluster();
    api = testClient(cluster.kubeconfigPath);
    namespace = await ownNamespace(api.client, 'crd');
    await cluster.apply(await readFile(`crds/${crdName}.yaml`, 'utf8'));
    await waitUntil({ what: 'the API server serves MeshOperators' }, listMeshes);
  });

  afterEach(async () => {
    for (const mesh of await listMeshes()) {
      await api.client.delete({ ...meshKind, namespace, name: mesh.metadata.name }, {}, never);
    }
  });

  afterAll(() => api?.connection.close());

  async function listMeshes(): Promise<KubernetesObject[]> {
    return (await api.client.list(meshKind, { namespace }, never)).items;
  }

  /** Creates an object in the test's namespace and returns it, or what the API server says against it. */
  async function create(object: object): Promise<KubernetesObject | string> {
    const mesh = object as KubernetesObject;
    const inNamespace = { ...mesh, metadata: { ...mesh.metadata, namespace } };
    try {
      return await api.client.create(inNamespace, { fieldManager: 'test' }, never);
    } catch (error) {
      return messageOf(error);
    }
  }

  it('is structural and established', async () => {
    const conditions = await waitUntil({ what: 'the CRD is established' }, async () => {
      const crd = JSON.parse(await cluster.kubectl('get', 'crd', crdName, '-o', 'json')) as {
        status: { conditions: { type: string; status: string }[] };
      };
      const found = crd.status.conditions.map(({ type, status }) => `${type}=${status}`).sort();
      return found.includes('Established=True') && found;
    });

    expect(conditions).toEqual(['Established=True', 'NamesAccepted=True']);
  });

  it.each(badInputs)('$refusedAt refuses: $name', async ({ spec, refusedAt, apiServerSays = '' }) => {
    const answer = await create(aMeshOperatorFromYaml(spec));

    if (refusedAt === 'schema') {
      expect(answer).toContain(apiServerSays);
      expect(await listMeshes()).toEqual([]);
    } else {
      expect(answer).toMatchObject({ spec: load(spec) });
    }
  });

  it('says of a mesh that the operator has not seen yet that its status speaks of no generation', async () => {
    const mesh = await create(aMeshOperator());

    expect(mesh).toMatchObject({ metadata: { generation: 1 }, status: { observedGeneration: -1 } });
  });

  it('keeps an unknown key, so that the operator can say what was meant', async () => {
    const spec = { profil: 'demo', components: { pilot: { k8s: { replicas: 2 } } } };

    const mesh = await create({ ...aMeshOperator(), spec });

    expect(mesh).toMatchObject({ spec });
  });

  it('adds nothing to a spec', async () => {
    const spec = { components: { ingressGateways: [{ name: 'public', k8s: { service: {} } }] } };

    const mesh = (await create(aMeshOperator(spec))) as KubernetesObject;

    expect(mesh.spec).toEqual(spec);
  });

  it('does not let the revision change', async () => {
    await create(aMeshOperator({ revision: 'one', version: '1.31' }));
    const patch = (spec: object) =>
      cluster.kubectl(
        'patch',
        'mesh',
        'mesh',
        '-n',
        namespace,
        '--type=merge',
        '-p',
        JSON.stringify({ spec }),
      );

    const refusal = 'revision cannot be changed: create another MeshOperator for another revision';
    await expect(patch({ revision: 'two' })).rejects.toThrow(refusal);
    await expect(patch({ revision: null })).rejects.toThrow(refusal);
    await expect(patch({ version: '1.31.1' })).resolves.toContain('patched');
  });

  it.each(['mesh', 'minimal', 'revisioned'])('takes examples/%s.yaml', async (name) => {
    const example = load(await readFile(`examples/${name}.yaml`, 'utf8')) as KubernetesObject;

    const mesh = await create(example);

    expect(mesh).toMatchObject({ spec: example.spec });
  });

  it('takes every field of a status and shows it in columns', async () => {
    const conditions = [
      {
        type: 'Ready',
        status: 'False' as const,
        reason: 'InvalidSpec',
        message: 'spec.profil: is not a field',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ];
    const status: MeshOperatorStatus = {
      observedGeneration: 1,
      state: 'Stalled',
      version: '1.31.1',
      revision: 'default',
      conditions,
      inventory: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: namespace, name: 'istio' }],
      gateways: [{ name: 'istio-ingressgateway', namespace: namespace, addresses: ['10.0.0.1'] }],
      revisions: [{ name: 'default', version: '1.31.1' }],
    };
    await create(aMeshOperator());

    await cluster.kubectl(
      'patch',
      'mesh',
      'mesh',
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    );

    expect((await listMeshes())[0]?.status).toEqual(status);
    // Asked for in discovery: `kubectl get istio-io` asks for Istio's own kinds as well, which other tests
    // install and take away meanwhile.
    const { resources } = JSON.parse(
      await cluster.kubectl('get', '--raw', '/apis/meshoperator.dev/v1alpha1'),
    ) as { resources: { name: string; categories?: string[] }[] };
    expect(resources.find(({ name }) => name === 'meshoperators')?.categories).toEqual(['istio-io']);
    const [header, row] = (
      await cluster.kubectl('get', 'meshoperators', 'mesh', '-n', namespace, '-o', 'wide')
    ).split('\n');
    expect(header?.split(/\s{2,}/).filter((column) => column !== '')).toEqual([
      'NAME',
      'STATE',
      'READY',
      'REVISION',
      'VERSION',
      'AGE',
      'MESSAGE',
    ]);
    expect(row?.split(/\s{2,}/).filter((_, column) => column !== 5)).toEqual([
      'mesh',
      'Stalled',
      'False',
      'default',
      '1.31.1',
      'spec.profil: is not a field',
    ]);
  });

  it('explains a field in kubectl', async () => {
    const text = await cluster.kubectl(
      'explain',
      'meshoperator.spec.components.ingressGateways.k8s.replicaCount',
    );

    expect(text).toContain('Fixed number of pods');
  });
});
