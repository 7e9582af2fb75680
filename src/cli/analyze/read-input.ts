import { kindInfo } from '../../api/kinds.ts';
import { groupOf, type KubernetesObject } from '../../api/kubernetes-object.ts';
import { meshOperatorApiVersion, meshOperatorKind } from '../../api/mesh-operator.ts';
import { NotFoundError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { istioKinds, listAll } from '../istio-kinds.ts';
import type { ManifestDocument } from '../manifest-file.ts';
import { UsageError } from '../terminal.ts';
import { type AnalysisInput, isMesh } from './analysis-input.ts';

const webhookKind = kindInfo('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration');
const crdKind = kindInfo('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

/** What a cluster has. Only reads. */
export async function readCluster(client: KubeClient, signal: AbortSignal): Promise<AnalysisInput> {
  const crds = new Set((await listAll(client, crdKind, signal)).map(({ metadata }) => metadata.name));
  const served = istioKinds().filter(({ crd }) => crds.has(crd));
  const list = (apiVersion: string, kind: string) => listAll(client, kindInfo(apiVersion, kind), signal);
  return {
    meshes: await list(meshOperatorApiVersion, meshOperatorKind).catch(noneIfNotServed),
    namespaces: await list('v1', 'Namespace'),
    pods: await list('v1', 'Pod'),
    webhooks: await listAll(client, webhookKind, signal),
    istioObjects: (await Promise.all(served.map((kind) => listAll(client, kind, signal)))).flat(),
    crds,
    kubernetesMinor: await client.serverMinor(signal),
  };
}

/** What manifests describe, Lists unpacked. Throws UsageError for a document that is no object. */
export function readManifests(documents: readonly ManifestDocument[]): AnalysisInput {
  const objects = documents.flatMap(({ source, value }) => objectsIn(value, source));
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
  const groups = new Set(istioKinds().map(({ apiVersion }) => groupOf(apiVersion)));
  return {
    meshes: objects.filter(isMesh),
    namespaces: ofKind('Namespace'),
    pods: ofKind('Pod'),
    webhooks: ofKind(webhookKind.kind),
    istioObjects: objects.filter(({ apiVersion }) => groups.has(groupOf(apiVersion))),
    crds: undefined,
    kubernetesMinor: undefined,
  };
}

function objectsIn(value: unknown, source: string): KubernetesObject[] {
  if (isRecord(value) && Array.isArray(value.items)) {
    return value.items.flatMap((item) => objectsIn(item, source));
  }
  const { apiVersion, kind, metadata } = isRecord(value) ? value : {};
  const isNamed = isRecord(metadata) && typeof metadata.name === 'string';
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isNamed) {
    throw new UsageError(`${source} is no Kubernetes object: it needs apiVersion, kind and metadata.name`);
  }
  return [value as unknown as KubernetesObject];
}

/** A cluster without our CRD has no MeshOperator. */
function noneIfNotServed(error: unknown): KubernetesObject[] {
  if (error instanceof NotFoundError) return [];
  throw error;
}
