import { kindInfo } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import type { MeshOperator } from '../api/mesh-operator.ts';
import { NotFoundError } from '../base/errors.ts';
import { cacertsName } from '../controllers/trust/cacerts-secret.ts';
import type { KubeClient } from '../kube/client.ts';
import { secretTexts } from '../kube/secret-data.ts';
import type { LintInput } from '../pki/lint/lint-bundle.ts';
import { listMeshes } from './cluster.ts';

/** What the istiods of one namespace sign with, or what a mesh there has plugged in. */
export interface ClusterBundle {
  readonly input: LintInput;
  /** Bundles of one name in several clusters belong to one mesh. */
  readonly mesh: string;
}

const secretKind = kindInfo('v1', 'Secret');
const selfSignedName = 'istio-ca-secret';

/**
 * The authorities of a cluster, or of one namespace of it: Secret `cacerts`, else what an istiod has made for itself, and
 * what MeshOperators plug in. Throws NotFoundError when there is none.
 */
export async function clusterBundles(client: KubeClient, namespace?: string): Promise<ClusterBundle[]> {
  const named = (name: string) => secretsOf(client, namespace, name);
  const [given, selfSigned] = [await named(cacertsName), await named(selfSignedName)];
  const namespaceOf = ({ metadata }: KubernetesObject) => metadata.namespace ?? '';
  const taken = new Set(given.map(namespaceOf));
  const bundles = [
    ...given.map((secret) => bundleOf(secret, 'istiod', secretTexts(secret))),
    ...selfSigned
      .filter((secret) => !taken.has(namespaceOf(secret)))
      .map((secret) => bundleOf(secret, 'istiod', selfSignedFiles(secret))),
    ...(await pluggedIn(client, namespace)).map((secret) => bundleOf(secret, 'given', secretTexts(secret))),
  ];
  if (bundles.length > 0) return bundles;
  const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`;
  throw new NotFoundError(`There is no Secret ${cacertsName} or ${selfSignedName} in ${where}`, {
    reason: 'NotFound',
  });
}

function bundleOf(
  { metadata: { namespace = '', name } }: KubernetesObject,
  use: string,
  files: Readonly<Record<string, string>>,
): ClusterBundle {
  return { input: { name: `Secret ${namespace}/${name}`, files }, mesh: `${namespace}/${use}` };
}

/** An istiod that signs with its root leaves the chain empty (Istio `security/pkg/pki/ca/ca.go`). */
function selfSignedFiles(secret: KubernetesObject): Record<string, string> {
  const files = secretTexts(secret);
  return { 'cert-chain.pem': files['ca-cert.pem'] ?? '', ...files };
}

async function pluggedIn(client: KubeClient, namespace: string | undefined): Promise<KubernetesObject[]> {
  const meshes = await listMeshes(client, { namespace }).catch((error: unknown) => {
    // A cluster without our CRD has no MeshOperator.
    if (error instanceof NotFoundError) return [];
    throw error;
  });
  const found = meshes.map(async (mesh) => {
    const { spec } = mesh as unknown as MeshOperator;
    const name = spec?.certificateAuthority?.pluggedIn?.secretName;
    return name === undefined ? [] : secretsOf(client, mesh.metadata.namespace, name);
  });
  return (await Promise.all(found)).flat();
}

async function secretsOf(
  client: KubeClient,
  namespace: string | undefined,
  name: string,
): Promise<KubernetesObject[]> {
  const options = { namespace, fieldSelector: `metadata.name=${name}` };
  return (await client.list(secretKind, options, new AbortController().signal)).items;
}
