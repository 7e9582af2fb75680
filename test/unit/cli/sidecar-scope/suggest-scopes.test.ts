import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import type { SuggestOptions } from '../../../../src/cli/sidecar-scope/scope-options.ts';
import { suggestScopes } from '../../../../src/cli/sidecar-scope/suggest-scopes.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import {
  aCall,
  anIstioObject,
  aScopeCluster,
  aScopedService,
  aScopedWorkload,
  aTraffic,
  scopeWindow,
} from '../../../support/scope-cluster.ts';

const perNamespace: SuggestOptions = { per: 'namespace' };
const perWorkload: SuggestOptions = { per: 'workload' };

/** Two shops and a bank: `client` calls the bank, `web` nobody. */
const services = [
  aScopedService('shop', 'web'),
  aScopedService('bank', 'ledger', { ports: [{ port: 80 }, { port: 443 }, { port: 53, protocol: 'UDP' }] }),
  aScopedService('bank', 'audit'),
  aScopedService('other', 'a'),
  aScopedService('other', 'b'),
  aScopedService('istio-system', 'istiod'),
];
const client = aScopedWorkload('shop', 'client');
const web = aScopedWorkload('shop', 'web');
const ledgerHost = 'ledger.bank.svc.cluster.local';
const toLedger = aCall('shop/client', `bank/${ledgerHost}`, 7);

function egressOf(sidecar: KubernetesObject | undefined): unknown {
  return (sidecar?.spec as { egress?: { hosts: string[] }[] } | undefined)?.egress?.[0]?.hosts;
}

function suggest(
  parts: Partial<Parameters<typeof aScopeCluster>[0]>,
  traffic = aTraffic([toLedger], ['shop/web']),
  options = perNamespace,
) {
  return suggestScopes(aScopeCluster({ workloads: [client, web], services, ...parts }), traffic, options);
}

/** The hosts of the only suggestion. */
function hostsOf(
  parts: Partial<Parameters<typeof aScopeCluster>[0]>,
  traffic = aTraffic([toLedger], ['shop/web']),
) {
  const { suggestions, refusals } = suggest(parts, traffic);
  expect(refusals).toEqual([]);
  expect(suggestions).toHaveLength(1);
  return egressOf(suggestions[0]?.sidecar);
}

