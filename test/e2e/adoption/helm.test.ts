import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindInfo } from '../../../src/api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { adopt } from '../../../src/cli/adopt.ts';
import { ownedKinds } from '../../../src/controllers/mesh/owned-kinds.ts';
import { defaultRelease } from '../../cluster/images/ensure-image.ts';
import { importImages, installOperator, operatorNamespace, readManifest } from '../../cluster/operator.ts';
import { AuditLog, requestText } from '../../support/audit-log.ts';
import { callsWhile } from '../../support/calls-while.ts';
import { type RealMesh, removeRealMesh } from '../../support/real-mesh.ts';
import { runCli } from '../../support/run-cli.ts';
import { sharedCluster } from '../../support/shared-cluster.ts';
import { never, testClient } from '../../support/test-client.ts';
import { TestMesh } from '../../support/test-mesh.ts';
import { openUpstreamCharts } from '../../support/upstream-charts.ts';

const namespace = 'istio-system';
const apps = ['canary', 'shop', 'outside'];
/** One inside the mesh, and one outside, which goes through the gateway. */
const callers = ['shop', 'outside'].map((where) => ({
  ...{ namespace: where, workload: 'client', container: 'caller' },
}));
const operatorUser = `system:serviceaccount:${operatorNamespace}:mesh-operator`;
const resources = { requests: { cpu: '50m', memory: '40Mi' } };

let real: RealMesh;
let audit: AuditLog;

beforeAll(async () => {
  const cluster = await sharedCluster('kubelet');
  const admin = testClient(cluster.kubeconfigPath);
  real = { cluster, admin, mesh: new TestMesh(admin.client, { namespace, name: 'mesh' }) };
  audit = new AuditLog(cluster);
  await importImages(cluster, ['istiod', 'proxyv2', 'test-app']);
  await installOperator(cluster);
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
  await installByHelm();
  await cluster.apply(await readManifest('test/e2e/upgrade/apps.yaml'));
  for (const where of apps) await ready('pods', where);
}, 600_000);

afterAll(async () => {
  if (real !== undefined) await removeRealMesh(real, ...apps);
});

/** Istio's own charts: base, istiod, and a gateway beside it. */
async function installByHelm(): Promise<void> {
  const { cluster } = real;
  const charts = await openUpstreamCharts();
  const install = (chart: string, release: string, values: object) =>
    charts.install(
      { chart, release, namespace, values: { ...values } },
      cluster.kubeconfigPath,
      'server-side',
    );
  const scaled = { autoscaleEnabled: false, resources: { requests: { cpu: '100m', memory: '128Mi' } } };
  await install('base', 'istio-base', {});
  await install('istio-control/istio-discovery', 'istiod', {
    ...scaled,
    // A request is tried once: no failure is hidden.
    meshConfig: { defaultHttpRetryPolicy: { attempts: 0 } },
    global: { ...defaultRelease, proxy: { resources } },
  });
  await ready('deployments', namespace);
  await cluster.apply(await readManifest('test/cluster/stock-envoy.yaml'));
  await install('gateway', 'istio-ingressgateway', {
    ...{ autoscaling: { enabled: false }, replicaCount: 1, resources },
    // Else whoever pulls it again would look for it at its registry.
    imagePullPolicy: 'IfNotPresent',
  });
  await ready('deployments', namespace);
}

async function ready(kind: 'pods' | 'deployments', where: string): Promise<void> {
  const condition = kind === 'pods' ? 'Ready' : 'Available';
  const flags = ['--all', '-n', where, `--for=condition=${condition}`, '--timeout=240s'];
  await real.cluster.kubectl('wait', kind, ...flags);
}

/** All objects of the kinds that a mesh consists of, and pods. */
async function everything(): Promise<ReadonlyMap<string, KubernetesObject>> {
  const kinds = [...ownedKinds, kindInfo('v1', 'Pod')];
  const lists = await Promise.all(kinds.map((kind) => real.admin.client.list(kind, {}, never)));
  return new Map(lists.flatMap(({ items }) => items).map((object) => [idText(idOf(object)), object]));
}

interface PodStatus {
  readonly containerStatuses?: readonly { readonly restartCount: number }[];
  readonly initContainerStatuses?: readonly { readonly restartCount: number }[];
}

function restartsOf({ status }: KubernetesObject): number {
  const { containerStatuses = [], initContainerStatuses = [] } = status as PodStatus;
  return [...containerStatuses, ...initContainerStatuses].reduce(
    (sum, { restartCount }) => sum + restartCount,
    0,
  );
}

/** Of pods: who they are, and how often their containers have been started again. */
function podsIn(objects: ReadonlyMap<string, KubernetesObject>) {
  return [...objects]
    .filter(([, { kind, metadata }]) => kind === 'Pod' && metadata.namespace !== operatorNamespace)
    .filter(([, { metadata }]) => metadata.labels?.app !== 'sidecar-injector')
    .map(([name, pod]) => ({ name, uid: pod.metadata.uid, restarts: restartsOf(pod) }));
}

