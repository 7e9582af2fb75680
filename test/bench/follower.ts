import { kindInfo } from '../../src/api/kinds.ts';
import { idOf, type KubernetesObject, type ObjectId } from '../../src/api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorApiVersion, meshOperatorKind } from '../../src/api/mesh-operator.ts';
import type { MeshOperatorSpec } from '../../src/api/mesh-operator-spec.ts';
import { loadBalancerAddresses } from '../../src/api/service-addresses.ts';
import { isRecord } from '../../src/base/stable-json.ts';
import { operatorNamespace } from '../cluster/operator.ts';
import { installMeshOperatorCrd } from '../support/mesh-operator-crd.ts';
import type { RemoteCluster } from '../support/remote-cluster.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { BenchOperator } from './bench-operator.ts';
import { type BenchRow, median } from './bench-table.ts';
import { type ClusterView, never, watchKinds } from './cluster-view.ts';

const namespace = 'follower';
const revision = 'follower';
const moves = 5;
const limitMs = 300_000;
const fieldManager = 'bench';

const noService: KubernetesObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: '' } };
const gatewayId = { apiVersion: 'v1', kind: 'Service', namespace, name: 'eastwest' };
const sliceKind = kindInfo('discovery.k8s.io/v1', 'EndpointSlice');
const sliceId = { ...sliceKind, namespace, name: `istiod-${revision}` };

/**
 * How soon the proxies of a cluster that follows the istiod of this one have another address of it: the gateway's Service
 * here, a ConfigMap there, and the EndpointSlice that its operator makes of that. `primary` runs an operator already.
 * Beside it a plain loop hands the same address on, by two watches and as many writes.
 */
export async function measureFollower(primary: BenchCluster, other: RemoteCluster): Promise<BenchRow> {
  await prepare(primary, other);
  const { kubeconfigPath: kubeconfig } = other.cluster;
  const follower = new BenchOperator({
    ...{ bundle: primary.bundle, kubeconfig, namespace: operatorNamespace },
    ...{ identity: 'follower', logLevel: 'info' },
  });
  await follower.seen('Controllers run');
  await applyMeshes(primary, other);
  const here = await watchKinds(primary.client, [kindInfo('v1', 'Service')]);
  const there = await watchKinds(other.client, [kindInfo('v1', 'ConfigMap'), sliceKind]);
  const first = await here.until('the gateway has an address', limitMs, () =>
    loadBalancerAddresses(here.get(gatewayId) ?? noService).at(0),
  );
  await there.until(`the follower finds istiod at ${first}`, limitMs, () =>
    addressesOf(there.get(sliceId)).includes(first) ? true : undefined,
  );
  const ours: number[] = [];
  const plain: number[] = [];
  for (let move = 0; move < moves; move += 1) {
    // In the range from which the cluster gives addresses: it takes back all others.
    const address = first.replace(/\d+$/, String(200 + move));
    const startMs = performance.now();
    const handedOn = handOn(other, here, there, address).then(() => performance.now() - startMs);
    const followed = there.until(`the follower finds istiod at ${address}`, limitMs, () =>
      addressesOf(there.get(sliceId)).includes(address) ? performance.now() - startMs : undefined,
    );
    const merge = { status: { loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] } } };
    const options = { fieldManager, subresource: 'status' };
    await primary.client.patch(gatewayId, { type: 'merge', merge }, options, never);
    const [oursMs, plainMs] = await Promise.all([followed, handedOn]);
    ours.push(oursMs);
    plain.push(plainMs);
  }
  await Promise.all([here.close(), there.close()]);
  await follower.stop();
  return {
    name: "address of the primary's gateway: change until a cluster that follows has it in its EndpointSlice",
    ...{ ours: median(ours) / 1000, unit: 's', goalRatio: 3 },
    baseline: { name: 'plain loop', value: median(plain) / 1000 },
  };
}

async function prepare({ client }: BenchCluster, other: RemoteCluster): Promise<void> {
  await other.createNamespace(operatorNamespace);
  await other.createNamespace(namespace);
  await installMeshOperatorCrd(other.cluster);
  const data = { kubeconfig: Buffer.from(await other.kubeconfig()).toString('base64') };
  await client.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { fieldManager },
    never,
  );
  const metadata = { name: 'other', namespace };
  await client.create({ apiVersion: 'v1', kind: 'Secret', metadata, data }, { fieldManager }, never);
}

async function applyMeshes(primary: BenchCluster, other: RemoteCluster): Promise<void> {
  const remote = { clusterName: 'other', role: 'Remote' as const, kubeconfig: { secretName: 'other' } };
  const ofPrimary = meshWith({
    profile: 'empty',
    multiCluster: { meshID: namespace, clusterName: 'home', remotes: [remote] },
    components: { eastWestGateways: [{ name: gatewayId.name }] },
  });
  const ofFollower = meshWith({ multiCluster: { meshID: namespace, clusterName: 'other', role: 'Remote' } });
  await other.client.apply(ofFollower, { fieldManager }, never);
  await primary.client.apply(ofPrimary, { fieldManager }, never);
}

function meshWith(spec: MeshOperatorSpec): KubernetesObject {
  const mesh: MeshOperator = {
    ...{ apiVersion: meshOperatorApiVersion, kind: meshOperatorKind, metadata: { name: 'mesh', namespace } },
    spec: { revision, sidecarInjector: { enabled: false }, ...spec },
  };
  return mesh as unknown as KubernetesObject;
}

/** What nothing can do without that hands an address on by a ConfigMap: to see it, write it, see that, and write the EndpointSlice. */
async function handOn(
  { client }: RemoteCluster,
  here: ClusterView,
  there: ClusterView,
  address: string,
): Promise<void> {
  const metadata = { name: 'plain-loop', namespace };
  const told: KubernetesObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { address } };
  const slice: KubernetesObject = {
    ...{ apiVersion: sliceKind.apiVersion, kind: sliceKind.kind, metadata, addressType: 'IPv4' },
    endpoints: [{ addresses: [address] }],
  };
  const has = (view: ClusterView, id: ObjectId) => () =>
    JSON.stringify(view.get(id) ?? '').includes(`"${address}"`) ? true : undefined;
  await here.until(`the gateway has address ${address}`, limitMs, has(here, gatewayId));
  await client.apply(told, { fieldManager }, never);
  await there.until(`address ${address} is told`, limitMs, has(there, idOf(told)));
  await client.apply(slice, { fieldManager }, never);
  await there.until(`address ${address} is in an EndpointSlice`, limitMs, has(there, idOf(slice)));
}

function addressesOf(slice: KubernetesObject | undefined): unknown[] {
  const endpoints = Array.isArray(slice?.endpoints) ? slice.endpoints : [];
  return endpoints.filter(isRecord).flatMap(({ addresses }) => addresses);
}