describe('a namespace', () => {
  test('knows itself, its control plane, and what it calls elsewhere; what that saves is counted', () => {
    const { suggestions, refusals } = suggest({});

    expect(refusals).toEqual([]);
    expect(suggestions).toMatchObject([
      {
        namespace: 'shop',
        workloads: ['client', 'web'],
        sidecar: {
          apiVersion: 'networking.istio.io/v1',
          kind: 'Sidecar',
          metadata: { name: 'default', namespace: 'shop' },
          spec: { egress: [{ hosts: ['./*', 'istio-system/*', `bank/${ledgerHost}`] }] },
        },
        calls: [toLedger],
        before: { services: 6, clusters: 7, endpoints: 6 },
        after: { services: 3, clusters: 4, endpoints: 3 },
        leftOut: { bank: 1, other: 2 },
        doubts: [],
      },
    ]);
  });

  test('keeps the calls of workloads that have gone', () => {
    const ofJob = aCall('shop/nightly', 'other/a.other.svc.cluster.local');

    expect(hostsOf({}, aTraffic([toLedger, ofJob], ['shop/web']))).toContain(
      'other/a.other.svc.cluster.local',
    );
  });

  test('keeps a service that is not there any more, and one that nobody knows the namespace of', () => {
    const calls = [
      aCall('shop/client', 'bank/gone.bank.svc.cluster.local'),
      aCall('shop/client', '/api.example.com'),
    ];

    const { suggestions } = suggest({}, aTraffic(calls, ['shop/web']));

    expect(egressOf(suggestions[0]?.sidecar)).toEqual([
      './*',
      'istio-system/*',
      '*/api.example.com',
      'bank/gone.bank.svc.cluster.local',
    ]);
    expect(suggestions[0]?.doubts).toEqual([
      'metrics do not say whose api.example.com is, so it is asked for in all namespaces',
    ]);
  });

  test('without metrics of one of its workloads has no suggestion', () => {
    expect(suggest({}, aTraffic([toLedger]))).toEqual({
      suggestions: [],
      refusals: [
        {
          namespace: 'shop',
          workloads: ['client', 'web'],
          why: 'there are no metrics of web, so nobody knows what is called from there; --per workload gives the others theirs',
          existing: undefined,
        },
      ],
    });
  });

  test('with metrics of a part of the window is doubtful', () => {
    const traffic = aTraffic([toLedger], ['shop/web']);
    const from = new Date('2026-01-06T00:00:00Z');
    const to = new Date('2026-01-07T00:00:00Z');
    const workloads = [
      { namespace: 'shop', workload: 'client', from, to },
      { namespace: 'shop', workload: 'web', ...scopeWindow },
    ];

    const { suggestions } = suggest({}, { ...traffic, workloads });

    expect(suggestions[0]?.doubts).toEqual([
      'there are metrics of client only since 2026-01-06T00:00:00.000Z until 2026-01-07T00:00:00.000Z',
    ]);
  });

  test('that calls everything has nothing to gain', () => {
    const calls = ['bank/ledger', 'bank/audit', 'other/a', 'other/b'].map((name) => {
      const [namespace = '', service = ''] = name.split('/');
      return aCall('shop/client', `${namespace}/${service}.${namespace}.svc.cluster.local`);
    });

    expect(suggest({}, aTraffic(calls, ['shop/web'])).refusals).toMatchObject([
      { why: 'its proxies know no more than they need' },
    ]);
  });

  test('that is not the one asked for is left alone', () => {
    const traffic = aTraffic([toLedger], ['shop/web']);

    expect(suggest({}, traffic, { ...perNamespace, namespace: 'bank' })).toEqual({
      suggestions: [],
      refusals: [],
    });
  });

  test('of the control plane has none, since that would be for the whole mesh', () => {
    const workloads = [aScopedWorkload('istio-system', 'grafana')];

    expect(suggest({ workloads }, aTraffic([], ['istio-system/grafana'])).refusals).toMatchObject([
      { why: 'a Sidecar of this namespace without a selector is for the whole mesh' },
    ]);
  });

  test('is asked for a Sidecar each workload where that would leave half', () => {
    const traffic = aTraffic([toLedger, aCall('shop/web', 'other/a.other.svc.cluster.local')]);

    expect(suggest({}, traffic).suggestions[0]).toMatchObject({
      after: { services: 4 },
      servicesPerWorkload: 3,
    });
  });
});

describe('gateways and pods without a sidecar', () => {
  test.each([
    ['a gateway', [{ name: 'istio-proxy', args: ['proxy', 'router'] }]],
    ['a bare pod', [{ name: 'app' }]],
  ])('%s is not looked at', (_name, containers) => {
    const pod = { ...client.pod, spec: { containers } };

    expect(suggest({ workloads: [{ ...client, pod }] })).toEqual({ suggestions: [], refusals: [] });
  });
});

