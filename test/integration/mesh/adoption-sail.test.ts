import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { JsonObject } from '../../../src/api/resolved-mesh.ts';
import type { AdoptionPlan } from '../../../src/cli/adopt/plan-adoption.ts';
import { type AdoptOptions, adopt } from '../../../src/cli/adopt.ts';
import { ownedKinds } from '../../../src/controllers/mesh/owned-kinds.ts';
import { isWrite, requestText } from '../../support/audit-log.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type CliRun, runCli } from '../../support/run-cli.ts';
import { SailInstallation, type SailIstio } from '../../support/sail-installation.ts';
import { never } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';

const hub = 'registry.example.com/istio';
const meshConfig = { accessLogFile: '/dev/stdout' };

let world: MeshCluster;
let sail: SailInstallation;

beforeAll(async () => {
  world = await MeshCluster.open();
  sail = await SailInstallation.open(world);
  await world.startOperator();
});

afterAll(async () => {
  await sail?.close();
  await world?.close();
});

interface Case {
  readonly title: string;
  readonly istio: Pick<SailIstio, 'name' | 'namespace' | 'operatorNamespace' | 'updateStrategy' | 'tags'>;
  /** What Sail makes of it, by facts of its source. */
  readonly revision: string;
  readonly owners: readonly string[];
  readonly releases: readonly string[];
  /** What its mesh has beyond those of all cases. */
  readonly spec: JsonObject;
}

const cases: readonly Case[] = [
  {
    title: 'the default revision',
    istio: {
      ...{ name: 'default', namespace: 'by-sail', operatorNamespace: 'sail-operator' },
      updateStrategy: 'InPlace',
    },
    revision: 'default',
    owners: ['istiorevision.sailoperator.io/default', 'istio.sailoperator.io/default'],
    releases: ['by-sail/default-istiod', 'sail-operator/default-base'],
    spec: {},
  },
  {
    title: 'the revision of a version, with tags',
    istio: {
      ...{ name: 'canary', namespace: 'by-sail-canary', operatorNamespace: 'sail-operator-canary' },
      ...{ updateStrategy: 'RevisionBased', tags: ['default', 'prod'] },
    },
    revision: 'canary-v1-31-0',
    owners: [
      'istiorevisiontag.sailoperator.io/default',
      'istiorevisiontag.sailoperator.io/prod',
      'istiorevision.sailoperator.io/canary-v1-31-0',
      'istio.sailoperator.io/canary',
    ],
    releases: [
      ...['by-sail-canary/canary-v1-31-0-istiod', 'sail-operator-canary/default-base'],
      ...['by-sail-canary/default-revisiontags', 'by-sail-canary/prod-revisiontags'],
    ],
    spec: { revision: 'canary-v1-31-0', revisionTags: ['default', 'prod'] },
  },
];

