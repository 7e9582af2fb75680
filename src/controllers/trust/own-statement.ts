import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { trustStatementKey, trustStatementName } from '../../api/trust-statement-object.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { trustStatementOf } from '../../pki/exchange.ts';
import type { HeardMember } from '../../pki/member-view.ts';
import { type MemberView, memberView } from '../../pki/member-view.ts';
import { trustStatementText } from '../../pki/trust-statement.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import { bundleVersion } from './cacerts-secret.ts';
import { objectManager } from './field-managers.ts';
import { sharedMetadata } from './shared-object.ts';

/** Whether the authority of a mesh exchanges roots with those of other clusters: where SPIRE issues certificates, its federation does. */
export function exchangesRoots({ multiCluster, authority }: ResolvedMesh): boolean {
  return multiCluster?.role === 'Primary' && authority.enabled && authority.spire === undefined;
}

/** The clusters that a mesh exchanges roots with, as they were heard; none where it exchanges none. */
export function memberViews(mesh: ResolvedMesh, heard: readonly HeardMember[], now: Date): MemberView[] {
  if (!exchangesRoots(mesh)) return [];
  const own = { clusterName: mesh.clusterId, meshID: mesh.meshId };
  const remotes = mesh.multiCluster?.remotes ?? [];
  return remotes.map(({ clusterName }) => {
    const member = heard.find((each) => each.clusterName === clusterName) ?? { clusterName };
    return memberView(member, own, now);
  });
}

/** The ConfigMaps in which this cluster says to the others what it trusts: one for each control-plane namespace. */
export class OwnStatements {
  readonly informer: Informer;
  readonly #client: KubeClient;
  readonly #applier: Applier;

  constructor(deps: InformerDeps) {
    const fieldSelector = `metadata.name=${trustStatementName}`;
    this.informer = new Informer({ kind: kindInfo('v1', 'ConfigMap'), fieldSelector }, deps);
    this.#client = deps.client;
    this.#applier = new Applier({
      client: deps.client,
      fieldManager: objectManager,
      onWrite: (object) => this.informer.observeWrite(object),
    });
  }

  /** Says what there is to say, and takes back what a mesh that exchanges nothing any more has said. */
  async keep(
    meshes: readonly KubernetesObject[],
    mesh: ResolvedMesh,
    state: AuthorityState,
    signal: AbortSignal,
  ): Promise<void> {
    const observed = this.informer.get(mesh.namespace, trustStatementName);
    if (exchangesRoots(mesh)) {
      await this.#applier.apply(statementObject(meshes, mesh, state), observed, signal);
    } else if (observed !== undefined && isOurs(observed, meshes)) {
      await this.#client.delete(idOf(observed), {}, signal);
    }
  }
}

function statementObject(
  meshes: readonly KubernetesObject[],
  mesh: ResolvedMesh,
  state: AuthorityState,
): KubernetesObject {
  const statement = trustStatementOf(state, {
    ...{ clusterName: mesh.clusterId, meshID: mesh.meshId, version: bundleVersion(state) },
    members: mesh.multiCluster?.remotes.map(({ clusterName }) => clusterName) ?? [],
  });
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: sharedMetadata(meshes, trustStatementName),
    data: { [trustStatementKey]: trustStatementText(statement) },
  };
}

function isOurs({ metadata }: KubernetesObject, meshes: readonly KubernetesObject[]): boolean {
  const uids = meshes.map((mesh) => mesh.metadata.uid);
  return metadata.ownerReferences?.some(({ uid }) => uids.includes(uid)) === true;
}
