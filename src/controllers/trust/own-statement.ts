import { configMapEntry } from '../../api/config-map-entry.ts';
import { kindInfo } from '../../api/kinds.ts';
import { idOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { managedByLabel, managedByValue, partOfLabel, partOfValue } from '../../api/labels.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import type { ResolvedRemote } from '../../api/resolved-multi-cluster.ts';
import { trustStatementKey, trustStatementName } from '../../api/trust-statement-object.ts';
import { Applier } from '../../kube/apply/applier.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { AuthorityState } from '../../pki/authority-state.ts';
import { isCompromised } from '../../pki/decide-rotation.ts';
import { trustStatementOf } from '../../pki/exchange.ts';
import type { HeardMember } from '../../pki/member-view.ts';
import { type MemberView, memberView } from '../../pki/member-view.ts';
import { readTrustStatement, type TrustStatement, trustStatementText } from '../../pki/trust-statement.ts';
import { Informer, type InformerDeps } from '../../runtime/informer.ts';
import { bundleVersion } from './cacerts-secret.ts';
import { objectManager } from './field-managers.ts';
import { sharedMetadata } from './shared-object.ts';

/** Whether the authority of a mesh exchanges roots with those of other clusters: where SPIRE issues certificates, its federation does. */
export function exchangesRoots({ multiCluster, authority }: ResolvedMesh): boolean {
  return multiCluster?.role === 'Primary' && authority.enabled && authority.spire === undefined;
}

/** The clusters that a mesh exchanges roots with (`Primary`) or that follow its istiod (`Remote`), as they were heard; none where it exchanges none. */
export function memberViews(
  mesh: ResolvedMesh,
  role: ResolvedRemote['role'],
  heard: readonly HeardMember[],
  now: Date,
): MemberView[] {
  if (!exchangesRoots(mesh)) return [];
  const own = { clusterName: mesh.clusterId, meshID: mesh.meshId };
  return remotesOf(mesh, role).map((clusterName) => {
    const member = heard.find((each) => each.clusterName === clusterName) ?? { clusterName };
    return memberView(member, own, now);
  });
}

function remotesOf({ multiCluster }: ResolvedMesh, role: ResolvedRemote['role']): string[] {
  const remotes = multiCluster?.remotes ?? [];
  return remotes.filter((remote) => remote.role === role).map(({ clusterName }) => clusterName);
}

/** An authority, and what annotation `meshoperator.dev/rotate` asks of it. */
interface SaidAuthority {
  readonly state: AuthorityState;
  readonly request: string | undefined;
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

  /** What is said for the namespace of a mesh; undefined where nothing is that can be read. */
  read({ namespace, clusterId, meshId }: ResolvedMesh, now: Date): TrustStatement | undefined {
    const text = configMapEntry(this.informer.get(namespace, trustStatementName), trustStatementKey);
    if (text === undefined) return undefined;
    return readTrustStatement(text, { clusterName: clusterId, meshID: meshId }, now).statement;
  }

  /** Says this for the namespace of these MeshOperators; writes when it differs. */
  async say(
    meshes: readonly KubernetesObject[],
    statement: TrustStatement,
    signal: AbortSignal,
  ): Promise<void> {
    const desired = statementObject(meshes, statement);
    const { namespace, name } = desired.metadata;
    await this.#applier.apply(desired, this.informer.get(namespace, name), signal);
  }

  /** Says what there is to say, and takes back what a mesh that exchanges nothing any more has said. */
  async keep(
    meshes: readonly KubernetesObject[],
    mesh: ResolvedMesh,
    said: SaidAuthority,
    signal: AbortSignal,
  ): Promise<void> {
    const observed = this.informer.get(mesh.namespace, trustStatementName);
    if (exchangesRoots(mesh)) {
      await this.say(meshes, statementOf(mesh, said), signal);
    } else if (observed !== undefined && isOurs(observed, meshes)) {
      await this.#client.delete(idOf(observed), {}, signal);
    }
  }
}

function statementOf(mesh: ResolvedMesh, { state, request }: SaidAuthority): TrustStatement {
  return trustStatementOf(state, {
    ...{ clusterName: mesh.clusterId, meshID: mesh.meshId, version: bundleVersion(state) },
    members: remotesOf(mesh, 'Primary'),
    ...(isCompromised(state, request) ? { isCompromised: true } : {}),
  });
}

/** Without the labels by which a mesh knows its own objects: it takes back what it has not rendered. */
function statementObject(meshes: readonly KubernetesObject[], statement: TrustStatement): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...sharedMetadata(meshes, trustStatementName),
      labels: { [managedByLabel]: managedByValue, [partOfLabel]: partOfValue },
    },
    data: { [trustStatementKey]: trustStatementText(statement) },
  };
}

function isOurs({ metadata }: KubernetesObject, meshes: readonly KubernetesObject[]): boolean {
  const uids = meshes.map((mesh) => mesh.metadata.uid);
  return metadata.ownerReferences?.some(({ uid }) => uids.includes(uid)) === true;
}
