import { claimedNames } from '../../api/claims.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { type MeshOperator, meshOperatorKind } from '../../api/mesh-operator.ts';
import { resolveMesh } from '../../api/resolve.ts';
import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { validateMeshOperator } from '../../api/validate.ts';
import { names } from '../../injection/annotation-names.ts';

/** What is looked at: a cluster, or what a file says of one. */
export interface AnalysisInput {
  readonly meshes: readonly KubernetesObject[];
  readonly namespaces: readonly KubernetesObject[];
  readonly pods: readonly KubernetesObject[];
  /** MutatingWebhookConfigurations. */
  readonly webhooks: readonly KubernetesObject[];
  /** Objects of Istio's kinds. */
  readonly istioObjects: readonly KubernetesObject[];
  /** Names of the CRDs of Istio that there are; undefined when nobody knows. */
  readonly crds: ReadonlySet<string> | undefined;
  /** 35 for Kubernetes 1.35; undefined when nobody knows. */
  readonly kubernetesMinor: number | undefined;
}

/** A MeshOperator that can be read. */
export interface ControlPlane {
  readonly object: KubernetesObject;
  readonly mesh: ResolvedMesh;
}

const revisionTagLabel = 'istio.io/tag';
const injectionLabel = 'istio-injection';

/** The MeshOperators whose specs are right. */
export function controlPlanes({ meshes }: AnalysisInput): ControlPlane[] {
  return meshes
    .filter((object) => validateMeshOperator(withoutStatus(object)).length === 0)
    .map((object) => ({ object, mesh: resolveMesh(object as unknown as MeshOperator) }));
}

/** The names by which namespaces may choose a control plane of any tool: revisions and tags. */
export function knownNames({ meshes, webhooks }: AnalysisInput): ReadonlySet<string> {
  const ofMeshes = meshes.flatMap((object) => {
    const { status } = object as unknown as MeshOperator;
    return [...claimedNames(object), ...(status?.revisions ?? []).map(({ name }) => name)];
  });
  const ofWebhooks = webhooks.flatMap(({ metadata: { labels = {} } }) =>
    [labels[names.revision], labels[revisionTagLabel]].filter((name) => name !== undefined),
  );
  return new Set([...ofMeshes, ...ofWebhooks]);
}

/** What a namespace says about injection. */
export function injectionLabels({ metadata: { labels = {} } }: KubernetesObject): {
  readonly legacy: string | undefined;
  readonly revision: string | undefined;
} {
  return { legacy: labels[injectionLabel], revision: labels[names.revision] };
}

/** True for an object of ours. */
export function isMesh({ kind }: KubernetesObject): boolean {
  return kind === meshOperatorKind;
}

/** As a person would write it: what the API server and the operator add is not theirs. */
export function withoutStatus({ apiVersion, kind, metadata, spec }: KubernetesObject): KubernetesObject {
  const { name, namespace = '' } = metadata;
  return { apiVersion, kind, metadata: { name, namespace }, ...(spec === undefined ? {} : { spec }) };
}
