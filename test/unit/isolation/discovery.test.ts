import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { ownershipLabels } from '../../../src/api/labels.ts';
import { proveDiscovery } from '../../../src/isolation/discovery.ts';
import type { IsolationFinding } from '../../../src/isolation/finding.ts';
import type { ObservedCluster } from '../../../src/isolation/observed-cluster.ts';
import { aNamespace, aPod, aTenant, linesOf, tenantIn, together } from '../../support/isolation-cluster.ts';

const [red, blue, open] = [await aTenant('red'), await aTenant('blue'), await aTenant('red', openSpec())];
const stranger = aPod('outsider', 'app', {});
const both = together(red.cluster, blue.cluster, { namespaces: [aNamespace('outsider')], pods: [stranger] });

function openSpec() {
  return { tenancy: { tenant: 'red', members: { selector: {} }, isolation: 'Open' as const } };
}

function found(observed: Partial<ObservedCluster>): readonly IsolationFinding[] {
  const cluster = together(both, observed);
  return proveDiscovery(tenantIn(red, cluster), cluster).findings;
}

function controlPlane(meshConfig: object) {
  return {
    controlPlanes: [
      {
        source: 'ConfigMap istio-system/istio',
        namespace: 'istio-system',
        revision: '',
        meshConfig: meshConfig as never,
      },
    ],
  };
}

function anObject(kind: string, spec: object, namespace = 'red-web'): Partial<ObservedCluster> {
  const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'hole', namespace }, spec };
  return { istioObjects: [object as KubernetesObject] };
}

/** As the operator makes it of the spec. */
function ofOperator({ istioObjects = [] }: Partial<ObservedCluster>): Partial<ObservedCluster> {
  const labels = ownershipLabels({ name: 'red', namespace: 'red-system' });
  return {
    istioObjects: istioObjects.map((object) => ({ ...object, metadata: { ...object.metadata, labels } })),
  };
}

function aService(kind: string, fields: object): Partial<ObservedCluster> {
  return {
    services: [{ apiVersion: 'v1', kind, metadata: { name: 'hole', namespace: 'red-web' }, ...fields }],
  };
}

function addressOf({ status }: KubernetesObject): string {
  return (status as { podIP: string }).podIP;
}

function aWebhook(
  namespace: string,
  selectors: object,
  labels: Record<string, string> = {},
): Partial<ObservedCluster> {
  const clientConfig = { service: { namespace, name: 'injector' } };
  return {
    webhooks: [
      {
        ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
        metadata: { name: 'hole', labels },
        webhooks: [
          { clientConfig, namespaceSelector: { matchLabels: { none: 'at-all' } } },
          { clientConfig, ...selectors },
        ],
      },
    ],
  };
}

describe('a control plane that knows a tenant', () => {
  test.each<[string, object, string, string[]]>([
    [
      'without selectors',
      {},
      'discoverySelectors',
      ['Namespace red-db', 'Namespace red-system', 'Namespace red-web'],
    ],
    [
      'by a label',
      {
        discoverySelectors: [
          { matchLabels: { 'kubernetes.io/metadata.name': 'outsider' } },
          { matchLabels: { 'meshoperator.dev/member': 'red' } },
        ],
      },
      'discoverySelectors[1]',
      ['Namespace red-db', 'Namespace red-web'],
    ],
  ])('%s is found', (_, meshConfig, path, to) => {
    expect(found(controlPlane(meshConfig))).toMatchObject([
      { severity: 'open', object: 'ConfigMap istio-system/istio', path, to },
    ]);
  });

  test('is none where it leaves the label of tenants out', () => {
    const expression = { key: 'meshoperator.dev/tenant', operator: 'DoesNotExist' };

    expect(found(controlPlane({ discoverySelectors: [{ matchExpressions: [expression] }] }))).toEqual([]);
  });
});

describe('the tenant’s own control plane', () => {
  const changed = (fields: object) => {
    const controlPlanes = both.controlPlanes.map((each) =>
      each.namespace === 'red-system' ? { ...each, meshConfig: { ...each.meshConfig, ...fields } } : each,
    );
    const cluster = { ...both, controlPlanes };
    return linesOf(proveDiscovery(tenantIn(red, cluster), cluster).findings);
  };

  test('is found where it knows others, or passes on what it does not know', () => {
    const selectors = [{ matchLabels: { 'kubernetes.io/metadata.name': 'outsider' } }];

    expect(changed({ discoverySelectors: selectors })).toEqual([
      'open ConfigMap red-system/istio-red discoverySelectors[0]',
    ]);
    expect(changed({ outboundTrafficPolicy: { mode: 'ALLOW_ANY' } })).toEqual([
      'open ConfigMap red-system/istio-red outboundTrafficPolicy.mode',
    ]);
  });

  test('is a note where the tenant’s spec has it open', () => {
    expect(linesOf(proveDiscovery(tenantIn(open, open.cluster), open.cluster).findings)).toEqual([
      'note ConfigMap red-system/istio-red outboundTrafficPolicy.mode',
    ]);
  });

  test('is not proven where its configuration is not there', () => {
    const cluster = { ...both, controlPlanes: [] };

    expect(proveDiscovery(tenantIn(red, cluster), cluster).unproven).toHaveLength(1);
  });
});

