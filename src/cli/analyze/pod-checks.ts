import { claimedNames } from '../../api/claims.ts';
import type { KubernetesObject } from '../../api/kubernetes-object.ts';
import { istioVersions } from '../../api/versions.ts';
import { isRecord } from '../../base/stable-json.ts';
import { proxyRevision } from '../../controllers/data-plane/observed-pods.ts';
import { asPod, isLive, podRecord } from '../../controllers/data-plane/pod-record.ts';
import { proxyStateOf } from '../../controllers/data-plane/proxy-state.ts';
import { findProxy } from '../../injection/pod.ts';
import { inferWorkload } from '../../injection/workload-owner.ts';
import { nameText } from '../istio-kinds.ts';
import { type AnalysisInput, type ControlPlane, controlPlanes } from './analysis-input.ts';
import type { AnalysisFinding } from './finding.ts';

type Kind = Pick<AnalysisFinding, 'severity' | 'rule' | 'why' | 'fix'>;

/** Running pods without the sidecar that they should have, or with one that is old, or of a version that does not fit. */
export function checkPods(input: AnalysisInput): AnalysisFinding[] {
  const planes = controlPlanes(input);
  const namespaces = new Map(input.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  const found = new Map<
    string,
    { readonly kind: Kind; readonly workload: string; readonly pods: string[] }
  >();
  for (const object of input.pods.filter(isRunning)) {
    const pod = podRecord(object);
    const labels = namespaces.get(pod.metadata.namespace ?? '') ?? {};
    for (const kind of kindsOf(pod, labels, planes)) {
      const workload = workloadText(pod);
      const key = `${kind.rule} ${workload} ${kind.why}`;
      const entry = found.get(key) ?? { kind, workload, pods: [] };
      entry.pods.push(nameText(pod));
      found.set(key, entry);
    }
  }
  return [...found.values()].map(({ kind, workload, pods }) => ({
    ...kind,
    object: workload,
    why: `${podsText(pods)} ${kind.why}`,
  }));
}

function kindsOf(
  pod: KubernetesObject,
  labels: Readonly<Record<string, string>>,
  planes: readonly ControlPlane[],
): Kind[] {
  const states = planes
    .filter(({ mesh }) => mesh.injector.enabled && mesh.upgrade.strategy !== 'RevisionBased')
    .map(({ mesh }) => proxyStateOf(pod, labels, mesh));
  const restart = 'restart the workload ("kubectl rollout restart"), or let spec.upgrade.restart do so';
  const unfit = unfitProxy(pod, planes);
  if (states.includes('bare')) {
    const why = 'should have a sidecar and has none: it is outside the mesh, without mTLS and policies';
    return [{ severity: 'error', rule: 'BarePod', why, fix: restart }];
  }
  if (unfit !== undefined) return [{ ...unfit, fix: restart }];
  if (states.includes('outdated')) {
    const why = 'has a sidecar that is older than the control plane';
    return [{ severity: 'warning', rule: 'OutdatedProxy', why, fix: restart }];
  }
  return [];
}

/**
 * A proxy that its control plane does not support: it may be one minor behind, and never ahead (Istio: Supported Releases,
 * control plane and data plane skew). Or one of a minor that is no longer maintained.
 */
function unfitProxy(pod: KubernetesObject, planes: readonly ControlPlane[]): Omit<Kind, 'fix'> | undefined {
  const image = findProxy(asPod(pod))?.image;
  const version = /:v?1\.(\d+)\.\d+[^:/]*$/.exec(image ?? '');
  if (version === null) return undefined;
  const proxyMinor = Number(version[1]);
  const revision = proxyRevision(pod) ?? 'default';
  const plane = planes.find(({ object }) => claimedNames(object).includes(revision));
  const planeMinor = Number(plane?.mesh.version.minor.split('.')[1]);
  const says = `has a proxy of Istio 1.${proxyMinor}`;
  if (proxyMinor > planeMinor || proxyMinor < planeMinor - 1) {
    const why = `${says}, which a control plane of ${plane?.mesh.version.patch} does not support: only its own minor, and the one before`;
    return { severity: 'error', rule: 'UnsupportedProxy', why };
  }
  if (istioVersions.some(({ minor }) => minor === `1.${proxyMinor}`)) return undefined;
  return { severity: 'warning', rule: 'UnsupportedProxy', why: `${says}, which is no longer maintained` };
}

/** One that a manifest describes does not run. */
function isRunning(pod: KubernetesObject): boolean {
  return isRecord(pod.status) && typeof pod.status.phase === 'string' && isLive(pod);
}

function workloadText(pod: KubernetesObject): string {
  const { kind, name } = inferWorkload(asPod(pod));
  return `${kind} ${pod.metadata.namespace ?? ''}/${name}`;
}

function podsText([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? `pod ${first}` : `pod ${first} (and ${others.length} more)`;
}
