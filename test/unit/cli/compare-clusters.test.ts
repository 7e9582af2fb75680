import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import type { MeshOperatorSpec } from '../../../src/api/mesh-operator-spec.ts';
import { compareClusters } from '../../../src/cli/analyze/compare-clusters.ts';
import type { ComparedCluster } from '../../../src/cli/analyze/compared-cluster.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';

/** What one cluster has that the other one need not have. */
interface Differences extends Partial<Omit<ComparedCluster, 'facts'>> {
  readonly spec?: MeshOperatorSpec;
  readonly network?: string;
  readonly meshID?: string;
  readonly roots?: readonly string[];
  readonly role?: 'Primary' | 'Remote';
  readonly configCluster?: string;
}

function aNamespace(name: string, labels: Record<string, string> = { 'istio-injection': 'enabled' }) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function aService(name: string, ports: readonly object[], spec: object = {}): KubernetesObject {
  return {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' } },
    spec: { clusterIP: '10.0.0.1', selector: { app: name }, ports, ...spec },
  };
}

function anIstioObject(kind: string, spec: object, labels: Record<string, string> = {}): KubernetesObject {
  const group = kind === 'PeerAuthentication' ? 'security.istio.io' : 'networking.istio.io';
  return { apiVersion: `${group}/v1`, kind, metadata: { name: 'cart', namespace: 'shop', labels }, spec };
}

const gateway = (network: string) => ({
  ...aService('istio-eastwestgateway', []),
  metadata: {
    ...{ name: 'istio-eastwestgateway', namespace: 'istio-system' },
    labels: { 'topology.istio.io/network': network },
  },
});

function aCluster(clusterName: string, differences: Differences = {}): ComparedCluster {
  const { spec = {}, network, role, configCluster, meshID = 'shop', roots = ['root'], ...rest } = differences;
  const place = {
    ...(network === undefined ? {} : { network }),
    ...(role === undefined ? {} : { role }),
    ...(configCluster === undefined ? {} : { configCluster }),
  };
  const mesh = aMeshOperator({ ...spec, multiCluster: { meshID, clusterName, ...place } });
  return {
    name: clusterName,
    facts: {
      ...{ uid: clusterName, roots: new Set(roots), kubernetesVersion: 'v1.35.0', clockSkewMs: 0 },
      podRanges: [],
      meshes: [mesh as unknown as KubernetesObject],
    },
    ...{ namespaces: [aNamespace('shop')], services: [aService('cart', [{ port: 80, name: 'http' }])] },
    istioObjects: [],
    ...rest,
  };
}

function findings(one: Differences, other: Differences, ...more: ComparedCluster[]) {
  return compareClusters([aCluster('east', one), aCluster('west', other), ...more]);
}

function lines(one: Differences, other: Differences, ...more: ComparedCluster[]): string[] {
  return findings(one, other, ...more).map(({ severity, rule, object }) => `${severity} ${rule} ${object}`);
}

