import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { idOf, type KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { TerminalError, WaitingError } from '../../src/base/errors.ts';
import { Applier } from '../../src/kube/apply/applier.ts';
import type { JsonPatchOperation } from '../../src/kube/client.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient, uniqueName } from '../support/test-client.ts';

let api: TestClient;
let applier: Applier;
let namespace: string;

beforeAll(async () => {
  const cluster = await sharedCluster();
  api = testClient(cluster.kubeconfigPath);
  namespace = await ownNamespace(api.client, 'apply');
});

afterAll(() => api.connection.close());

beforeEach(() => {
  applier = new Applier({ client: api.client, fieldManager: 'mesh' });
});

// biome-ignore lint/suspicious/noExplicitAny: the tests change single fields deep inside
type Loose = any;

function aDeployment(): Loose {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: uniqueName('d'), namespace, labels: { app: 'istiod' }, annotations: {} },
    spec: {
      selector: { matchLabels: { app: 'istiod' } },
      strategy: { rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' } },
      template: {
        metadata: { labels: { app: 'istiod' } },
        spec: {
          hostNetwork: false,
          nodeSelector: {},
          affinity: {},
          topologySpreadConstraints: [],
          tolerations: [{ key: 'cni.istio.io/not-ready', operator: 'Exists' }],
          containers: [
            {
              name: 'discovery',
              image: 'pilot:1',
              args: ['discovery', ''],
              command: [],
              ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }],
              env: [
                { name: 'EMPTY', value: '' },
                { name: 'A', value: '1' },
                { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
              ],
              resources: { requests: { cpu: 0.5, memory: '2048Mi' }, limits: { cpu: '2000m' } },
              readinessProbe: { httpGet: { path: '/ready', port: 8080 }, initialDelaySeconds: 0 },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: false }],
            },
          ],
          volumes: [
            { name: 'v', emptyDir: {} },
            { name: 's', secret: { secretName: 'cacerts', optional: true } },
            { name: 't', projected: { sources: [{ serviceAccountToken: { audience: 'a', path: 't' } }] } },
            {
              name: 'd',
              downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] },
            },
          ],
        },
      },
    },
  };
}

function aService(): Loose {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: uniqueName('s'), namespace },
    spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

function aConfigMap(data: Record<string, string> = { mesh: 'x: 1' }): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: uniqueName('c'), namespace }, data };
}

function aWebhookConfiguration(): Loose {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: uniqueName('w') },
    webhooks: [
      {
        name: 'a.istio.io',
        clientConfig: { service: { name: 's', namespace, path: '/validate' } },
        rules: [{ operations: ['CREATE'], apiGroups: ['x.io'], apiVersions: ['*'], resources: ['*'] }],
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        objectSelector: { matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] },
      },
    ],
  };
}

const rbac = 'rbac.authorization.k8s.io';
const otherKinds: Loose[] = [
  { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', data: { key: 'aGVsbG8=' } },
  { apiVersion: 'v1', kind: 'ServiceAccount', imagePullSecrets: [{ name: 'p' }] },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    spec: {
      maxReplicas: 5,
      minReplicas: 1,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 10 } },
    },
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    roleRef: { apiGroup: rbac, kind: 'Role', name: 'r' },
    subjects: [{ kind: 'ServiceAccount', name: 'sa', namespace: 'n', apiGroup: '' }],
  },
  { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', rules: [] },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'r' },
  },
  { apiVersion: 'v1', kind: 'Namespace' },
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: {
      group: 'apply.test',
      names: { kind: 'Foo', plural: 'foos', shortNames: ['fo'] },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
        },
      ],
    },
  },
];

function named(object: Loose): KubernetesObject {
  const isCluster = /^Cluster|Namespace|Definition/.test(object.kind);
  const name = object.kind === 'CustomResourceDefinition' ? 'foos.apply.test' : uniqueName('o');
  return { ...object, metadata: isCluster ? { name } : { name, namespace } };
}

/** Applies as a reconciler does: with what is in the cluster now. */
async function reapply(desired: KubernetesObject) {
  return applier.apply(desired, await api.client.find(idOf(desired), never), never);
}

/** Somebody else's change with kubectl. */
async function edit(object: KubernetesObject, ...operations: JsonPatchOperation[]) {
  return api.client.patch(
    idOf(object),
    { type: 'json', operations },
    { fieldManager: 'kubectl-edit' },
    never,
  );
}

function writesSince(before: number) {
  return api.requests.slice(before).filter(({ verb }) => verb !== 'get');
}