describe('what the tenant has', () => {
  test.each<[string, Partial<ObservedCluster>, string[]]>([
    [
      'a host of a Service of others',
      anObject('ServiceEntry', { hosts: ['a.example.com', 'db.blue-db.svc.cluster.local'] }),
      ['open ServiceEntry red-web/hole spec.hosts[1]'],
    ],
    [
      'all Services of a namespace',
      anObject('ServiceEntry', { hosts: ['*.blue-db.svc'] }),
      ['open ServiceEntry red-web/hole spec.hosts[0]'],
    ],
    [
      'an endpoint that is a Service of others',
      anObject('ServiceEntry', { hosts: ['a'], endpoints: [{ address: 'db.blue-db.svc' }] }),
      ['open ServiceEntry red-web/hole spec.endpoints[0].address'],
    ],
    [
      'an endpoint that is a pod of others',
      anObject('ServiceEntry', {
        hosts: ['a'],
        endpoints: [{ address: addressOf(stranger) }],
      }),
      ['open ServiceEntry red-web/hole spec.endpoints[0].address'],
    ],
    [
      'a workload that is a pod of others',
      anObject('WorkloadEntry', { address: addressOf(stranger) }),
      ['open WorkloadEntry red-web/hole spec.address'],
    ],
    [
      'a Service that stands for one of others',
      aService('Service', { spec: { type: 'ExternalName', externalName: 'db.blue-db.svc.cluster.local' } }),
      ['open Service red-web/hole spec.externalName'],
    ],
    [
      'endpoints that are pods of others',
      aService('EndpointSlice', { endpoints: [{ addresses: ['203.0.113.9', addressOf(stranger)] }] }),
      ['open EndpointSlice red-web/hole endpoints[0].addresses[1]'],
    ],
    [
      'a Sidecar that passes on everything',
      anObject('Sidecar', { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } }),
      ['open Sidecar red-web/hole spec.outboundTrafficPolicy.mode'],
    ],
    [
      'what is exported, but known to nobody',
      anObject('VirtualService', { exportTo: ['.', 'blue-web'] }),
      ['note VirtualService red-web/hole spec.exportTo'],
    ],
    [
      'what is exported, and known to another control plane',
      { ...anObject('VirtualService', { exportTo: ['outsider'] }), ...controlPlane({}) },
      [
        'open ConfigMap istio-system/istio discoverySelectors',
        'open VirtualService red-web/hole spec.exportTo',
      ],
    ],
    [
      'another cluster',
      {
        remoteSecrets: [
          { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'east', namespace: 'red-system' } },
        ],
      },
      ['open Secret red-system/east metadata.labels[istio/multiCluster]'],
    ],
  ])('is found: %s', (_, observed, lines) => {
    expect(linesOf(found(observed))).toEqual(lines);
  });

  test.each<[string, Partial<ObservedCluster>]>([
    [
      'a host outside of the cluster',
      anObject('ServiceEntry', { hosts: ['api.example.com'], endpoints: [{ address: '203.0.113.9' }] }),
    ],
    ['a Service without another name', aService('Service', { spec: { selector: { app: 'app' } } })],
    [
      'endpoints of its own',
      aService('EndpointSlice', { endpoints: [{ addresses: red.cluster.pods.map(addressOf) }] }),
    ],
    [
      'a host that its spec allows',
      ofOperator(anObject('ServiceEntry', { hosts: ['db.blue-db.svc'] }, 'red-system')),
    ],
    ['a Service of its own', anObject('ServiceEntry', { hosts: ['db.red-db.svc'] })],
    ['a Sidecar that says nothing of it', anObject('Sidecar', { egress: [] })],
    ['what somebody else exports', anObject('VirtualService', { exportTo: ['red-web'] }, 'outsider')],
  ])('is none: %s', (_, observed) => {
    expect(found(observed)).toEqual([]);
  });
});

describe('a webhook', () => {
  const everywhere = { namespaceSelector: {} };

  test('of another mesh that changes pods of members is found', () => {
    const lines = ['open MutatingWebhookConfiguration hole webhooks[1].namespaceSelector'];

    expect(linesOf(found(aWebhook('blue-system', everywhere)))).toEqual(lines);
    expect(linesOf(found(aWebhook('istio-system', everywhere, { 'istio.io/rev': 'default' })))).toEqual(
      lines,
    );
  });

  test.each<[string, Partial<ObservedCluster>]>([
    ['of the tenant', aWebhook('red-system', everywhere)],
    ['of something else than a mesh', aWebhook('policies', everywhere)],
    [
      'of another mesh for other namespaces',
      aWebhook('blue-system', { namespaceSelector: { matchLabels: { team: 'x' } } }),
    ],
  ])('%s is none', (_, observed) => {
    expect(found(observed)).toEqual([]);
  });
});
