import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorStatus } from '../../../src/api/mesh-operator-status.ts';
import type { AnalysisInput } from '../../../src/cli/analyze/analysis-input.ts';
import { analyzeInput } from '../../../src/cli/analyze/analyze-input.ts';
import { findingText } from '../../../src/cli/analyze.ts';
import { istioKinds } from '../../../src/cli/istio-kinds.ts';
import { anAuthorityStatus, aTrustCondition } from '../../support/authority-status.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

const now = new Date('2026-01-01T00:00:00Z');

function aMesh(spec: object = {}, status?: MeshOperatorStatus): KubernetesObject {
  return {
    ...aMeshOperator(spec),
    ...(status === undefined ? {} : { status }),
  } as unknown as KubernetesObject;
}

function aNamespace(name: string, labels: Record<string, string> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function aRunningPod(namespace: string, image?: string): KubernetesObject {
  const proxy = image === undefined ? [] : [{ name: 'istio-proxy', image }];
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'cart-0', namespace, labels: {} } },
    spec: { containers: [{ name: 'app', image: 'app' }, ...proxy] },
    status: { phase: 'Running' },
  };
}

function aWebhook(name: string, labels: Record<string, string>, selector: object): KubernetesObject {
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
    metadata: { name, labels },
    webhooks: [
      {
        ...{ name: `${name}.example.com`, namespaceSelector: selector },
        clientConfig: { service: { namespace: 'a', name: 'a', path: '/inject' } },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      },
    ],
  };
}

function find(input: Partial<AnalysisInput>): string[] {
  const empty = { meshes: [aMesh()], namespaces: [], pods: [], webhooks: [], istioObjects: [] };
  const whole = { ...empty, crds: undefined, kubernetesMinor: undefined, ...input };
  return analyzeInput(whole, now).map(({ severity, rule, object }) => `${severity} ${rule} ${object}`);
}

const injected = aNamespace('shop', { 'istio-injection': 'enabled' });
const ours = aWebhook(
  'istio-sidecar-injector',
  {
    'app.kubernetes.io/managed-by': 'mesh-operator',
    'meshoperator.dev/mesh': 'mesh',
    'meshoperator.dev/mesh-namespace': 'istio-system',
  },
  { matchLabels: { 'istio-injection': 'enabled' } },
);

test('finds nothing in a cluster that is in order', () => {
  const crds = new Set(istioKinds().map(({ crd }) => crd));
  const pods = [aRunningPod('shop', 'docker.io/istio/proxyv2:1.31.1'), aRunningPod('other')];
  const namespaces = [injected, aNamespace('other')];

  expect(find({ namespaces, pods, webhooks: [ours], crds, kubernetesMinor: 35 })).toEqual([]);
});

describe('namespaces', () => {
  test.each([
    {
      name: 'with two labels',
      labels: { 'istio-injection': 'enabled', 'istio.io/rev': 'default' },
      found: ['warning ConflictingLabels Namespace shop'],
    },
    {
      name: 'with a revision that there is not',
      labels: { 'istio.io/rev': 'canary' },
      found: ['error UnknownRevision Namespace shop'],
    },
    { name: 'with a revision that there is', labels: { 'istio.io/rev': 'default' }, found: [] },
  ])('$name', ({ labels, found }) => {
    expect(find({ namespaces: [aNamespace('shop', labels as Record<string, string>)] })).toEqual(found);
  });

  test('that ask for a default control plane where no mesh is one', () => {
    const meshes = [aMesh({ revision: 'blue' })];

    expect(find({ meshes, namespaces: [injected] })).toEqual(['error NoDefaultRevision Namespace shop']);
  });

  test('may name a control plane of another tool', () => {
    const webhooks = [
      aWebhook('istio-x', { 'istio.io/rev': 'x', 'istio.io/tag': 'y' }, { matchLabels: { z: '1' } }),
    ];
    const namespaces = ['x', 'y'].map((name) => aNamespace(name, { 'istio.io/rev': name }));

    expect(find({ webhooks, namespaces })).toEqual([]);
  });
});