describe('a second apply', () => {
  const kinds: [string, () => KubernetesObject][] = [
    ['Deployment', aDeployment],
    ['Service', aService],
    ['ConfigMap', aConfigMap],
    ['ValidatingWebhookConfiguration', aWebhookConfiguration],
    ...otherKinds.map((object): [string, () => KubernetesObject] => [object.kind, () => named(object)]),
  ];

  test.each(kinds)('writes nothing: %s', async (_kind, build) => {
    const desired = build();
    const first = await reapply(desired);
    const before = api.requests.length;

    // Another process, which remembers nothing.
    applier = new Applier({ client: api.client, fieldManager: 'mesh' });
    const second = await reapply(desired);

    expect(first.outcome).toBe('created');
    expect(second).toMatchObject({ outcome: 'unchanged', drift: [] });
    expect(writesSince(before)).toEqual([]);
  });
});

describe('what is not ours survives', () => {
  test('a label, an annotation and the replicas of an autoscaler', async () => {
    const desired = aDeployment();
    await reapply(desired);
    await edit(
      desired,
      { op: 'add', path: '/metadata/labels/team', value: 'a' },
      { op: 'add', path: '/metadata/annotations', value: { note: 'x' } },
      { op: 'replace', path: '/spec/replicas', value: 7 },
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'other' },
    );

    const result = await reapply(desired);

    expect(result.outcome).toBe('changed');
    const object = result.object as Loose;
    expect(object.spec.template.spec.containers[0].image).toBe('pilot:1');
    expect(object.metadata.labels).toEqual({ app: 'istiod', team: 'a' });
    expect(object.metadata.annotations).toEqual({ note: 'x' });
    expect(object.spec.replicas).toBe(7);
    expect((await reapply(desired)).outcome).toBe('unchanged');
  });

  test("istiod's CA bundle and failure policy, also when something else is repaired", async () => {
    const desired = aWebhookConfiguration();
    await reapply(desired);
    await edit(
      desired,
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: 'Zm9v' },
      { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' },
    );
    expect((await reapply(desired)).outcome).toBe('unchanged');
    await edit(desired, { op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['*'] });

    const { outcome, object } = await reapply(desired);

    expect(outcome).toBe('changed');
    expect((object as Loose).webhooks[0]).toMatchObject({
      failurePolicy: 'Fail',
      clientConfig: { caBundle: 'Zm9v' },
      rules: [{ operations: ['CREATE'] }],
    });
  });
});