describe('clusters of one mesh', () => {
  test('that are alike give nothing to say', () => {
    expect(lines({}, {})).toEqual([]);
  });

  test('need not have what the one with the workloads has where istiod is for another one alone', () => {
    const here = { configCluster: 'west', namespaces: [], services: [] };
    const there = { role: 'Remote', network: 'network-west', services: [gateway('network-west')] } as const;

    expect(lines(here, there)).toEqual([]);
  });

  test.each<[what: string, one: Differences, other: Differences, found: string]>([
    ['of different meshes', {}, { meshID: 'other' }, 'error OtherMesh Cluster west'],
    ['without a root in common', {}, { roots: ['another'] }, 'error RootsDiffer Cluster west'],
    [
      'with trust domains that they do not know of each other',
      {},
      { spec: { meshConfig: { trustDomain: 'west.example.com' } } },
      'error TrustDomainsDiffer MeshOperator istio-system/mesh',
    ],
    [
      'of different networks, into one of which nothing leads',
      { network: 'one', services: [gateway('one')] },
      { network: 'two' },
      'error NetworkWithoutGateway west: MeshOperator istio-system/mesh',
    ],
    [
      'of which only one is in a network',
      { network: 'one', services: [gateway('one')] },
      { services: [] },
      'error NetworkWithoutGateway west: MeshOperator istio-system/mesh',
    ],
    [
      'of which one lacks a namespace with services',
      {},
      { namespaces: [], services: [] },
      'warning OneSidedNamespace Namespace shop',
    ],
    [
      'of which one does not inject into a namespace',
      {},
      { namespaces: [aNamespace('shop', {})] },
      'warning InjectionDiffers Namespace shop',
    ],
    [
      'of which one has a namespace for ztunnel',
      {},
      { namespaces: [aNamespace('shop', { 'istio.io/dataplane-mode': 'ambient' })] },
      'warning InjectionDiffers Namespace shop',
    ],
    [
      'of which one has another protocol for a port',
      {},
      { services: [aService('cart', [{ port: 80, name: 'grpc' }])] },
      'warning ServiceDiffers Service shop/cart',
    ],
    [
      'of which one has a port that the other has not',
      {},
      {
        services: [
          aService('cart', [
            { port: 80, name: 'http' },
            { port: 81, name: 'http-admin' },
          ]),
        ],
      },
      'warning ServiceDiffers Service shop/cart',
    ],
    [
      'of which one has a Service without selector',
      {},
      { services: [aService('cart', [{ port: 80, name: 'http' }], { selector: undefined })] },
      'warning ServiceDiffers Service shop/cart',
    ],
    [
      'of which one has it headless',
      {},
      { services: [aService('cart', [{ port: 80, name: 'http' }], { clusterIP: 'None' })] },
      'warning ServiceDiffers Service shop/cart',
    ],
    [
      'of which one alone has a VirtualService',
      {},
      { istioObjects: [anIstioObject('VirtualService', {})] },
      'warning OneSidedIstioObject VirtualService shop/cart',
    ],
    [
      'of which one is stricter',
      { istioObjects: [anIstioObject('PeerAuthentication', { mtls: { mode: 'STRICT' } })] },
      { istioObjects: [anIstioObject('PeerAuthentication', { mtls: { mode: 'PERMISSIVE' } })] },
      'warning IstioObjectDiffers PeerAuthentication shop/cart',
    ],
  ])('%s', (_what, one, other, found) => {
    expect(lines(one, other)).toEqual([found]);
  });

  test('may say the same in other words', () => {
    const one = { services: [aService('cart', [{ port: 80, appProtocol: 'http', targetPort: 8080 }])] };
    const labels = { 'istio.io/rev': 'canary' };

    expect(lines(one, { namespaces: [aNamespace('shop', labels)] })).toEqual([]);
  });

  test('may have trust domains that all know', () => {
    const spec = (trustDomain: string, other: string) => ({
      spec: { meshConfig: { trustDomain, trustDomainAliases: [other] } },
    });

    expect(lines(spec('a.example.com', 'b.example.com'), spec('b.example.com', 'a.example.com'))).toEqual([]);
  });

  test('follow the rules of another one where they have no istiod, and render rules of their own', () => {
    const rule = anIstioObject('VirtualService', {});
    const ours = anIstioObject(
      'VirtualService',
      {},
      {
        'app.kubernetes.io/managed-by': 'mesh-operator',
        ...{ 'meshoperator.dev/mesh': 'mesh', 'meshoperator.dev/mesh-namespace': 'istio-system' },
      },
    );

    expect(lines({ istioObjects: [rule] }, { role: 'Remote', spec: { profile: 'remote' } })).toEqual([]);
    expect(lines({ istioObjects: [ours] }, {})).toEqual([]);
  });

  test('are named with what each has, so that one knows where to look', () => {
    const north = aCluster('north', { services: [aService('cart', [{ port: 80, name: 'tcp-old' }])] });

    const [finding] = findings({}, { services: [aService('cart', [{ port: 80, name: 'grpc' }])] }, north);

    expect(finding).toMatchObject({
      object: 'Service shop/cart',
      why: 'its spec.ports[80] is http in east, grpc in west, tcp in north, so the same call is another one in each cluster',
    });
  });

  test('name the fields in which rules differ, and their values', () => {
    const [finding] = findings(
      { istioObjects: [anIstioObject('PeerAuthentication', { mtls: { mode: 'STRICT' } })] },
      { istioObjects: [anIstioObject('PeerAuthentication', {})] },
    );

    expect(finding?.why).toBe('in east and west it differs: spec.mtls ({"mode":"STRICT"}, absent)');
  });
});