describe('a name that metrics do not tell', () => {
  const front = aScopedService('front', 'bank');
  const frontHost = 'bank.front.svc.cluster.local';
  const withFront = { services: [...services, front] };

  test.each([
    ['a VirtualService', { hosts: ['bank'], http: [{ route: [{ destination: { host: ledgerHost } }] }] }],
    [
      'one that mirrors',
      { hosts: [frontHost], http: [{ mirrors: [{ destination: { host: ledgerHost } }] }] },
    ],
    ['one for TCP', { hosts: [frontHost], tcp: [{ route: [{ destination: { host: ledgerHost } }] }] }],
  ])('leads to the service by %s', (_name, spec) => {
    const istioObjects = [anIstioObject('VirtualService', 'front', 'bank', spec)];

    expect(hostsOf({ ...withFront, istioObjects })).toEqual([
      './*',
      'istio-system/*',
      `bank/${ledgerHost}`,
      `front/${frontHost}`,
    ]);
  });

  test('leads to the service by the delegate of a VirtualService elsewhere', () => {
    const route = { hosts: [frontHost], http: [{ delegate: { name: 'part', namespace: 'team' } }] };
    const part = { http: [{ route: [{ destination: { host: ledgerHost } }] }] };
    const istioObjects = [
      anIstioObject('VirtualService', 'team', 'root', route),
      anIstioObject('VirtualService', 'team', 'part', part),
    ];

    const hosts = hostsOf({ ...withFront, istioObjects });

    expect(hosts).toEqual(expect.arrayContaining([`team/${frontHost}`, `front/${frontHost}`]));
  });

  test('leads to the service by a route of the Gateway API', () => {
    const routes = [
      {
        ...{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
        metadata: { namespace: 'front', name: 'bank' },
        spec: {
          parentRefs: [{ kind: 'Service', group: '', name: 'bank' }],
          rules: [{ backendRefs: [{ name: 'ledger', namespace: 'bank' }] }],
        },
      },
    ];

    expect(hostsOf({ ...withFront, routes })).toContain(`front/${frontHost}`);
  });

  test('is a Service that stands for it, by the namespace of the other', () => {
    const alias = aScopedService('front', 'alias', { type: 'ExternalName', externalName: ledgerHost });

    expect(hostsOf({ services: [...services, alias] })).toContain('bank/alias.front.svc.cluster.local');
  });

  test('is none of a route for gateways alone', () => {
    const spec = {
      hosts: ['x.example.com'],
      gateways: ['front'],
      http: [{ route: [{ destination: { host: ledgerHost } }] }],
    };
    const istioObjects = [anIstioObject('VirtualService', 'front', 'x', spec)];

    expect(hostsOf({ istioObjects })).not.toContain('front/x.example.com');
  });
});

describe('what a proxy knows', () => {
  test('leaves out what is not exported to it, and what its control plane does not discover', () => {
    const hidden = aScopedService(
      'other',
      'hidden',
      { ports: [{ port: 80 }] },
      { 'networking.istio.io/exportTo': '.' },
    );
    const mesh = aMeshOperator({
      meshConfig: {
        discoverySelectors: [{ matchExpressions: [{ key: 'left-out', operator: 'DoesNotExist' }] }],
      },
    });

    const { suggestions } = suggest({
      services: [...services, hidden],
      meshes: [mesh as unknown as KubernetesObject],
      namespaces: { bank: { 'left-out': 'yes' } },
    });

    expect(suggestions[0]).toMatchObject({
      before: { services: 4 },
      after: { services: 2 },
      leftOut: { other: 2 },
    });
  });

  test('has the hosts of ServiceEntries', () => {
    const spec = { hosts: ['api.example.com', '*.example.org'], ports: [{ number: 443 }], resolution: 'DNS' };
    const istioObjects = [anIstioObject('ServiceEntry', 'other', 'api', spec)];

    expect(suggest({ istioObjects }).suggestions[0]).toMatchObject({
      before: { services: 8, clusters: 9, endpoints: 8 },
      leftOut: { bank: 1, other: 4 },
    });
  });

  test('has what the routes of its own namespace lead to', () => {
    const spec = {
      hosts: ['web'],
      http: [{ route: [{ destination: { host: 'a.other.svc.cluster.local' } }] }],
    };
    const istioObjects = [anIstioObject('VirtualService', 'shop', 'web', spec)];

    expect(suggest({ istioObjects }).suggestions[0]).toMatchObject({
      after: { services: 4 },
      leftOut: { bank: 1, other: 1 },
    });
  });
});

describe('a Sidecar that there is', () => {
  const existing = (name: string, spec: object) => anIstioObject('Sidecar', 'shop', name, spec);

  test('is compared, and keeps its name and what else it says', () => {
    const outboundTrafficPolicy = { mode: 'REGISTRY_ONLY' };
    const sidecar = existing('mine', {
      outboundTrafficPolicy,
      egress: [{ hosts: ['./*', 'other/*', 'bank/audit.bank.svc.cluster.local'] }],
    });

    const { suggestions } = suggest({ istioObjects: [sidecar] });

    expect(suggestions).toMatchObject([
      {
        sidecar: { metadata: { name: 'mine' }, spec: { outboundTrafficPolicy } },
        before: { services: 4 },
        after: { services: 3 },
        existing: {
          name: 'shop/mine',
          unusedHosts: ['other/*', 'bank/audit.bank.svc.cluster.local'],
          missingHosts: [`bank/${ledgerHost}`],
        },
      },
    ]);
    expect(egressOf(suggestions[0]?.sidecar)).toEqual(['./*', 'istio-system/*', `bank/${ledgerHost}`]);
  });

  test('misses nothing that a route of its egress leads to', () => {
    const route = { hosts: ['web'], http: [{ route: [{ destination: { host: ledgerHost } }] }] };
    const sidecar = existing('mine', { egress: [{ hosts: ['./*', 'other/*'] }] });

    const { suggestions } = suggest({
      istioObjects: [sidecar, anIstioObject('VirtualService', 'shop', 'web', route)],
    });

    expect(suggestions[0]?.existing).toMatchObject({ missingHosts: [] });
  });

  test('with listeners of its own is only compared', () => {
    const sidecar = existing('mine', { egress: [{ port: { number: 80 }, hosts: ['*/*'] }] });

    const { suggestions, refusals } = suggest({ istioObjects: [sidecar] });

    expect(suggestions).toEqual([]);
    expect(refusals).toMatchObject([
      {
        why: expect.stringContaining('Sidecar mine has listeners'),
        existing: { name: 'shop/mine', missingHosts: [] },
      },
    ]);
  });

  test('for some workloads has a suggestion of its own, and the others have theirs', () => {
    const sidecar = existing('of-client', { workloadSelector: { labels: { app: 'client' } } });

    const { suggestions } = suggest({ istioObjects: [sidecar] });

    expect(suggestions).toMatchObject([
      {
        workloads: ['client'],
        sidecar: {
          metadata: { name: 'of-client' },
          spec: { workloadSelector: { labels: { app: 'client' } } },
        },
        calls: [toLedger],
      },
      { workloads: ['web'], sidecar: { metadata: { name: 'default' } }, calls: [] },
    ]);
  });

  test('of the control plane is what is in force where a namespace has none', () => {
    const sidecar = anIstioObject('Sidecar', 'istio-system', 'default', {
      egress: [{ hosts: ['./*', 'bank/*'] }],
    });

    expect(suggest({ istioObjects: [sidecar] }).suggestions).toMatchObject([
      {
        sidecar: { metadata: { name: 'default', namespace: 'shop' } },
        before: { services: 3 },
        after: { services: 3 },
      },
    ]);
  });
});

describe('a workload', () => {
  test('has a Sidecar that selects it alone, and knows what itself has called', () => {
    const { suggestions } = suggest({}, undefined, perWorkload);

    expect(suggestions.map(({ sidecar }) => sidecar)).toMatchObject([
      {
        metadata: { name: 'client', namespace: 'shop' },
        spec: {
          workloadSelector: { labels: { app: 'client' } },
          egress: [{ hosts: ['./*', 'istio-system/*', `bank/${ledgerHost}`] }],
        },
      },
      { metadata: { name: 'web' }, spec: { egress: [{ hosts: ['./*', 'istio-system/*'] }] } },
    ]);
  });

  test('without metrics has none, and the others have theirs', () => {
    const { suggestions, refusals } = suggest({}, aTraffic([toLedger]), perWorkload);

    expect(suggestions).toMatchObject([{ workloads: ['client'] }]);
    expect(refusals).toMatchObject([
      { workloads: ['web'], why: 'there are no metrics of web, so nobody knows what is called from there' },
    ]);
  });

  test.each([
    ['whose labels others have as well', { matchLabels: {} }],
    [
      'that is selected by expressions',
      { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] },
    ],
  ])('%s has none', (_name, selector) => {
    const workloads = [client, aScopedWorkload('shop', 'web', selector)];

    const { refusals } = suggest({ workloads }, undefined, perWorkload);

    expect(refusals).toMatchObject([
      { workloads: ['web'], why: expect.stringContaining('no labels tell its pods') },
    ]);
  });

  test('takes no name of a Sidecar that is there', () => {
    const sidecar = anIstioObject('Sidecar', 'shop', 'client', { egress: [{ hosts: ['*/*'] }] });

    const { suggestions } = suggest({ istioObjects: [sidecar] }, undefined, perWorkload);

    expect(suggestions.map(({ sidecar: { metadata } }) => metadata.name)).toEqual(['client-scope', 'web']);
  });
});
