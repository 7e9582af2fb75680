import { load } from 'js-yaml';
import { claimedBundle, claimedRevision } from '../api/claims.ts';
import { configMapEntry } from '../api/config-map-entry.ts';
import { kindInfo } from '../api/kinds.ts';
import { idOf, idText, type KubernetesObject } from '../api/kubernetes-object.ts';
import { tenantLabel } from '../api/labels.ts';
import { type JsonObject, revisionSuffix } from '../api/resolved-mesh.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import { isRecord } from '../base/stable-json.ts';
import { cacertsName } from '../controllers/trust/cacerts-secret.ts';
import { names } from '../injection/annotation-names.ts';
import type {
  ClusterPart,
  ObservedCluster,
  ObservedControlPlane,
  ObservedRoots,
} from '../isolation/observed-cluster.ts';
import type { KubeClient, ListOptions } from '../kube/client.ts';
import { secretTexts } from '../kube/secret-data.ts';
import { splitCertificates } from '../pki/certificate-facts.ts';
import { listAllMeshes } from './all-meshes.ts';
import { listAll, listIstioObjects } from './istio-kinds.ts';

const rootsKey = 'root-cert.pem';

/** What is in `cacerts` beside the key. */
const certificateFiles = [rootsKey, 'ca-cert.pem', 'cert-chain.pem'];

/** On the ConfigMaps that istiods write (Istio `security/pkg/k8s/configutil.go`), and on Secrets by which they know clusters. */
const ofIstiod = 'istio.io/config=true';
const ofOtherCluster = 'istio/multiCluster=true';

/**
 * What a cluster has that decides whether tenants are isolated. Only reads, and keeps no key of a Secret. A part that the
 * caller may not read is empty, and said so.
 */
export async function observeCluster(client: KubeClient, signal: AbortSignal): Promise<ObservedCluster> {
  const unread: Partial<Record<ClusterPart, string>> = {};
  const read = async <T>(part: ClusterPart, reading: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await reading();
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      unread[part] = messageOf(error);
      return [];
    }
  };
  const list = (apiVersion: string, kind: string, options: ListSelection = {}) =>
    listAll(client, kindInfo(apiVersion, kind), signal, options);
  const [rbac, admission] = ['rbac.authorization.k8s.io/v1', 'admissionregistration.k8s.io/v1'];
  const both = async (...kinds: string[]) =>
    (await Promise.all(kinds.map((kind) => list(rbac, kind)))).flat();

  const meshes = await read('meshes', () => listAllMeshes(client, signal));
  const pods = await read('pods', () => list('v1', 'Pod'));
  const webhooks = await read('webhooks', () => list(admission, 'MutatingWebhookConfiguration'));
  const namespaces = await read('namespaces', () => list('v1', 'Namespace'));
  const places = controlPlanesIn(meshes, pods, webhooks);
  const bundleNames = new Set(['istio-ca-root-cert', ...meshes.flatMap((mesh) => claimedBundle(mesh) ?? [])]);
  return {
    ...{ meshes, pods, webhooks, unread },
    namespaces,
    services: await read('services', async () => {
      const lists = namespaces
        .filter(({ metadata }) => metadata.labels?.[tenantLabel] !== undefined)
        .flatMap(({ metadata: { name: namespace } }) => [
          list('v1', 'Service', { namespace }),
          list('discovery.k8s.io/v1', 'EndpointSlice', { namespace }),
        ]);
      return (await Promise.all(lists)).flat();
    }),
    networkPolicies: await read('networkPolicies', () => list('networking.k8s.io/v1', 'NetworkPolicy')),
    istioObjects: await read('istioObjects', () => listIstioObjects(client, signal)),
    roles: await read('roles', () => both('Role', 'ClusterRole')),
    bindings: await read('bindings', () => both('RoleBinding', 'ClusterRoleBinding')),
    controlPlanes: await read('controlPlanes', async () =>
      (await Promise.all(places.map((place) => readControlPlane(client, place, signal)))).flat(),
    ),
    bundles: await read('bundles', async () => {
      const selections = [
        { labelSelector: ofIstiod },
        ...[...bundleNames].map((name) => ({ fieldSelector: `metadata.name=${name}` })),
      ];
      const lists = await Promise.all(selections.map((selection) => list('v1', 'ConfigMap', selection)));
      const found = new Map(lists.flat().map((object) => [idText(idOf(object)), object]));
      return [...found.values()].flatMap(bundleIn);
    }),
    authorities: await read('authorities', async () =>
      (await list('v1', 'Secret', { fieldSelector: `metadata.name=${cacertsName}` })).map(authorityIn),
    ),
    remoteSecrets: await read('remoteSecrets', () =>
      list('v1', 'Secret', { labelSelector: ofOtherCluster, metadataOnly: true }),
    ),
  };
}

