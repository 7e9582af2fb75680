import { configMapEntry } from '../../api/config-map-entry.ts';
import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { rootConfigMapKey, rootConfigMapName } from '../../api/resolve-authority.ts';
import { trustStatementKey, trustStatementName } from '../../api/trust-statement-object.ts';
import { isRecord } from '../../base/stable-json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { factsOf, splitCertificates } from '../../pki/certificate-facts.ts';
import { statedRoots } from '../../pki/trust-statement.ts';

/** What two clusters of a mesh are compared by. */
export interface ClusterFacts {
  /** UID of namespace kube-system, which tells clusters apart. */
  readonly uid: string;
  /** Fingerprints of the roots that proxies in the namespace of the mesh trust; empty where they are not there yet. */
  readonly roots: ReadonlySet<string>;
  /** Fingerprint of the root that signs there, as its operator says; absent where none exchanges roots. */
  readonly root?: string;
  /** Addresses of pods as nodes have them (`spec.podCIDRs`); empty where they say nothing, or were not asked. */
  readonly podRanges: readonly string[];
}

const nodeKind = kindInfo('v1', 'Node');

/** The API server answers from its memory (Kubernetes, resourceVersion `0`): what is asked each minute may be a second old. */
export const anyVersion = '0';

/** What a cluster says of its trust (`TrustStatement`), as somebody has read it; no text where it says nothing. */
export interface HeardStatement {
  readonly text: string | undefined;
}

/**
 * Asks a cluster for what it is compared by, but for `podRanges`; `namespace` is that of the mesh. What it says of its
 * trust is asked as well where it was not `heard`.
 */
export async function readCluster(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
  heard?: HeardStatement,
): Promise<ClusterFacts> {
  const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
  const configMap = (name: string) =>
    client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, signal);
  const [home, roots, { text }] = await Promise.all([
    client.get(kubeSystem, signal),
    configMap(rootConfigMapName),
    heard ?? configMap(trustStatementName).then((found) => ({ text: statementText(found) })),
  ]);
  return { uid: home.metadata.uid ?? '', roots: rootsOf(roots), ...rootOf(text), podRanges: [] };
}

/** What the ConfigMap says by which a cluster tells others of its trust. */
export function statementText(configMap: KubernetesObject | undefined): string | undefined {
  return configMapEntry(configMap, trustStatementKey);
}

/** The `podRanges` of a cluster: a list of all its nodes, so that they are asked only where they are compared. */
export async function readPodRanges(client: KubeClient, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await client.list(nodeKind, { resourceVersion: anyVersion }, signal);
  return [...new Set(items.flatMap(rangesOf))];
}

function rootsOf(configMap: KubernetesObject | undefined): ReadonlySet<string> {
  const certificates = splitCertificates(configMapEntry(configMap, rootConfigMapKey) ?? '');
  return new Set(certificates.map((pem) => factsOf(pem).fingerprint));
}

/** Of a statement that cannot be read, whoever exchanges roots by it says why. */
function rootOf(text: string | undefined): Pick<ClusterFacts, 'root'> {
  const [certPem] = text === undefined ? [] : statedRoots(text);
  return certPem === undefined ? {} : { root: factsOf(certPem).fingerprint };
}

function rangesOf({ spec }: KubernetesObject): string[] {
  const ranges = isRecord(spec) ? spec.podCIDRs : undefined;
  return Array.isArray(ranges) ? ranges.filter((range) => typeof range === 'string') : [];
}