describe('what is ours comes back', () => {
  const root = '/spec/template/spec';
  const container = `${root}/containers/0`;
  const cases: [string, () => Loose, JsonPatchOperation[], string[]][] = [
    [
      'a changed value',
      aDeployment,
      [{ op: 'replace', path: `${container}/image`, value: 'evil' }],
      ['changed spec.template.spec.containers[name=discovery].image'],
    ],
    [
      'a removed field',
      aDeployment,
      [{ op: 'remove', path: `${container}/readinessProbe` }],
      ['missing spec.template.spec.containers[name=discovery].readinessProbe'],
    ],
    [
      'a removed field that is false',
      aDeployment,
      [{ op: 'remove', path: `${container}/securityContext/allowPrivilegeEscalation` }],
      ['missing spec.template.spec.containers[name=discovery].securityContext.allowPrivilegeEscalation'],
    ],
    [
      'a removed variable',
      aDeployment,
      [{ op: 'remove', path: `${container}/env/1` }],
      ['missing spec.template.spec.containers[name=discovery].env[name=A]'],
    ],
    [
      'a longer list of arguments',
      aDeployment,
      [{ op: 'add', path: `${container}/args/-`, value: '--evil' }],
      ['changed spec.template.spec.containers[name=discovery].args'],
    ],
    [
      'a toleration that was widened',
      aDeployment,
      [{ op: 'add', path: `${root}/tolerations/0/effect`, value: 'NoExecute' }],
      ['changed spec.template.spec.tolerations'],
    ],
    [
      'a Service without a label in its selector',
      aService,
      [{ op: 'add', path: '/spec/selector/version', value: 'v2' }],
      ['changed spec.selector.app', 'extra spec.selector.version'],
    ],
    [
      'a ConfigMap key',
      aConfigMap,
      [{ op: 'replace', path: '/data/mesh', value: 'x: 2' }],
      ['changed data.mesh'],
    ],
    [
      'a webhook rule',
      aWebhookConfiguration,
      [{ op: 'add', path: '/webhooks/0/rules/0/apiGroups/-', value: 'y.io' }],
      ['changed webhooks[name=a.istio.io].rules'],
    ],
    [
      'a webhook selector',
      aWebhookConfiguration,
      [{ op: 'replace', path: '/webhooks/0/objectSelector', value: {} }],
      ['missing webhooks[name=a.istio.io].objectSelector.matchExpressions'],
    ],
  ];

  test.each(cases)('%s', async (_name, build, operations, drift) => {
    const desired = build();
    const { object: original } = await reapply(desired);
    await edit(desired, ...operations);

    const result = await reapply(desired);

    expect(result.outcome).toBe('changed');
    expect(result.drift.map(({ kind, path }) => `${kind} ${path}`)).toEqual(drift);
    const specOf = ({ spec, data, webhooks }: Loose) => ({ spec, data, webhooks });
    expect(specOf(result.object)).toEqual(specOf(original));
    expect((await reapply(desired)).outcome).toBe('unchanged');
  });

  test('with the name of the one who changed it', async () => {
    const desired = aConfigMap();
    await reapply(desired);
    await edit(desired, { op: 'replace', path: '/data/mesh', value: 'x: 2' });

    const result = await reapply(desired);

    expect(result.takenFrom).toEqual(['kubectl-edit']);
    expect(result.drift).toMatchObject([{ path: 'data.mesh', manager: 'kubectl-edit' }]);
  });

  test('also from another applier that took it by force, even with our value', async () => {
    const desired = aConfigMap();
    await reapply(desired);
    const id = idOf(desired);
    const theirs = { apiVersion: id.apiVersion, kind: id.kind, metadata: desired.metadata };
    await api.client.apply(
      { ...theirs, data: { mesh: 'x: 2' } },
      { fieldManager: 'argo', force: true },
      never,
    );
    await api.client.apply({ ...theirs, data: { mesh: 'x: 1' } }, { fieldManager: 'argo' }, never);

    const result = await reapply(desired);

    expect(result).toMatchObject({ outcome: 'changed', takenFrom: ['argo'] });
    expect((await reapply(desired)).outcome).toBe('unchanged');
  });

  test('after our label was taken away, so that no cache of ours sees the object', async () => {
    const desired = aDeployment();
    await reapply(desired);
    await edit(desired, { op: 'replace', path: '/metadata/labels/app', value: 'other' });

    const result = await applier.apply(desired, undefined, never);

    expect(result).toMatchObject({ outcome: 'changed', takenFrom: ['kubectl-edit'] });
    expect(result.object.metadata.labels).toEqual({ app: 'istiod' });
  });
});

describe('an addition to a closed field', () => {
  const spec = '/spec/template/spec';
  const cases: [string, () => Loose, JsonPatchOperation[]][] = [
    [
      'a container in front of ours',
      aDeployment,
      [{ op: 'add', path: `${spec}/containers/0`, value: { name: 'miner', image: 'x' } }],
    ],
    [
      'two containers, variables and a volume',
      aDeployment,
      [
        { op: 'add', path: `${spec}/containers/0/env/0`, value: { name: 'X', value: 'x' } },
        { op: 'add', path: `${spec}/containers/0/env/-`, value: { name: 'Y', value: 'y' } },
        { op: 'add', path: `${spec}/containers/0`, value: { name: 'a', image: 'x' } },
        { op: 'add', path: `${spec}/containers/-`, value: { name: 'b', image: 'x' } },
        { op: 'add', path: `${spec}/volumes/-`, value: { name: 'host', hostPath: { path: '/' } } },
      ],
    ],
    [
      'init containers',
      aDeployment,
      [{ op: 'add', path: `${spec}/initContainers`, value: [{ name: 'i', image: 'x' }] }],
    ],
    ['a Service port', aService, [{ op: 'add', path: '/spec/ports/-', value: { name: 'x', port: 81 } }]],
    [
      'keys of a ConfigMap',
      aConfigMap,
      [
        { op: 'add', path: '/data/a.b', value: 'x' },
        { op: 'add', path: '/data/c', value: 'x' },
      ],
    ],
  ];

  test.each(cases)('is removed by one write: %s', async (_name, build, operations) => {
    const desired = build();
    const { object: original } = await reapply(desired);
    await edit(desired, ...operations);
    const before = api.requests.length;

    const result = await reapply(desired);

    expect(result).toMatchObject({ outcome: 'changed', takenFrom: ['kubectl-edit'] });
    expect(result.drift.every(({ kind }) => kind === 'extra')).toBe(true);
    const contentOf = ({ spec, data }: Loose) => ({ spec, data });
    expect(contentOf(result.object)).toEqual(contentOf(original));
    expect(writesSince(before)).toHaveLength(1);
    expect((await reapply(desired)).outcome).toBe('unchanged');
  });

  test('is removed together with a changed value', async () => {
    const desired = aConfigMap();
    await reapply(desired);
    await edit(
      desired,
      { op: 'add', path: '/data/extra', value: 'x' },
      { op: 'replace', path: '/data/mesh', value: 'x: 2' },
    );

    const { object } = await reapply(desired);

    expect(object.data).toEqual({ mesh: 'x: 1' });
  });
});

