import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveMesh } from '../../src/api/resolve.ts';
import { messageOf } from '../../src/base/errors.ts';
import { renderIstioCrds } from '../../src/render/istio-crds.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { aMeshOperator } from '../support/mesh-operator.ts';
import { renderAll } from '../support/rendered-objects.ts';
import { sharedCluster } from '../support/shared-cluster.ts';
import { never, ownNamespace, type TestClient, testClient } from '../support/test-client.ts';

const revision = 'strict';

interface Asked {
  readonly what: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: object;
}

const filter: Asked = {
  what: 'an EnvoyFilter',
  kind: 'EnvoyFilter',
  apiVersion: 'networking.istio.io/v1alpha3',
  spec: {},
};

const telemetry = { kind: 'Telemetry', apiVersion: 'telemetry.istio.io/v1' };
const policy = { kind: 'AuthorizationPolicy', apiVersion: 'security.istio.io/v1' };

const denied: readonly Asked[] = [
  filter,
  {
    what: 'a WasmPlugin',
    kind: 'WasmPlugin',
    apiVersion: 'extensions.istio.io/v1alpha1',
    spec: { url: 'oci://registry.example.com/plugin:1' },
  },
  { what: 'a ProxyConfig', kind: 'ProxyConfig', apiVersion: 'networking.istio.io/v1beta1', spec: {} },
  {
    ...telemetry,
    what: 'a Telemetry with useRequestIdForTraceSampling',
    spec: { tracing: [{ useRequestIdForTraceSampling: true }] },
  },
  {
    ...telemetry,
    what: 'a Telemetry with reportingInterval',
    spec: { metrics: [{ reportingInterval: '5s' }] },
  },
  {
    ...telemetry,
    what: 'a Telemetry with a filter of access logs',
    spec: { accessLogging: [{ filter: { expression: 'true' } }] },
  },
  {
    ...policy,
    what: 'an AuthorizationPolicy with trust domains',
    spec: { rules: [{ from: [{ source: { trustDomains: ['example.org'] } }] }] },
  },
  {
    ...policy,
    what: 'an AuthorizationPolicy with other trust domains',
    spec: { rules: [{ from: [{ source: { notTrustDomains: ['example.org'] } }] }] },
  },
];

const allowed: readonly Asked[] = [
  { ...telemetry, what: 'an empty Telemetry', spec: {} },
  { ...telemetry, what: 'a Telemetry', spec: { tracing: [{ randomSamplingPercentage: 5 }] } },
  {
    ...policy,
    what: 'an AuthorizationPolicy',
    spec: { rules: [{ from: [{ source: { namespaces: ['shop'] } }] }] },
  },
];

describe('a mesh in which only stable things may be used', () => {
  let cluster: Cluster;
  let api: TestClient;
  let namespace: string;

  beforeAll(async () => {
    cluster = await sharedCluster();
    api = testClient(cluster.kubeconfigPath);
    namespace = await ownNamespace(api.client, 'stable');
    const mesh = resolveMesh(aMeshOperator({ profile: 'stable', revision }, { namespace }));
    const policies = renderAll(mesh).filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'));
    for (const object of [...renderIstioCrds(), ...policies]) {
      await api.client.apply(object, { fieldManager: 'test' }, never);
    }
    await waitUntil({ what: 'the policy is in force' }, async () =>
      (await answerTo(filter)).includes('not stable'),
    );
  });

  afterAll(() => api?.connection.close());

  /** What the API server says against an object; empty when it takes it. */
  async function answerTo({ apiVersion, kind, spec }: Asked, rev = revision): Promise<string> {
    // A name for each revision: what was taken before the policy was in force is its revision's also in a change.
    const metadata = { namespace, name: `asked-${rev}`, labels: { 'istio.io/rev': rev } };
    try {
      await cluster.apply(JSON.stringify({ apiVersion, kind, metadata, spec }));
      return '';
    } catch (error) {
      return messageOf(error);
    }
  }

  it.each(denied)('refuses $what, and says why', async (asked) => {
    expect(await answerTo(asked)).toMatch(/(is|are) not stable/);
  });

  it.each(allowed)('takes $what', async (asked) => {
    expect(await answerTo(asked)).toBe('');
  });

  it('has nothing to say of objects of another revision', async () => {
    expect(await answerTo(filter, 'another')).toBe('');
  });
});
