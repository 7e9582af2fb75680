import { kindInfo } from '../api/kinds.ts';
import {
  idOf,
  type KubernetesObject,
  keyText,
  type ObjectId,
  type ObjectKey,
} from '../api/kubernetes-object.ts';
import { authorityLabel, managedByLabel, managedByValue, ownerByLabels } from '../api/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { listAllMeshes } from './all-meshes.ts';
import { istioKinds, listAll, nameText } from './istio-kinds.ts';

/** What goes beyond a mesh. */
export interface PurgePlan {
  /** What would be deleted, in this order. */
  readonly ids: readonly ObjectId[];
  /** What else of the cluster goes, or stops, with it: sentences. */
  readonly losses: readonly string[];
  /** What stays, since somebody else needs it: sentences. */
  readonly kept: readonly string[];
}

const secretKind = kindInfo('v1', 'Secret');
/** What an istiod without an authority of the operator's has made for itself. */
const selfSignedName = 'istio-ca-secret';
const injectedAnnotation = 'sidecar.istio.io/status';

/** Plans the removal of Istio's CRDs and of the authority of the mesh's namespace. Only reads. */
export async function planPurge(
  client: KubeClient,
  mesh: ObjectKey,
  signal: AbortSignal,
): Promise<PurgePlan> {
  const others = (await listAllMeshes(client, signal)).filter((object) => !isOfFamily(object, mesh));
  const parts = [
    await planCrds(client, mesh, others, signal),
    await planAuthority(client, mesh, others, signal),
  ];
  return {
    ids: parts.flatMap(({ ids }) => ids),
    losses: parts.flatMap(({ losses }) => losses),
    kept: parts.flatMap(({ kept }) => kept),
  };
}

/** Deletes what the plan names. */
export async function purge(client: KubeClient, { ids }: PurgePlan, signal: AbortSignal): Promise<void> {
  await Promise.all(ids.map((id) => client.delete(id, {}, signal)));
}

async function planCrds(
  client: KubeClient,
  mesh: ObjectKey,
  others: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<PurgePlan> {
  const users = [
    ...others.map((other) => `MeshOperator ${nameText(other)}`),
    ...(await foreignIstiods(client, mesh, signal)),
  ];
  if (users.length > 0) {
    return { ids: [], losses: [], kept: [`Istio's CRDs stay: they are needed by ${users.join(', ')}`] };
  }
  const found = await Promise.all(
    istioKinds().map(async (kind) => {
      const id = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: kind.crd };
      const crd = await client.find(id, signal);
      if (crd === undefined) return { ids: [], losses: [], kept: [] };
      if (crd.metadata.labels?.[managedByLabel] !== managedByValue) {
        return { ids: [], losses: [], kept: [`CRD ${kind.crd} stays: the operator has not made it`] };
      }
      const objects = (await listAll(client, kind, signal)).map(nameText);
      const losses = objects.length === 0 ? [] : [`${kind.kind} ${objects.join(', ')}`];
      return { ids: [id], losses, kept: [] };
    }),
  );
  return {
    ids: found.flatMap(({ ids }) => ids),
    losses: found.flatMap(({ losses }) => losses),
    kept: found.flatMap(({ kept }) => kept),
  };
}

/** Control planes that other tools have installed. */
async function foreignIstiods(client: KubeClient, mesh: ObjectKey, signal: AbortSignal): Promise<string[]> {
  const options = { labelSelector: 'app=istiod' };
  const istiods = await listAll(client, kindInfo('apps/v1', 'Deployment'), signal, options);
  return istiods
    .filter(
      ({ metadata }) => ownerByLabels(metadata.labels) === undefined && metadata.namespace !== mesh.namespace,
    )
    .map((istiod) => `Deployment ${nameText(istiod)}`);
}

async function planAuthority(
  client: KubeClient,
  mesh: ObjectKey,
  others: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<PurgePlan> {
  const { namespace } = mesh;
  const users = others.filter(({ metadata }) => metadata.namespace === namespace);
  if (users.length > 0) {
    const names = users.map((user) => `MeshOperator ${nameText(user)}`).join(', ');
    return {
      ids: [],
      losses: [],
      kept: [`The authority of namespace ${namespace} stays: it is that of ${names}`],
    };
  }
  const options = { labelSelector: `${authorityLabel}=${namespace}` };
  const selfSigned = await client.find({ ...secretKind, namespace, name: selfSignedName }, signal);
  const objects = [
    ...(await listAll(client, secretKind, signal, options)),
    ...(selfSigned === undefined ? [] : [{ ...selfSigned, apiVersion: 'v1', kind: 'Secret' }]),
    ...(await listAll(client, kindInfo('v1', 'ConfigMap'), signal, options)),
  ];
  const proxies = await podsWithSidecar(client, signal);
  const losses = [
    ...objects.map((object) => `${object.kind} ${nameText(object)}: the authority, for good`),
    ...(objects.length === 0 || proxies.length === 0
      ? []
      : [`Certificates of proxies, which nobody renews: ${countText(proxies)}`]),
  ];
  return { ids: objects.map(idOf), losses, kept: [] };
}

/** Live pods that somebody has put a sidecar into. */
export async function podsWithSidecar(client: KubeClient, signal: AbortSignal): Promise<KubernetesObject[]> {
  const pods = await listAll(client, kindInfo('v1', 'Pod'), signal);
  return pods.filter(({ metadata }) => metadata.annotations?.[injectedAnnotation] !== undefined);
}

/** `12 pods in shop, web` */
export function countText(pods: readonly KubernetesObject[]): string {
  const namespaces = [...new Set(pods.map(({ metadata }) => metadata.namespace ?? ''))].sort();
  return `${pods.length === 1 ? '1 pod' : `${pods.length} pods`} in ${namespaces.join(', ')}`;
}

function isOfFamily({ metadata }: KubernetesObject, mesh: ObjectKey): boolean {
  const own = { namespace: metadata.namespace ?? '', name: metadata.name };
  return [own, ownerByLabels(metadata.labels)].some(
    (key) => key !== undefined && keyText(key) === keyText(mesh),
  );
}