interface Webhook {
  readonly namespaceSelector: { readonly matchExpressions?: readonly unknown[] };
}

function webhooksOf(configuration: KubernetesObject | undefined): readonly Webhook[] {
  const webhooks = (configuration?.webhooks ?? []) as readonly Webhook[];
  if (webhooks.length === 0) throw new Error('there are no webhooks');
  return webhooks;
}

function measured(what: string, act: () => Promise<void>) {
  return callsWhile(real.cluster, { callers, what, further: 20 }, act);
}

/** The proxies of the pods that an app has now. */
async function proxiesOf(where: string, app: string): Promise<string[][]> {
  const options = { namespace: where, labelSelector: `app=${app}` };
  const { items } = await real.admin.client.list(kindInfo('v1', 'Pod'), options, never);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => {
      const { containers, initContainers = [] } = spec as {
        containers: { name: string }[];
        initContainers?: { name: string }[];
      };
      return [...containers, ...initContainers]
        .map(({ name }) => name)
        .filter((name) => name === 'istio-proxy');
    });
}

describe('an install made by real helm with Istio’s charts, under traffic through gateway and sidecars', () => {
  test('is adopted with no failed request, no pod made anew or restarted, and no object deleted; Services stay', async () => {
    const before = await everything();
    await audit.restart();

    const { failures } = await measured('Adoption of an install by Helm', async () => {
      const options = { kubeconfig: real.cluster.kubeconfigPath, yes: true, output: 'text' } as const;
      const { code, stdout, stderr } = await runCli((terminal) => adopt(options, terminal));
      expect({ code, stdout: code === 0 ? '' : stdout, stderr }).toMatchObject({ code: 0 });
      await real.mesh.until('Ready');
    });

    expect(failures).toEqual({});
    const after = await everything();
    expect(podsIn(after)).toEqual(podsIn(before));
    const uids = (objects: ReadonlyMap<string, KubernetesObject>) =>
      [...before.keys()].map((name) => [name, objects.get(name)?.metadata.uid]);
    expect(uids(after)).toEqual(uids(before));
    for (const name of ['istiod', 'istio-ingressgateway'].map(
      (service) => `Service ${namespace}/${service}`,
    )) {
      expect(after.get(name)?.spec).toEqual(before.get(name)?.spec);
      expect(after.get(name)?.status).toEqual(before.get(name)?.status);
    }
    const deletions = (await audit.requestsOf(operatorUser)).filter(({ verb }) => verb.startsWith('delete'));
    expect(deletions.map(requestText)).toEqual([]);
    const theirs = after.get('MutatingWebhookConfiguration istio-sidecar-injector');
    const only = { key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] };
    for (const { namespaceSelector } of webhooksOf(theirs)) {
      expect(namespaceSelector.matchExpressions).toContainEqual(only);
    }
    expect((await real.mesh.status()).adopted).toEqual(
      expect.arrayContaining([
        { object: `Deployment ${namespace}/istiod`, keeps: 'PodTemplate' },
        { object: `Deployment ${namespace}/istio-ingressgateway`, keeps: 'PodTemplate' },
      ]),
    );
  });

  test('injects new pods by the operator’s injector, once, and those of a gateway beside istiod as before', async () => {
    const { failures } = await measured('Pods made after the adoption', async () => {
      await real.cluster.kubectl('rollout', 'restart', '-n', 'canary', 'deployment/items');
      await real.cluster.kubectl('rollout', 'status', '-n', 'canary', 'deployment/items', '--timeout=240s');
      await real.cluster.kubectl('rollout', 'restart', '-n', namespace, 'deployment/istio-ingressgateway');
      const gateway = ['-n', namespace, 'deployment/istio-ingressgateway', '--timeout=240s'];
      await real.cluster.kubectl('rollout', 'status', ...gateway);
    });

    expect(failures).toEqual({});
    for (const proxies of [
      await proxiesOf('canary', 'items'),
      await proxiesOf(namespace, 'istio-ingressgateway'),
    ]) {
      expect(new Set(proxies.flat())).toEqual(new Set(['istio-proxy']));
      expect(proxies.every((names) => names.length === 1)).toBe(true);
    }
  });

  test('gets the pod templates of the operator with the next change, and then has nothing of Helm left', async () => {
    const { failures } = await measured('The first change after the adoption', async () => {
      await real.mesh.change({
        components: { pilot: { k8s: { podAnnotations: { 'example.com/now': 'ours' } } } },
      });
      await real.mesh.untilStatus(
        'keeps nothing',
        ({ adopted, state }) => adopted === undefined && state === 'Ready',
      );
    });

    expect(failures).toEqual({});
    const helm = [...(await everything())].filter(([, { metadata }]) =>
      (metadata.managedFields ?? []).some(({ manager }) => manager === 'helm'),
    );
    const ofIstio = helm.filter(([, { metadata }]) => metadata.namespace === namespace);
    expect(ofIstio.map(([name]) => name)).toEqual([]);
  });
});
