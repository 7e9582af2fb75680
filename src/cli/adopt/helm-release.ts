import { gunzipSync } from 'node:zlib';
import { kindInfo } from '../../api/kinds.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { TerminalError } from '../../base/errors.ts';
import { isRecord } from '../../base/stable-json.ts';
import { chartNames } from '../../convert/source-names.ts';
import type { KubeClient } from '../../kube/client.ts';

/** What Helm keeps of a release that is installed, as far as it matters here. */
export interface HelmRelease {
  readonly name: string;
  readonly namespace: string;
  /** Undefined for a chart that is neither Istio's, nor Sail's with the tags of a revision alone. */
  readonly chart: (typeof knownCharts)[number] | undefined;
  /** Of the chart. */
  readonly version: string;
  /** What whoever installed it has set. */
  readonly values: unknown;
}

/** Istio's charts, and Sail's for the tags of a revision: its values are those of the control plane. */
const knownCharts = [...chartNames, 'revisiontags'] as const;

/** Labels that Helm gives its objects' owner, as annotations. */
const nameAnnotation = 'meta.helm.sh/release-name';
const namespaceAnnotation = 'meta.helm.sh/release-namespace';

/** Name and namespace of the release that an object says it is part of. */
export function releaseOf({ metadata }: KubernetesObject): { name: string; namespace: string } | undefined {
  const { [nameAnnotation]: name, [namespaceAnnotation]: namespace } = metadata.annotations ?? {};
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

/**
 * Reads the release that is deployed now from the Secret that Helm keeps it in. Throws TerminalError when there is none,
 * or when it cannot be read; nothing of the Secret's content is in the message.
 */
export async function readRelease(
  client: KubeClient,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  signal: AbortSignal,
): Promise<HelmRelease> {
  const labelSelector = `owner=helm,name=${name},status=deployed`;
  const { items } = await client.list(kindInfo('v1', 'Secret'), { namespace, labelSelector }, signal);
  const [secret] = items;
  const where = `Helm release ${namespace}/${name}`;
  if (secret === undefined) {
    throw new TerminalError(
      `${where} has no Secret with status deployed (label ${labelSelector}): finish or roll back what Helm is doing, or give what it was installed with by -f`,
      { reason: 'ReleaseMissing' },
    );
  }
  const release = decodeRelease(secret);
  if (release === undefined) {
    throw new TerminalError(
      `Secret ${namespace}/${secret.metadata.name} of ${where} cannot be read: give what it was installed with by -f`,
      { reason: 'ReleaseUnreadable' },
    );
  }
  return { name, namespace, ...release };
}

/** Helm stores JSON that is packed by gzip and written as base64, which the API server writes as base64 once more. */
function decodeRelease({ data }: KubernetesObject): Omit<HelmRelease, 'name' | 'namespace'> | undefined {
  const packed = isRecord(data) ? data.release : undefined;
  if (typeof packed !== 'string') return undefined;
  try {
    const inner = Buffer.from(Buffer.from(packed, 'base64').toString(), 'base64');
    const release: unknown = JSON.parse(gunzipSync(inner, { maxOutputLength: maxBytes }).toString());
    if (!isRecord(release) || !isRecord(release.chart) || !isRecord(release.chart.metadata)) return undefined;
    const { name, version } = release.chart.metadata;
    return {
      chart: knownCharts.find((chart) => chart === name),
      version: String(version),
      values: release.config ?? {},
    };
  } catch {
    return undefined; // What is in it must not be told, and says nothing more to anybody.
  }
}

/** Far above what fits into a Secret, and below what a process could not hold. */
const maxBytes = 64 * 1024 * 1024;