describe.each(cases)('$title', ({ istio, revision, owners, releases, spec }) => {
  const { namespace } = istio;
  const istiod = revision === 'default' ? 'istiod' : `istiod-${revision}`;
  let plan: AdoptionPlan;
  let before: ReadonlyMap<string, KubernetesObject>;
  let mesh: TestMesh;

  beforeAll(async () => {
    for (const name of [namespace, istio.operatorNamespace]) await world.createNamespace(name);
    await sail.install({ ...istio, hub, version: '1.31.0', values: { meshConfig } });
  });

  function runAdopt(options: Partial<AdoptOptions>, stdin = ''): Promise<CliRun> {
    const all = { kubeconfig: world.cluster.kubeconfigPath, output: 'json', namespace, revision } as const;
    return runCli((terminal) => adopt({ ...all, ...options }, terminal), stdin);
  }

  test('is not adopted while Sail has it, and the report says what to do, by the spec that Sail has', async () => {
    const { code, stdout, stderr } = await runAdopt({ yes: true });

    plan = JSON.parse(stdout) as AdoptionPlan;
    expect(code).toBe(1);
    expect(plan).toMatchObject({ installer: 'sail', losses: [], mesh: { metadata: { name: revision } } });
    expect(plan.mesh.spec).toEqual({ version: '1.31.0', hub, profile: 'minimal', meshConfig, ...spec });
    expect(plan.releases.map((release) => /(\S+)\)$/.exec(release)?.[1])).toEqual(releases);
    expect(plan.objects.filter(({ action }) => action === 'refuse')).toEqual([]);
    expect(stderr).toContain(
      `IstioRevision ${revision} (sailoperator.io/v1) owns objects of this Istio and would set them back: take Sail's operator off it by the steps of this report`,
    );
    expect(plan.refusals).toHaveLength(owners.length);
    expect(plan.steps[0]).toMatch(
      /^Keep the MeshOperator of this report: mesh-operator adopt .* > mesh\.yaml$/,
    );
    expect(plan.steps.filter((step) => step.startsWith('kubectl delete'))).toEqual(
      owners.map((owner) => `kubectl delete ${owner} --cascade=orphan`),
    );
  });

  test('is adopted once these steps are taken, with no object deleted and no pod made', async () => {
    before = await installed();
    expect(tracesOfSail(before.get(`Service ${namespace}/${istiod}`))).toEqual([
      ...['managed-by', 'IstioRevision', 'sail-operator'],
    ]);
    await world.audit.restart();
    for (const step of plan.steps) {
      const [program, ...words] = [...step.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, word]) => quoted ?? word ?? '',
      );
      if (program === 'kubectl') await world.cluster.kubectl(...words);
    }
    // Simulated nodes run no injector.
    const wanted = { ...(plan.mesh.spec as JsonObject), sidecarInjector: { enabled: false } };
    const { code, stderr } = await runAdopt(
      { filename: '-', yes: true },
      dump({ ...plan.mesh, spec: wanted }),
    );
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('takes over') });

    mesh = new TestMesh(world.client, { namespace, name: revision });
    await mesh.until('Ready');

    const after = await installed();
    expect(uidsOf(after, before.keys())).toEqual(uidsOf(before, before.keys()));
    expect([...after.keys()].filter(isPod)).toEqual([...before.keys()].filter(isPod));
    const requests = await world.audit.requestsOf(world.access.user);
    expect(requests.some(isWrite)).toBe(true);
    expect(requests.filter(({ verb }) => verb.startsWith('delete')).map(requestText)).toEqual([]);
  });

  test('Sail has no field of it any more, but for what pods that run still use', async () => {
    const { adopted = [] } = await mesh.status();
    const kept = new Set(adopted.map(({ object }) => object));
    const after = await installed();

    expect(adopted).toContainEqual({ object: `Deployment ${namespace}/${istiod}`, keeps: 'PodTemplate' });
    const taken = [...before.keys()].filter((name) => !isPod(name) && !kept.has(name));
    expect(taken).toEqual(
      expect.arrayContaining([`Service ${namespace}/${istiod}`, `ServiceAccount ${namespace}/${istiod}`]),
    );
    const traces = taken.map((name) => [name, tracesOfSail(after.get(name))]);
    expect(traces).toEqual(taken.map((name) => [name, []]));
  });

  test('a later version of the MeshOperator is that of what had been Sail’s', async () => {
    await mesh.change({ version: '1.31.1' });
    await mesh.untilStatus(
      'keeps nothing of Sail',
      ({ adopted, state }) => adopted === undefined && state === 'Ready',
    );

    const id = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: istiod };
    const deployment = await world.client.get(id, never);
    expect(deployment).toMatchObject({
      metadata: { uid: before.get(`Deployment ${namespace}/${istiod}`)?.metadata.uid },
      spec: { template: { spec: { containers: [{ image: `${hub}/pilot:1.31.1` }] } } },
    });
    const objects = [...(await installed())].filter(([name]) => !isPod(name));
    const left = objects.filter(([, object]) => tracesOfSail(object).length > 0);
    expect(left.map(([name]) => name)).toEqual([]);
  });

  test('goes as any other mesh', async () => {
    await mesh.delete();
    await mesh.untilGone();

    expect([...(await installed()).keys()].filter((name) => !isPod(name))).toEqual([]);
  });

  /** Pods of the namespace, and each object that Sail has installed or that is there in place of it. */
  async function installed(): Promise<ReadonlyMap<string, KubernetesObject>> {
    const lists = await Promise.all(
      [...ownedKinds, kindInfo('v1', 'Pod')].map((kind) => world.client.list(kind, {}, never)),
    );
    const found = lists
      .flatMap(({ items }) => items)
      .filter(({ kind, metadata: { namespace: own, labels = {}, annotations = {} } }) => {
        if (kind === 'Pod') return own === namespace;
        const { 'meta.helm.sh/release-namespace': where, 'meta.helm.sh/release-name': release } = annotations;
        const isOurs = labels['meshoperator.dev/mesh-namespace'] === namespace;
        return releases.includes(`${where}/${release}`) || isOurs;
      });
    return new Map(found.map((object) => [idText(idOf(object)), object]));
  }
});

function isPod(name: string): boolean {
  return name.startsWith('Pod ');
}

function uidsOf(objects: ReadonlyMap<string, KubernetesObject>, names: Iterable<string>) {
  return [...names].map((name) => [name, objects.get(name)?.metadata.uid]);
}

/** What of an object says that it is Sail's. */
function tracesOfSail(object: KubernetesObject | undefined): string[] {
  const { labels = {}, ownerReferences = [], managedFields = [] } = object?.metadata ?? {};
  return [
    ...Object.keys(labels).filter((key) => key === 'managed-by'),
    ...ownerReferences.map(({ kind }) => kind).filter((kind) => kind !== 'MeshOperator'),
    ...managedFields.map(({ manager }) => manager).filter((manager) => manager === 'sail-operator'),
  ];
}
