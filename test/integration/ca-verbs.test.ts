import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kindInfo } from '../../src/api/kinds.ts';
import { rotateAnnotation } from '../../src/api/labels.ts';
import type { CertificateAuthorityStatus } from '../../src/api/mesh-operator-status.ts';
import { NotFoundError } from '../../src/base/errors.ts';
import { caPlan } from '../../src/cli/ca-plan.ts';
import { type CaRotateOptions, caRotate } from '../../src/cli/ca-rotate.ts';
import { caStatus } from '../../src/cli/ca-status.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { anAuthorityStatus, aTrustCondition } from '../support/authority-status.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { installMeshOperatorCrd } from '../support/mesh-operator-crd.ts';
import { type CliRun, runCli } from '../support/run-cli.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';
import { TestMesh } from '../support/test-mesh.ts';

const meshKind = kindInfo('meshoperator.dev/v1alpha1', 'MeshOperator');
const startedAt = '2026-01-01T00:00:00.000Z';

/** No operator runs: the tests say what its status says. */
describe('mesh-operator ca, against an API server', () => {
  let cluster: Cluster;
  let api: TestClient;
  let namespace: string;
  let mesh: TestMesh;

  beforeAll(async () => {
    cluster = await sharedCluster();
    api = testClient(cluster.kubeconfigPath);
    await installMeshOperatorCrd(cluster);
  });

  beforeEach(async () => {
    namespace = await ownNamespace(api.client, 'ca-verbs');
    mesh = new TestMesh(api.client, { namespace, name: 'mesh' });
    await api.client.create(aMeshOperator({}, { namespace }), { fieldManager: 'test' }, never);
    await say(anAuthorityStatus());
  });

  afterAll(() => api?.connection.close());

  async function say(certificateAuthority: CertificateAuthorityStatus): Promise<void> {
    const status = { certificateAuthority, conditions: [aTrustCondition()] };
    const metadata = { name: 'mesh', namespace };
    const { apiVersion, kind } = meshKind;
    const options = { fieldManager: 'test-status', force: true, subresource: 'status' };
    await api.client.apply({ apiVersion, kind, metadata, status }, options, never);
  }

  function rotate(flags: Partial<CaRotateOptions>): Promise<CliRun> {
    const options = { kubeconfig: cluster.kubeconfigPath, namespace, ...flags };
    return runCli((terminal) => caRotate('mesh', options, terminal));
  }

  async function request(): Promise<string | undefined> {
    return (await mesh.read()).metadata.annotations?.[rotateAnnotation];
  }

  test('status and plan show what the status says, for people and for programs', async () => {
    const options = { kubeconfig: cluster.kubeconfigPath, namespace, name: 'mesh', output: 'text' } as const;

    const status = await runCli((terminal) => caStatus(options, terminal));
    const plan = await runCli((terminal) => caPlan(options, terminal));
    const json = await runCli((terminal) => caStatus({ ...options, output: 'json' }, terminal));

    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining(`${namespace}/mesh: Stable`) });
    expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining('Next rotation of the root') });
    expect(JSON.parse(json.stdout)).toEqual([
      {
        ...{ namespace, name: 'mesh', trustHealthy: aTrustCondition() },
        certificateAuthority: anAuthorityStatus(),
      },
    ]);
  });

  test('status names a mesh that is not there', async () => {
    const options = { kubeconfig: cluster.kubeconfigPath, namespace, name: 'mash', output: 'text' } as const;

    const call = runCli((terminal) => caStatus(options, terminal));

    await expect(call).rejects.toThrow(NotFoundError);
    await expect(call).rejects.toThrow(`There is no MeshOperator mash in namespace ${namespace}`);
  });

  test('rotate writes the annotation, and leaves what else is annotated', async () => {
    const merge = { metadata: { annotations: { 'example.com/note': 'mine' } } };
    await api.client.patch(mesh.id, { type: 'merge', merge }, { fieldManager: 'test' }, never);

    const { code, stderr } = await rotate({ intermediate: true });

    const { annotations } = (await mesh.read()).metadata;
    expect(code).toBe(0);
    expect(annotations).toEqual({
      'example.com/note': 'mine',
      [rotateAnnotation]: expect.stringMatching(/^intermediate\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(stderr).toBe(`${namespace}/mesh: asked for ${annotations?.[rotateAnnotation]}\n`);
  });

  test('rotate asks for nothing where a rotation is paused', async () => {
    await mesh.change({ certificateAuthority: { rotation: { paused: { reason: 'freeze' } } } });

    const { code, stdout, stderr } = await rotate({ compromised: true });

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('nothing was asked for. The rotation is paused (freeze)');
    expect(await request()).toBeUndefined();
  });

  test('rotate --compromised --wait says what is exposed, then each phase, and in the end for how long', async () => {
    const rotation = { kind: 'root', reason: 'KeyCompromise', startedAt } as const;
    const run = rotate({ compromised: true, wait: true });
    await waitUntil({ what: 'a rotation is asked for' }, request);

    for (const [phase, second] of [
      ['Trusting', 1],
      ['Signing', 2],
      ['Distrusting', 3],
    ] as const) {
      const phaseSince = `2026-01-01T00:00:0${second}.000Z`;
      await say(anAuthorityStatus({ phase, rotation: { ...rotation, phaseSince } }));
    }
    const finishedAt = '2026-01-01T00:00:04.000Z';
    await say(anAuthorityStatus({ lastRotation: { ...rotation, finishedAt, seconds: 4 } }));
    const { code, stdout } = await run;

    expect(code).toBe(0);
    expect(stdout).toMatch(/^Exposure: the key of root a1/);
    expect(stdout.split('\n').slice(-6)).toEqual([
      '2026-01-01T00:00:01.000Z Trusting: root (KeyCompromise)',
      '2026-01-01T00:00:02.000Z Signing: root (KeyCompromise)',
      '2026-01-01T00:00:03.000Z Distrusting: root (KeyCompromise)',
      '2026-01-01T00:00:04.000Z Stable: the rotation of the root took 4.0 s',
      'For so long the old key could still be used; no proxy trusts its root any more.',
      '',
    ]);
  });

  test('rotate --wait ends when the mesh is deleted meanwhile', async () => {
    const run = rotate({ root: true, wait: true });
    await Promise.all([
      expect(run).rejects.toThrow(NotFoundError),
      waitUntil({ what: 'a rotation is asked for' }, request).then(() => mesh.delete()),
    ]);
  });
});