describe('what we no longer want', () => {
  test('is removed when nobody else claims it, and left when somebody does', async () => {
    const before = aService();
    await reapply({ ...before, metadata: { ...before.metadata, labels: { ours: '1', shared: '1' } } });
    const id = idOf(before);
    await api.client.apply(
      { apiVersion: id.apiVersion, kind: id.kind, metadata: { ...before.metadata, labels: { shared: '1' } } },
      { fieldManager: 'argo' },
      never,
    );

    const result = await reapply(before);

    expect(result.outcome).toBe('changed');
    expect(result.object.metadata.labels).toEqual({ shared: '1' });
    expect((await reapply(before)).outcome).toBe('unchanged');
  });
});

describe('a value that the API server stores in another form', () => {
  /** Base64 with a line break, which the API server decodes and encodes anew. */
  const asWritten = { key: 'aGVs\nbG8=' };

  function aSecret() {
    const metadata = { name: uniqueName('secret'), namespace };
    return { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data: asWritten };
  }

  test('is not written again and again', async () => {
    const desired = aSecret();
    const { object } = await reapply(desired);
    const before = api.requests.length;

    const second = await reapply(desired);

    expect(object.data).toEqual({ key: 'aGVsbG8=' });
    expect(second.outcome).toBe('unchanged');
    expect(writesSince(before)).toEqual([]);
  });

  test('is still repaired when somebody changes it', async () => {
    const desired = aSecret();
    await reapply(desired);
    await edit(desired, { op: 'add', path: '/data/more', value: 'eA==' });

    const repaired = await reapply(desired);

    expect(repaired.outcome).toBe('changed');
    expect(repaired.object.data).toEqual({ key: 'aGVsbG8=' });
    expect((await reapply(desired)).outcome).toBe('unchanged');
  });
});

describe('the applier refuses', () => {
  test("an object of somebody else's, and leaves it as it is", async () => {
    const theirs = aConfigMap({ mesh: 'theirs' });
    await api.client.apply(theirs, { fieldManager: 'helm' }, never);

    const applying = applier.apply({ ...theirs, data: { mesh: 'ours' } }, undefined, never);

    await expect(applying).rejects.toThrow(TerminalError);
    await expect(applying).rejects.toMatchObject({ reason: 'ObjectExists' });
    await expect(applying).rejects.toThrow(
      `ConfigMap ${namespace}/${theirs.metadata.name} exists already and is managed by helm;`,
    );
    expect((await api.client.get(idOf(theirs), never)).data).toEqual({ mesh: 'theirs' });
  });

  test("an object of somebody else's that has none of our fields yet, and leaves it as it is", async () => {
    const { data: _none, ...theirs } = aConfigMap({});
    const { metadata } = await api.client.create(theirs, { fieldManager: 'kubectl-create' }, never);

    const applying = applier.apply({ ...theirs, data: { mesh: 'ours' } }, undefined, never);

    await expect(applying).rejects.toMatchObject({ reason: 'ObjectExists' });
    expect((await api.client.get(idOf(theirs), never)).metadata).toEqual(metadata);
  });

  test('to change what cannot be changed, with the object and the field', async () => {
    const desired = aDeployment();
    await reapply(desired);
    const changed = structuredClone(desired);
    changed.spec.selector.matchLabels.more = 'x';
    changed.spec.template.metadata.labels.more = 'x';

    await expect(reapply(changed)).rejects.toMatchObject({
      reason: 'ImmutableField',
      message: expect.stringContaining(`Deployment ${namespace}/${desired.metadata.name}: spec.selector`),
    });
  });

  test('to write to an object that is being deleted', async () => {
    const desired = aConfigMap();
    await reapply(desired);
    await edit(desired, { op: 'add', path: '/metadata/finalizers', value: ['test.dev/hold'] });
    await api.client.delete(idOf(desired), {}, never);
    const changed = { ...desired, data: { mesh: 'x: 2' } };

    await expect(reapply(changed)).rejects.toThrow(WaitingError);

    await edit(desired, { op: 'remove', path: '/metadata/finalizers' });
    expect((await reapply(changed)).outcome).toBe('created');
  });
});
