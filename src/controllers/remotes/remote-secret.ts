import { dump } from 'js-yaml';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { ownershipLabels, remoteSecretsLabel } from '../../api/labels.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { RemoteIdentity } from '../../kube/remote-identity.ts';
import { readSecretText, secretData } from '../../kube/secret-data.ts';
import { remoteTokenFile, remoteTokensName } from '../../render/multicluster/remote-tokens.ts';

/** What istiod looks for in its own namespace (Istio pkg/kube/multicluster/secretcontroller.go). */
const remoteSecretLabel = 'istio/multiCluster';
/** For people and tools; istiod does not read it (Istio istioctl/pkg/multicluster). */
const clusterAnnotation = 'networking.istio.io/cluster';

const namePrefix = 'istio-remote-secret-';

/** Name of the Secret by which istiod knows another cluster, as Istio's own tool names it. */
export function remoteSecretName(clusterName: string): string {
  return `${namePrefix}${clusterName}`;
}

/** The cluster that a Secret of this name is for; undefined for any other name. */
export function clusterOfSecret(name: string): string | undefined {
  return name.startsWith(namePrefix) ? name.slice(namePrefix.length) : undefined;
}

/** Where istiod finds the other API server, and whom it is there: by a token, or where that is absent by what is in its file. */
export type Reader = Omit<RemoteIdentity, 'credential'> & { readonly token?: string };

/**
 * The Secret by which the istiods of the namespace of a MeshOperator (`owner`) know another cluster: its one key is the name of that, its value a
 * kubeconfig. The same reader gives the same bytes, since any other ones make istiod begin anew with that cluster.
 */
export function remoteSecret(owner: KubernetesObject, clusterName: string, reader: Reader): KubernetesObject {
  const secret = secretOf(owner, remoteSecretName(clusterName), {
    [clusterName]: kubeconfigOf(clusterName, reader),
  });
  const { labels, ...metadata } = secret.metadata;
  return {
    ...secret,
    metadata: {
      ...metadata,
      labels: { ...labels, [remoteSecretLabel]: 'true' },
      annotations: { [clusterAnnotation]: clusterName },
    },
  };
}

/**
 * The Secret `name` by which the istiods of a MeshOperator (`owner`) are in the cluster that they have for their own: its one
 * key is the file that they read when they start. It has not the label by which istiod finds other clusters.
 */
export function configClusterSecret(
  owner: KubernetesObject,
  name: string,
  clusterName: string,
  reader: Reader,
): KubernetesObject {
  return secretOf(owner, name, { config: kubeconfigOf(clusterName, reader) });
}

/**
 * What a mesh has of the Secret that its istiods mount, for one of the clusters: the token where kubeconfigs without one
 * name its file. Absent: nothing.
 */
export function remoteTokensSecret(
  owner: KubernetesObject,
  clusterName: string,
  token: string | undefined,
): KubernetesObject {
  return secretOf(owner, remoteTokensName, token === undefined ? {} : { [clusterName]: token });
}

/** The token for a cluster in such a Secret. */
export function remoteTokenIn(secret: KubernetesObject | undefined, clusterName: string): string | undefined {
  return secret === undefined ? undefined : readSecretText(secret, clusterName);
}

function secretOf(
  { apiVersion, kind, metadata }: KubernetesObject,
  secretName: string,
  texts: Readonly<Record<string, string>>,
): KubernetesObject {
  const { name, namespace = '', uid = '' } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName,
      namespace,
      labels: { ...ownershipLabels({ namespace, name }), [remoteSecretsLabel]: 'true' },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    type: 'Opaque',
    data: secretData(texts),
  };
}

/**
 * What a kubeconfig has beside the name of a token's file. istiod builds its client once, which fails where the file is not
 * there yet, unless there is a token as well; that one is used only as long as the file cannot be read (client-go
 * tools/clientcmd/client_config.go and transport/round_trippers.go).
 */
const untilThereIsAFile = 'none';

/** A kubeconfig in which everything has the name of the cluster, as Istio's own tool writes it. */
export function kubeconfigOf(clusterName: string, reader: Reader): string {
  const { server, caPem, tlsServerName, proxyUrl, token } = reader;
  const cluster = {
    server,
    ...(caPem === undefined ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') }),
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
  };
  const user =
    token === undefined ? { token: untilThereIsAFile, tokenFile: remoteTokenFile(clusterName) } : { token };
  return dump(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: clusterName, cluster }],
      users: [{ name: clusterName, user }],
      contexts: [{ name: clusterName, context: { cluster: clusterName, user: clusterName } }],
      'current-context': clusterName,
    },
    { lineWidth: -1 },
  );
}

/** True when a Secret has the very data that another one should have. */
export function hasSameData(one: KubernetesObject | undefined, other: KubernetesObject): boolean {
  const [a, b] = [one?.data, other.data];
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
