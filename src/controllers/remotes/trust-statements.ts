import { kindInfo } from '../../api/kinds.ts';
import { keyText, type ObjectKey } from '../../api/kubernetes-object.ts';
import { trustStatementName } from '../../api/trust-statement-object.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { HeardMember } from '../../pki/member-view.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import { type HeardStatement, statementText } from './cluster-facts.ts';
import type { CredentialKey } from './credential-secret.ts';

/** One cluster that is listened to. */
interface Source {
  readonly client: KubeClient;
  readonly informer: Informer;
  readonly stop: AbortController;
}

interface Heard {
  text?: string | undefined;
  absentSince?: Date | undefined;
  source?: Source | undefined;
}

/**
 * What other clusters say of their trust (`TrustStatement`), by a watch of one ConfigMap in each. What was heard of one
 * that cannot be reached stays.
 */
export class TrustStatements {
  readonly #deps: Omit<InformerDeps, 'client'>;
  readonly #onChange: (mesh: ObjectKey) => void;
  /** By mesh and the name of the other cluster. */
  readonly #meshes = new Map<string, Map<string, Heard>>();

  /** `onChange` is called for the mesh that something new was heard for. */
  constructor(deps: Omit<InformerDeps, 'client'>, onChange: (mesh: ObjectKey) => void) {
    this.#deps = deps;
    this.#onChange = onChange;
  }

  /** All that was heard for a mesh. */
  of(mesh: ObjectKey): HeardMember[] {
    const heard = this.#meshes.get(keyText(mesh)) ?? [];
    return [...heard].map(([clusterName, { text, absentSince }]) => ({
      clusterName,
      ...(text === undefined ? {} : { text }),
      ...(absentSince === undefined ? {} : { absentSince }),
    }));
  }

  /** What a cluster says now to this client; undefined while that is not listened to, or has not been heard yet. */
  heardBy({ mesh, clusterName }: CredentialKey, client: KubeClient): HeardStatement | undefined {
    const source = this.#meshes.get(keyText(mesh))?.get(clusterName)?.source;
    if (source?.client !== client || !source.informer.hasSynced) return undefined;
    return { text: statementText(source.informer.get(mesh.namespace, trustStatementName)) };
  }

  /** Listens to a cluster that has just answered as the one that it should be; `namespace` is that of the mesh. */
  follow(key: CredentialKey, client: KubeClient, namespace: string): void {
    const heard = this.#heardFrom(key);
    if (heard.source?.client !== client) {
      heard.source?.stop.abort();
      heard.source = this.#listen(key, client, namespace);
    }
    if (heard.absentSince === undefined) return;
    heard.absentSince = undefined;
    this.#onChange(key.mesh);
  }

  /** Notes that a cluster cannot be asked. */
  lose(key: CredentialKey): void {
    const heard = this.#heardFrom(key);
    if (heard.absentSince !== undefined) return;
    heard.absentSince = this.#deps.clock.now();
    this.#onChange(key.mesh);
  }

  /** The same of one whose place another cluster has taken, which is not listened to. */
  reject(key: CredentialKey): void {
    const heard = this.#heardFrom(key);
    heard.source?.stop.abort();
    heard.source = undefined;
    this.lose(key);
  }

  /** Listens to a cluster no more that no mesh names. */
  forget({ mesh, clusterName }: CredentialKey): void {
    const heard = this.#meshes.get(keyText(mesh));
    heard?.get(clusterName)?.source?.stop.abort();
    heard?.delete(clusterName);
    if (heard?.size === 0) this.#meshes.delete(keyText(mesh));
  }

  #listen(key: CredentialKey, client: KubeClient, namespace: string): Source {
    const fieldSelector = `metadata.name=${trustStatementName}`;
    const options = { kind: kindInfo('v1', 'ConfigMap'), namespace, fieldSelector };
    const informer = new Informer(options, { ...this.#deps, client });
    const stop = new AbortController();
    informer.addHandler(({ current }) => {
      if (stop.signal.aborted) return;
      this.#heardFrom(key).text = statementText(current);
      this.#onChange(key.mesh);
    });
    void informer.run(stop.signal);
    return { client, informer, stop };
  }

  #heardFrom({ mesh, clusterName }: CredentialKey): Heard {
    const ofMesh = this.#meshes.get(keyText(mesh)) ?? new Map<string, Heard>();
    this.#meshes.set(keyText(mesh), ofMesh);
    const heard = ofMesh.get(clusterName) ?? {};
    ofMesh.set(clusterName, heard);
    return heard;
  }
}
