import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../src/api/resolve.ts';
import {
  type EvaluatedPod,
  NetworkPolicyEvaluator,
  type PolicyWorld,
} from '../../../src/render/network-policy/evaluate-network-policies.ts';
import { renderMesh } from '../../../src/render/render-mesh.ts';
import { renderNftTable } from '../../cluster/network-policy/nft-table.ts';
import { decidePodRules, type PolicyWorld as EnforcedWorld } from '../../cluster/network-policy/pod-rules.ts';
import { ensureDebianPackages } from '../../cluster/toolchain/debian-packages.ts';
import { aMeshOperator } from '../../support/mesh-operator.ts';
import type { Probe } from '../../support/packet-agent.ts';
import { nodeAddress, type PacketNetwork, packetNetwork } from '../../support/packet-network.ts';
import { aRenderContext } from '../../support/render-context.ts';
import { podTemplateOf } from '../../support/rendered-objects.ts';

const ports = [53, 80, 443, 6443, 8080, 8081, 9000, 15010, 15012, 15014, 15017, 15020, 15021, 15090];
const apiServer = '192.0.2.1';
const client = '192.0.2.2';

const tenants = ['red', 'blue'].map((tenant) => {
  const members = [`${tenant}-web`, `${tenant}-db`];
  const mesh = resolveMesh(
    aMeshOperator(
      {
        revision: tenant,
        profile: 'minimal',
        tenancy: { tenant, members: { namespaces: members } },
        networkPolicy: {
          apiServer: { cidrs: [`${apiServer}/32`], ports: [6443] },
          monitoring: { namespaces: ['watchers'] },
        },
        components: { ingressGateways: [{ name: 'gateway' }] },
      },
      { namespace: `${tenant}-system` },
    ),
  );
  return {
    tenant,
    members,
    objects: renderMesh(mesh, aRenderContext(), members).flatMap((wave) => wave.objects),
  };
});

const pods: EvaluatedPod[] = [
  ...tenants.flatMap(({ tenant, members, objects }) => [
    ...objects.filter(({ kind }) => kind === 'Deployment').map((deployment) => podOf(deployment, objects)),
    ...members.map((namespace) => aPod(namespace, tenant, {})),
  ]),
  aPod('outsider', 'app', {}),
  aPod('watchers', 'prometheus', {}),
  aPod('kube-system', 'coredns', { 'k8s-app': 'kube-dns' }),
].map((pod, index) => ({
  ...pod,
  status: { podIP: `10.77.${index}.1`, hostIP: nodeAddress, phase: 'Running' },
}));

const world: PolicyWorld = {
  policies: tenants.flatMap(({ objects }) =>
    objects.filter(({ kind }) => kind === 'NetworkPolicy'),
  ) as unknown as PolicyWorld['policies'],
  namespaces: [...new Set(pods.map(({ metadata }) => metadata.namespace ?? ''))].map((name) => ({
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...membership(name) } },
  })),
  pods,
};

/** By address: `NAMESPACE/NAME`. */
const names = new Map<string, string>([
  ...pods.map(({ metadata, status }): [string, string] => [
    status?.podIP ?? '',
    `${metadata.namespace}/${metadata.name}`,
  ]),
  [apiServer, 'API server'],
  [client, 'client'],
  [nodeAddress, 'node'],
]);

describe('two tenants and an outsider, behind the enforcer', () => {
  let network: PacketNetwork;
  let probes: readonly Probe[];
  let arrived: ReadonlySet<number>;

  beforeAll(async () => {
    await ensureDebianPackages(['node']);
    const hosts = [...names.keys()].filter((address) => address !== nodeAddress);
    network = await packetNetwork(
      hosts.map((address) => ({ addresses: [address] })),
      ports,
    );
    probes = [...names.keys()]
      .flatMap((from) => [...names.keys()].filter((to) => to !== from).map((to) => ({ from, to })))
      .flatMap((pair) =>
        ports.flatMap((port) => [
          { ...pair, port, protocol: 'TCP' as const },
          { ...pair, port, protocol: 'UDP' as const },
        ]),
      )
      .map((packet, id) => ({ id, ...packet }));
    await network.load(renderNftTable(decidePodRules(world as EnforcedWorld)));
    arrived = await network.send(probes);
  });

  afterAll(() => network?.stop());

  /** TCP ports on which a packet of one has got to the other. */
  const reached = (from: string, to: string) =>
    probes
      .filter((probe) => names.get(probe.from) === from && names.get(probe.to) === to)
      .filter(({ protocol, id }) => protocol === 'TCP' && arrived.has(id))
      .map(({ port }) => port);

  test('every packet becomes what the evaluator says', () => {
    const evaluator = new NetworkPolicyEvaluator(world);

    const wrong = probes.filter((probe) => evaluator.judge(probe).isAllowed !== arrived.has(probe.id));

    expect(wrong).toEqual([]);
  });

  test.each([
    ['red-web/red', 'red-db/red', ports],
    ['red-web/red', 'red-system/istiod-red', [15012]],
    ['red-web/red', 'kube-system/coredns', [53]],
    ['red-web/red', 'API server', []],
    ['red-web/red', 'client', []],
    ['red-system/istiod-red', 'API server', [6443]],
    ['red-system/istiod-red', 'client', []],
    ['red-system/gateway', 'red-db/red', ports],
    ['red-system/gateway', 'red-system/istiod-red', [15012]],
    ['red-system/sidecar-injector-red', 'API server', []],
    ['API server', 'red-system/istiod-red', [15017]],
    ['API server', 'red-system/sidecar-injector-red', [15017]],
    ['client', 'red-system/gateway', [80, 443, 15021]],
    ['client', 'red-web/red', []],
    ['watchers/prometheus', 'red-system/istiod-red', [15014]],
    ['watchers/prometheus', 'red-web/red', [15020, 15090]],
    ['node', 'red-web/red', ports],
  ] as const)('%s reaches of %s what it needs, and nothing else', (from, to, wanted) => {
    expect(reached(from, to)).toEqual(wanted);
  });

  test.each(['blue-web/blue', 'blue-system/gateway', 'blue-system/istiod-blue', 'outsider/app'])(
    'nothing of a tenant is reached by %s, but what is for everybody',
    (from) => {
      const red = [...names.values()].filter((name) => name.startsWith('red-'));

      const open = red.flatMap((to) => reached(from, to).map((port) => `${to}:${port}`));

      // A policy of its own lets nothing of the other tenant out that the gateway would take in.
      const forEverybody = ['80', '443', '15021'].map((port) => `red-system/gateway:${port}`);
      expect(open).toEqual(from === 'outsider/app' ? forEverybody : []);
    },
  );
});

function podOf({ metadata }: KubernetesObject, objects: readonly KubernetesObject[]): EvaluatedPod {
  return aPod(metadata.namespace ?? '', metadata.name, podTemplateOf(objects, metadata.name).metadata.labels);
}

function aPod(namespace: string, name: string, labels: Record<string, string>): EvaluatedPod {
  return { metadata: { name, namespace, labels }, spec: {} };
}

function membership(namespace: string): Record<string, string> {
  const tenant = tenants.find(({ members }) => members.includes(namespace))?.tenant;
  return tenant === undefined ? {} : { 'meshoperator.dev/tenant': tenant, 'meshoperator.dev/member': tenant };
}
