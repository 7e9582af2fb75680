import { join } from 'node:path';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { JsonObject } from '../../../src/api/resolved-mesh.ts';
import { istioVersions } from '../../../src/api/versions.ts';
import type { AdoptionPlan } from '../../../src/cli/adopt/plan-adoption.ts';
import { type AdoptOptions, adopt } from '../../../src/cli/adopt.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { ensureIstioSource } from '../../cluster/toolchain/istio-source.ts';
import { run } from '../../cluster/toolchain/run-command.ts';
import { ensureTool } from '../../cluster/toolchain/tools.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { never } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

const namespace = 'by-istioctl';
/** What istioctl installs by, and keeps no record of. */
const istioOperator = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  spec: {
    ...{ hub: 'registry.example.com/istio', tag: '1.31.0' },
    values: { global: { istioNamespace: namespace } },
  },
};

let world: MeshCluster;
let mesh: TestMesh;

beforeAll(async () => {
  world = await MeshCluster.open();
  await world.createNamespace(namespace);
  await world.startOperator();
  mesh = new TestMesh(world.client, { namespace, name: 'mesh' });
  const [istioctl, folder] = [
    await ensureTool('istioctl'),
    await ensureIstioSource(istioVersions[0].minor, 'istio.io/istio', () => {}),
  ];
  const { kubeconfigPath } = world.cluster;
  await run(
    istioctl,
    [
      ...['install', '--skip-confirmation', '--force', '--kubeconfig', kubeconfigPath, '-f', '-'],
      ...['--manifests', join(folder, 'manifests')],
    ],
    { input: dump(istioOperator) },
  );
});

afterAll(() => world?.close());

function runAdopt(options: Partial<AdoptOptions>, stdin = ''): Promise<CliRun> {
  const all = { kubeconfig: world.cluster.kubeconfigPath, output: 'json', ...options } as const;
  return runCli((terminal) => adopt(all, terminal), stdin);
}

/** Identities of what is in the namespace, and of what carries labels of istioctl. */
async function identities(): Promise<ReadonlyMap<string, KubernetesObject>> {
  const kinds = [kindInfo('v1', 'Pod'), kindInfo('v1', 'Service'), kindInfo('apps/v1', 'Deployment')];
  const lists = await Promise.all(kinds.map((kind) => world.client.list(kind, { namespace }, never)));
  return new Map(lists.flatMap(({ items }) => items).map((object) => [idText(idOf(object)), object]));
}

test('asks for what istioctl was given, since it keeps no record', async () => {
  await expect(runAdopt({})).rejects.toThrow(UsageError);
  await expect(runAdopt({})).rejects.toThrow(
    /^istioctl keeps no record of what was installed: give it by -f/,
  );
});

test('an install by istioctl is taken over with zero deletes and zero restarts', async () => {
  const before = await identities();
  const report = await runAdopt({ filename: '-' }, dump(istioOperator));
  const plan = JSON.parse(report.stdout) as AdoptionPlan;
  expect({ code: report.code, stderr: report.stderr }).toEqual({ code: 0, stderr: '' });
  expect(plan).toMatchObject({ installer: 'istioctl', losses: [], refusals: [], releases: [] });
  // Simulated nodes run no injector.
  const wanted = {
    ...plan.mesh,
    spec: { ...(plan.mesh.spec as JsonObject), sidecarInjector: { enabled: false } },
  };
  mesh = new TestMesh(world.client, { namespace, name: String((plan.mesh.metadata as JsonObject).name) });

  const { code } = await runAdopt({ filename: '-', yes: true }, dump(wanted));
  await mesh.until('Ready');

  expect(code).toBe(0);
  const after = await identities();
  const uids = (objects: ReadonlyMap<string, KubernetesObject>) =>
    [...objects].map(([name, { metadata }]) => [name, metadata.uid]);
  expect(uids(after)).toEqual(uids(before));
  const service = after.get(`Service ${namespace}/istio-ingressgateway`);
  expect(service?.spec).toEqual(before.get(`Service ${namespace}/istio-ingressgateway`)?.spec);
  const managers = (service?.metadata.managedFields ?? []).map(({ manager }) => manager);
  expect(managers).not.toContain('istio-operator');
  expect(
    Object.keys(service?.metadata.labels ?? {}).filter((key) => /operator\.istio\.io/.test(key)),
  ).toEqual([]);
});
