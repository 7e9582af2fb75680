import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idOf, type KubernetesObject, type OwnerReference } from '../../src/api/kubernetes-object.ts';
import type { JsonObject } from '../../src/api/resolved-mesh.ts';
import { ownedKinds } from '../../src/controllers/mesh/owned-kinds.ts';
import type { MeshCluster } from './mesh-cluster.ts';
import { never } from './test-client.ts';
import { openUpstreamCharts, type UpstreamCharts } from './upstream-charts.ts';

const apiVersion = 'sailoperator.io/v1';
const processName = 'sail-operator';
const kinds = ['Istio', 'IstioRevision', 'IstioRevisionTag'] as const;
type SailKind = (typeof kinds)[number];

/** One Istio of Sail's, as it becomes an IstioRevision and Helm releases. */
export interface SailIstio {
  readonly name: string;
  readonly namespace: string;
  /** Where Sail's operator would run: it keeps the release of the chart `base` there. */
  readonly operatorNamespace: string;
  readonly version: string;
  readonly updateStrategy: 'InPlace' | 'RevisionBased';
  readonly hub: string;
  readonly values: JsonObject;
  readonly tags?: readonly string[];
}

/**
 * What Sail's operator leaves in a cluster, by facts of its source: Istio's charts, installed by the real Helm under the
 * process name of Sail on the client's side, with values that name each image whole; every object with Sail's label and
 * owned by the IstioRevision or IstioRevisionTag it is of; the finalizer on these two and not on the Istio. The chart with
 * tags is Sail's own cut of the chart `istiod`. Sail itself is not there, nor are the schemas of its CRDs, which no registry
 * of modules has: these take anything.
 */
export class SailInstallation {
  readonly #world: MeshCluster;
  readonly #charts: UpstreamCharts;

  private constructor(world: MeshCluster, charts: UpstreamCharts) {
    this.#world = world;
    this.#charts = charts;
  }

  /** Has the cluster serve Sail's kinds. */
  static async open(world: MeshCluster): Promise<SailInstallation> {
    for (const kind of kinds) {
      await world.cluster.apply(JSON.stringify(crdOf(kind)));
      await world.cluster.kubectl('wait', 'crd', crdName(kind), '--for=condition=Established');
    }
    return new SailInstallation(world, await openUpstreamCharts());
  }

  async install(istio: SailIstio): Promise<void> {
    const { name, namespace, version, updateStrategy, tags = [] } = istio;
    const revision = updateStrategy === 'InPlace' ? name : `${name}-v${version.replaceAll('.', '-')}`;
    const values = valuesOf(istio, revision === 'default' ? '' : revision);
    const spec = { namespace, version: `v${version}` };
    const made = await this.#create('Istio', name, {
      spec: { ...spec, updateStrategy: { type: updateStrategy }, values: istio.values },
      status: { activeRevisionName: revision },
    });
    const owner = await this.#create('IstioRevision', revision, {
      owners: [made],
      spec: { ...spec, values },
    });
    await this.#chart(owner, `${revision}-istiod`, 'istio-control/istio-discovery', namespace, values);
    if (revision === 'default') {
      await this.#chart(owner, `${revision}-base`, 'base', istio.operatorNamespace, values);
    }
    const tagChart = await this.#tagChart();
    for (const tag of tags) {
      const tagOwner = await this.#create('IstioRevisionTag', tag, {
        spec: { targetRef: { kind: 'Istio', name } },
        status: { istioRevision: revision, istiodNamespace: namespace },
      });
      await this.#chart(tagOwner, `${tag}-revisiontags`, tagChart, namespace, {
        ...values,
        revisionTags: [tag],
      });
      if (tag === 'default') {
        const ofTag = { ...values, defaultRevision: revision };
        await this.#chart(tagOwner, `${tag}-base`, 'base', istio.operatorNamespace, ofTag);
      }
    }
    await rm(tagChart, { recursive: true });
    const istiod = revision === 'default' ? 'istiod' : `istiod-${revision}`;
    await this.#world.cluster.kubectl(
      ...['rollout', 'status', '-n', namespace, `deployment/${istiod}`, '--timeout=240s'],
    );
  }

  async close(): Promise<void> {
    await this.#world.cluster.kubectl('delete', 'crd', ...kinds.map(crdName));
  }

  async #create(
    kind: SailKind,
    name: string,
    { owners, spec, status }: { owners?: OwnerReference[]; spec: object; status?: object },
  ): Promise<OwnerReference> {
    const finalizers = kind === 'Istio' ? [] : ['sailoperator.io/sail-operator'];
    const metadata = { name, finalizers, ...(owners === undefined ? {} : { ownerReferences: owners }) };
    const object = { apiVersion, kind, metadata, spec, ...(status === undefined ? {} : { status }) };
    await this.#world.cluster.apply(JSON.stringify(object));
    const id = `${crdName(kind)}/${name}`;
    const uid = await this.#world.cluster.kubectl('get', id, '-o', 'jsonpath={.metadata.uid}');
    return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
  }

  /** Sail hands the owner and its label to Helm with each object: they are that manager's as all else is. */
  async #chart(owner: OwnerReference, release: string, chart: string, namespace: string, values: JsonObject) {
    const { cluster, client } = this.#world;
    const options = { chart, release, namespace, values };
    await this.#charts.install(options, cluster.kubeconfigPath, 'client-side', processName);
    const lists = await Promise.all(ownedKinds.map((kind) => client.list(kind, {}, never)));
    const own = lists.flatMap(({ items }) => items).filter((object) => isOf(object, release, namespace));
    const merge = { metadata: { labels: { 'managed-by': processName }, ownerReferences: [owner] } };
    for (const object of own) {
      await client.patch(idOf(object), { type: 'merge', merge }, { fieldManager: processName }, never);
    }
  }

  async #tagChart(): Promise<string> {
    const [from, to] = [
      join(this.#charts.folder, 'manifests/charts/istio-control/istio-discovery'),
      await mkdtemp(join(tmpdir(), 'revisiontags-')),
    ];
    const parts = ['values.yaml', 'files', 'templates/zzz_profile.yaml'];
    for (const part of [...parts, 'templates/revision-tags-mwc.yaml', 'templates/revision-tags-svc.yaml']) {
      await cp(join(from, part), join(to, part), { recursive: true });
    }
    await writeFile(join(to, 'Chart.yaml'), 'apiVersion: v2\nname: revisiontags\nversion: 0.1.0\n');
    return to;
  }
}

/** What Sail gives its charts: values of the Istio, of its default profile, of its table of images, and its own. */
function valuesOf({ namespace, hub, version, values }: SailIstio, revision: string): JsonObject {
  const proxy = { image: `${hub}/proxyv2:${version}` };
  return {
    ...values,
    revision,
    global: { configValidation: true, istioNamespace: namespace, proxy, proxy_init: proxy },
    pilot: { image: `${hub}/pilot:${version}` },
    ztunnel: { resourceName: 'ztunnel' },
  };
}

function isOf({ metadata: { annotations = {} } }: KubernetesObject, release: string, namespace: string) {
  return (
    annotations['meta.helm.sh/release-name'] === release &&
    annotations['meta.helm.sh/release-namespace'] === namespace
  );
}

function crdName(kind: SailKind): string {
  return `${kind.toLowerCase()}s.sailoperator.io`;
}

function crdOf(kind: SailKind) {
  const singular = kind.toLowerCase();
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(kind) },
    spec: {
      group: 'sailoperator.io',
      scope: 'Cluster',
      names: { kind, plural: `${singular}s`, singular },
      // Without a subresource, so that a test writes the status as it writes the rest.
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