describe('pods', () => {
  const versionOf = (version: string) => [aRunningPod('shop', `docker.io/istio/proxyv2:${version}`)];

  test.each([
    { name: 'without their sidecar', pods: [aRunningPod('shop')], found: ['error BarePod Pod shop/cart-0'] },
    { name: 'a patch behind', pods: versionOf('1.31.0'), found: ['warning OutdatedProxy Pod shop/cart-0'] },
    { name: 'a minor behind', pods: versionOf('1.30.3'), found: ['warning OutdatedProxy Pod shop/cart-0'] },
    {
      name: 'two minors behind',
      pods: versionOf('1.29.6'),
      found: ['error UnsupportedProxy Pod shop/cart-0'],
    },
    { name: 'ahead', pods: versionOf('1.32.0'), found: ['error UnsupportedProxy Pod shop/cart-0'] },
  ])('$name', ({ pods, found }) => {
    expect(find({ namespaces: [injected], pods })).toEqual(found);
  });

  test('of one workload are one finding', () => {
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'cart-5d8f',
      uid: 'u',
      controller: true,
    };
    const pods = ['a', 'b'].map((suffix) => {
      const pod = aRunningPod('shop');
      const labels = { 'pod-template-hash': '5d8f' };
      const metadata = { ...pod.metadata, name: `cart-5d8f-${suffix}`, generateName: 'cart-5d8f-', labels };
      return { ...pod, metadata: { ...metadata, ownerReferences: [owner] } };
    });
    const input = { meshes: [aMesh()], namespaces: [injected], pods, webhooks: [], istioObjects: [] };

    const [finding, ...others] = analyzeInput({ ...input, crds: undefined, kubernetesMinor: undefined }, now);

    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      object: 'Deployment shop/cart',
      why: expect.stringContaining('pod shop/cart-5d8f-a (and 1 more) should have a sidecar'),
    });
  });

  test('that a manifest describes do not run', () => {
    const { status: _status, ...pod } = aRunningPod('shop');

    expect(find({ namespaces: [injected], pods: [pod as KubernetesObject] })).toEqual([]);
  });
});

test('injectors of other tools that take the same namespaces', () => {
  const theirs = aWebhook('linkerd-proxy-injector', {}, {});
  const elsewhere = aWebhook('other-injector', {}, { matchLabels: { 'other.example/inject': 'yes' } });

  const webhooks = [ours, theirs, elsewhere];

  expect(find({ namespaces: [injected, aNamespace('plain')], webhooks })).toEqual([
    'error OtherInjector MutatingWebhookConfiguration linkerd-proxy-injector',
  ]);
});

test('objects of Istio that name a control plane that there is not', () => {
  const named = (name: string, revision?: string) => ({
    ...{ apiVersion: 'networking.istio.io/v1', kind: 'Sidecar' },
    metadata: { name, namespace: 'shop', labels: revision === undefined ? {} : { 'istio.io/rev': revision } },
  });

  expect(find({ istioObjects: [named('a'), named('b', 'default'), named('c', 'gone')] })).toEqual([
    'warning UnknownRevision Sidecar shop/c',
  ]);
});

test('CRDs that are missing', () => {
  const [first = { crd: '' }, ...others] = istioKinds();

  expect(find({ crds: new Set(others.map(({ crd }) => crd)) })).toEqual([
    `error MissingCrd CustomResourceDefinition ${first.crd}`,
  ]);
});

test.each([
  { version: '1.30', kubernetesMinor: 31, found: 1 },
  { version: '1.30', kubernetesMinor: 32, found: 0 },
  { version: '1.29', kubernetesMinor: 35, found: 0 },
  { version: '1.29', kubernetesMinor: 36, found: 1 },
])(
  'Istio $version on Kubernetes 1.$kubernetesMinor: $found finding',
  ({ version, kubernetesMinor, found }) => {
    const finding = 'warning KubernetesVersion MeshOperator istio-system/mesh';

    expect(find({ meshes: [aMesh({ version })], kubernetesMinor })).toEqual(Array(found).fill(finding));
  },
);

