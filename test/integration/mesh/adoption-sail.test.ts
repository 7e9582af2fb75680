import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { type AdoptOptions, adopt } from '../../../src/cli/adopt.ts';
import { ownedKinds } from '../../../src/controllers/mesh/owned-kinds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { runCli } from '../../support/run-cli.ts';
import { never } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';
import { openUpstreamCharts } from '../../support/upstream-charts.ts';

/**
 * What Sail leaves in a cluster: Istio's charts as Helm releases named after the revision, each object owned by an
 * IstioRevision of the cluster, and that by an Istio. Sail itself is not there, nor are its CRDs, which no registry of
 * modules has: these take anything.
 */
const namespace = 'by-sail';
const finalizers = ['sailoperator.io/sail-operator'];

let world: MeshCluster;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.createNamespace(namespace);
  for (const [kind, plural] of [
    ['Istio', 'istios'],
    ['IstioRevision', 'istiorevisions'],
  ] as const) {
    await world.cluster.apply(JSON.stringify(crdOf(kind, plural)));
    await world.cluster.kubectl('wait', 'crd', `${plural}.sailoperator.io`, '--for=condition=Established');
  }
  const charts = await openUpstreamCharts();
  const values = {
    global: { istioNamespace: namespace, hub: 'registry.example.com/istio', tag: '1.31.0' },
  };
  for (const [chart, release] of [
    ['base', 'default-base'],
    ['istio-control/istio-discovery', 'default-istiod'],
  ] as const) {
    await charts.install({ chart, release, namespace, values }, world.cluster.kubeconfigPath, 'server-side');
  }
  await ownBySail();
  await world.startOperator();
});

afterAll(async () => {
  await world?.cluster.kubectl('delete', 'crd', 'istios.sailoperator.io', 'istiorevisions.sailoperator.io');
  await world?.close();
});

test('nothing is adopted while Sail owns it, and what to do is said', async () => {
  const { code, stderr } = await runAdopt({ yes: true });

  expect(code).toBe(1);
  expect(stderr).toContain(
    "IstioRevision default (sailoperator.io/v1) owns objects of this Istio and would set them back: scale Sail's operator to 0, take the finalizers off its Istio and IstioRevision, and delete the IstioRevision and then the Istio with --cascade=orphan",
  );
  expect(await world.meshes()).toEqual([]);
});

test('whoever does so has it adopted, with no object deleted and no pod made anew', async () => {
  const before = await everything();
  for (const kind of ['istiorevision', 'istio']) {
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    await world.cluster.kubectl('patch', `${kind}.sailoperator.io`, 'default', '--type=merge', '-p', patch);
    await world.cluster.kubectl('delete', `${kind}.sailoperator.io`, 'default', '--cascade=orphan');
  }

  const { code, stderr } = await runAdopt({ yes: true });

  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('takes over') });
  const mesh = new TestMesh(world.client, { namespace, name: 'mesh' });
  await mesh.untilReason('ControlPlaneReady', 'Healthy');
  const after = await everything();
  for (const [name, { metadata }] of before)
    expect([name, after.get(name)?.metadata.uid]).toEqual([name, metadata.uid]);
  const service = after.get(`Service ${namespace}/istiod`);
  expect(service?.metadata.ownerReferences?.map(({ kind }) => kind)).toEqual(['MeshOperator']);
  expect(service?.metadata.managedFields?.map(({ manager }) => manager)).not.toContain('helm');
});

function runAdopt(options: Partial<AdoptOptions>) {
  const all = { kubeconfig: world.cluster.kubeconfigPath, output: 'text', ...options } as const;
  return runCli((terminal) => adopt(all, terminal));
}

/** Every object of the charts and its pods, by what it is. */
async function everything(): Promise<ReadonlyMap<string, KubernetesObject>> {
  const lists = await Promise.all(
    [...ownedKinds, kindInfo('v1', 'Pod')].map((kind) => world.client.list(kind, {}, never)),
  );
  const found = lists
    .flatMap(({ items }) => items)
    .filter(({ metadata: { namespace: own, annotations = {}, labels = {} } }) =>
      own === undefined
        ? annotations['meta.helm.sh/release-namespace'] === namespace ||
          labels['meshoperator.dev/mesh-namespace'] === namespace
        : own === namespace,
    );
  return new Map(found.map((object) => [idText(idOf(object)), object]));
}

async function ownBySail(): Promise<void> {
  const spec = { namespace, version: 'v1.31.0' };
  const apiVersion = 'sailoperator.io/v1';
  const uids: string[] = [];
  for (const kind of ['Istio', 'IstioRevision']) {
    const owners = uids.map((uid) => ({ apiVersion, kind: 'Istio', name: 'default', uid, controller: true }));
    const metadata = { name: 'default', finalizers, ownerReferences: owners };
    await world.cluster.apply(JSON.stringify({ apiVersion, kind, metadata, spec }));
    const name = `${kind.toLowerCase()}.sailoperator.io/default`;
    uids.push(await world.cluster.kubectl('get', name, '-o', 'jsonpath={.metadata.uid}'));
  }
  const owner = { apiVersion, kind: 'IstioRevision', name: 'default', uid: uids[1] ?? '', controller: true };
  for (const object of (await everything()).values()) {
    if (object.metadata.annotations?.['meta.helm.sh/release-name'] === undefined) continue;
    const merge = { metadata: { ownerReferences: [owner] } };
    await world.client.patch(
      idOf(object),
      { type: 'merge', merge },
      { fieldManager: 'sail-operator' },
      never,
    );
  }
}

function crdOf(kind: string, plural: string) {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.sailoperator.io` },
    spec: {
      group: 'sailoperator.io',
      scope: 'Cluster',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
