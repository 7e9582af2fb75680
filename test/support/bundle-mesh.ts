import type { KubernetesObject } from '../../src/api/kubernetes-object.ts';
import { authorityLabel } from '../../src/api/labels.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { MeshCluster } from './mesh-cluster.ts';
import { never, uniqueName } from './test-client.ts';
import type { TestMesh } from './test-mesh.ts';

const copyName = 'istio-ca-root-cert';
const copyKey = 'root-cert.pem';

/** A mesh whose authority is external, in a cluster that it shares: only namespaces with a label of its own are its. */
export class BundleMesh {
  readonly #world: MeshCluster;
  readonly #label: string;
  readonly namespace: string;

  private constructor(world: MeshCluster, namespace: string, label: string) {
    this.#world = world;
    this.namespace = namespace;
    this.#label = label;
  }

  /** The namespace of a mesh that is yet to be made. */
  static async prepare(world: MeshCluster): Promise<BundleMesh> {
    const label = uniqueName('bundle');
    const bundle = new BundleMesh(world, uniqueName('mesh'), label);
    await bundle.addNamespace(bundle.namespace);
    return bundle;
  }

  /** With `distributes`, the roots are those of ConfigMap `roots`. */
  create({ distributes = true } = {}): Promise<TestMesh> {
    const trustBundle = { configMapName: 'roots' };
    const external = { address: 'ca.example.com:443', ...(distributes ? { trustBundle } : {}) };
    return this.#world.createMesh(
      {
        meshConfig: { discoverySelectors: [{ matchLabels: { mesh: this.#label } }] },
        certificateAuthority: { provider: 'External', external },
      },
      { namespace: this.namespace },
    );
  }

  /** A namespace of the mesh. */
  async addNamespace(name = uniqueName('app')): Promise<string> {
    await this.#world.createNamespace(name);
    await this.label(name);
    return name;
  }

  async label(name: string): Promise<void> {
    const merge = { metadata: { labels: { mesh: this.#label } } };
    const id = { apiVersion: 'v1', kind: 'Namespace', name };
    await this.#world.client.patch(id, { type: 'merge', merge }, { fieldManager: 'test' }, never);
  }

  /** Puts a text where the spec says that the roots are. */
  putRoots(text: string): Promise<void> {
    return this.#put('roots', 'ca.crt', text, this.namespace, 'test');
  }

  /** Writes the roots of a namespace as somebody else. */
  async overwrite(namespace: string, text: string, writer: string): Promise<void> {
    await this.#put(copyName, copyKey, text, namespace, writer);
  }

  /** The roots that the copy in a namespace holds; undefined when there is none. */
  async textIn(namespace: string): Promise<string | undefined> {
    const copy = await this.copyIn(namespace);
    return (copy?.data as Record<string, string> | undefined)?.[copyKey];
  }

  async copyIn(namespace: string): Promise<KubernetesObject | undefined> {
    return this.#world.client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: copyName }, never);
  }

  async deleteCopy(namespace: string): Promise<void> {
    const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: copyName };
    await this.#world.client.delete(id, {}, never);
  }

  /** Waits until the copies of these namespaces hold this text, labelled as Istio's are. */
  async untilCopied(text: string, ...namespaces: readonly string[]): Promise<void> {
    for (const namespace of namespaces) {
      const explain = async () => JSON.stringify(await this.copyIn(namespace));
      await waitUntil({ what: `${namespace}/${copyName} holds the bundle`, explain }, async () => {
        const copy = await this.copyIn(namespace);
        const { labels = {} } = copy?.metadata ?? {};
        const isLabelled = labels['istio.io/config'] === 'true' && labels[authorityLabel] === this.namespace;
        return isLabelled && (await this.textIn(namespace)) === text;
      });
    }
  }

  async untilNoCopy(...namespaces: readonly string[]): Promise<void> {
    for (const namespace of namespaces) {
      await waitUntil({ what: `${namespace} has no ${copyName}` }, async () => {
        return (await this.copyIn(namespace)) === undefined;
      });
    }
  }

  async #put(name: string, key: string, text: string, namespace: string, writer: string): Promise<void> {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { [key]: text },
    };
    await this.#world.client.apply(object, { fieldManager: writer, force: true }, never);
  }
}