describe('meshes', () => {
  test('with an error in their spec', () => {
    expect(find({ meshes: [aMesh({ nonsense: true })] })).toEqual([
      'error InvalidSpec MeshOperator istio-system/mesh',
    ]);
  });

  test('that are not Ready', () => {
    expect(find({ meshes: [aMesh({}, { state: 'Stalled' })] })).toEqual([
      'error MeshNotReady MeshOperator istio-system/mesh',
    ]);
    expect(find({ meshes: [aMesh({}, { state: 'Reconciling' })] })).toEqual([
      'warning MeshNotReady MeshOperator istio-system/mesh',
    ]);
  });

  test('whose mutual TLS waits, with what to do', () => {
    const mtls = { inForce: [], waiting: ['*'] };
    const condition = {
      ...({ type: 'MutualTlsInForce', status: 'False', reason: 'PlaintextCallers' } as const),
      ...{ message: 'STRICT waits at *', lastTransitionTime: '2026-01-01T00:00:00Z' },
    };
    const meshes = [aMesh({}, { state: 'Ready', conditions: [condition], mtls })];
    const input = { meshes, namespaces: [], pods: [], webhooks: [], istioObjects: [] };

    expect(analyzeInput({ ...input, crds: undefined, kubernetesMinor: undefined }, now)).toEqual([
      expect.objectContaining({
        ...{ severity: 'warning', rule: 'PlaintextTaken', why: 'STRICT waits at *' },
        fix: expect.stringMatching(/^PlaintextCallers: give the callers/),
      }),
    ]);
    expect(find({ meshes: [aMesh({}, { state: 'Ready', mtls: { inForce: ['*'] } })] })).toEqual([]);
  });

  const finding = 'CertificateEnds MeshOperator istio-system/mesh';
  const slot = (notAfter: string) => ({ current: { serial: 'a', fingerprint: 'a', notAfter } });
  test.each([
    {
      name: 'are renewed in time',
      authority: {
        intermediate: slot('2026-01-03T00:00:00.000Z'),
        nextRotation: { intermediate: { at: '2026-01-02T00:00:00.000Z', reason: 'Threshold' } },
      },
      found: [],
    },
    {
      name: 'end soon, and nothing renews them',
      authority: { intermediate: slot('2026-01-20T00:00:00.000Z'), nextRotation: {} },
      found: [`warning ${finding}`],
    },
    {
      name: 'have ended',
      authority: { root: slot('2025-12-31T00:00:00.000Z') },
      found: [`error ${finding}`],
    },
  ] as const)('whose certificates $name', ({ authority, found }) => {
    const certificateAuthority = anAuthorityStatus(authority);
    const conditions = [aTrustCondition()];
    const status: MeshOperatorStatus = { state: 'Ready', conditions, certificateAuthority };

    expect(find({ meshes: [aMesh({}, status)] })).toEqual(found);
  });

  test('whose rotation is in trouble are not renewed', () => {
    const certificateAuthority = anAuthorityStatus({
      intermediate: slot('2026-01-03T00:00:00.000Z'),
      nextRotation: { intermediate: { at: '2026-01-02T00:00:00.000Z', reason: 'Threshold' } },
    });
    const conditions = [aTrustCondition({ status: 'False', reason: 'Blocked' })];

    expect(find({ meshes: [aMesh({}, { state: 'Ready', conditions, certificateAuthority })] })).toEqual([
      `warning ${finding}`,
    ]);
  });
});

test('a finding is written with its object, why, and the fix', () => {
  const finding = load(`
    severity: error
    rule: BarePod
    object: Pod shop/cart-0
    why: it has none
    fix: restart it
  `) as Parameters<typeof findingText>[0];

  expect(findingText(finding, (_style, text) => text)).toBe(
    'error BarePod: Pod shop/cart-0\n  it has none.\n  Fix: restart it.\n',
  );
});