type ListSelection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'metadataOnly'>;

interface ControlPlanePlace {
  readonly namespace: string;
  readonly revision: string;
}

/** Where istiods are, of any installer: by MeshOperators, by their pods, and by webhooks of a revision. */
function controlPlanesIn(
  meshes: readonly KubernetesObject[],
  pods: readonly KubernetesObject[],
  webhooks: readonly KubernetesObject[],
): ControlPlanePlace[] {
  const places = [
    ...meshes.map((mesh) => ({
      ...{ namespace: mesh.metadata.namespace ?? '', revision: claimedRevision(mesh) },
    })),
    ...pods
      .filter(({ metadata }) => metadata.labels?.app === 'istiod')
      .map(({ metadata: { namespace = '', labels = {} } }) => ({
        ...{ namespace, revision: labels[names.revision] ?? '' },
      })),
    ...webhooks.flatMap((object) =>
      servicesOf(object).map((namespace) => ({
        ...{ namespace, revision: object.metadata.labels?.[names.revision] ?? '' },
      })),
    ),
  ].map(({ namespace, revision }) => ({ namespace, revision: revision === 'default' ? '' : revision }));
  return [...new Map(places.map((place) => [`${place.namespace}/${place.revision}`, place])).values()];
}

/** Namespaces of the Services that a configuration of some revision asks. */
function servicesOf({ metadata, webhooks }: KubernetesObject): string[] {
  if (metadata.labels?.[names.revision] === undefined) return [];
  return (Array.isArray(webhooks) ? webhooks.filter(isRecord) : []).flatMap(({ clientConfig }) => {
    const service = isRecord(clientConfig) && isRecord(clientConfig.service) ? clientConfig.service : {};
    return typeof service.namespace === 'string' ? [service.namespace] : [];
  });
}

/** Its MeshConfig as it is in force; none where there is no such ConfigMap. */
async function readControlPlane(
  client: KubeClient,
  { namespace, revision }: ControlPlanePlace,
  signal: AbortSignal,
): Promise<ObservedControlPlane[]> {
  const id = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio${revisionSuffix(revision)}` };
  const object = await client.find(id, signal);
  const text = configMapEntry(object, 'mesh');
  if (text === undefined) return [];
  const meshConfig = parsed(text, idText(id));
  return [{ source: idText(id), namespace, revision, meshConfig }];
}

function parsed(text: string, source: string): JsonObject {
  try {
    const value: unknown = load(text);
    if (isRecord(value)) return value as JsonObject;
  } catch {
    // Said below: a text that is no YAML is as little a MeshConfig as one of another shape.
  }
  throw new TerminalError(`What ${source} has as mesh is no MeshConfig`, { reason: 'InvalidMeshConfig' });
}

function bundleIn(object: KubernetesObject): ObservedRoots[] {
  const pem = configMapEntry(object, rootsKey);
  return pem === undefined ? [] : [placeOf(object, pem)];
}

function authorityIn(secret: KubernetesObject): ObservedRoots {
  const files = secretTexts(secret);
  const certificates = certificateFiles.flatMap((name) => splitCertificates(files[name] ?? ''));
  return placeOf(secret, certificates.join(''));
}

function placeOf(object: KubernetesObject, pem: string): ObservedRoots {
  const { namespace = '', name } = object.metadata;
  return { source: idText(idOf(object)), namespace, name, pem };
}
