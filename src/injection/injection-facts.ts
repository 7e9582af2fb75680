import type { JsonObject, ResolvedMesh } from '../api/resolved-mesh.ts';
import { isAtLeast } from '../api/versions.ts';
import { names } from './annotation-names.ts';
import { effectiveProxyConfig, meshProxyConfig } from './effective-proxy-config.ts';
import type { InjectionInput, Workload } from './injection-input.ts';
import { annotationOf, labelOf, type Pod } from './pod.ts';
import { appContainersOf } from './previous-injection.ts';
import { inferWorkload } from './workload-owner.ts';

/** Everything that the parts of an injection ask about a pod, found out once. */
export interface InjectionFacts {
  /** The pod as its author wrote it. */
  readonly pod: Pod;
  readonly namespace: string;
  readonly mesh: ResolvedMesh;
  readonly proxyConfig: JsonObject;
  readonly workload: Workload;
  readonly interceptionMode: string;
  /** The proxy is an init container that keeps running. */
  readonly isNative: boolean;
  /** Of the pod: label, then environment of the call, then mesh; empty for none. */
  readonly network: string;
  /** Environment that wins over everything, sorted by name. */
  readonly callEnvironment: readonly (readonly [string, string])[];
  /** The port that the agent uses unless an annotation says otherwise. */
  readonly meshStatusPort: number;
  /** Rules that only Istio 1.31 and newer have. */
  readonly isAtLeast131: boolean;
}

/** The first minor of Kubernetes on which a sidecar may be an init container by default. */
const nativeSidecarsFrom = 33;

const usualClusterId = 'Kubernetes';

/** What the input says about the pod; `pod` is the input's pod without an earlier injection. */
export function gatherFacts(input: InjectionInput, pod: Pod): InjectionFacts {
  const { mesh } = input;
  const proxyConfig = effectiveProxyConfig(input);
  const network = labelOf(pod, names.network) ?? input.environment?.ISTIO_META_NETWORK ?? mesh.network;
  return {
    pod,
    namespace: input.namespace.name,
    mesh,
    proxyConfig,
    workload: input.workload ?? inferWorkload(pod),
    interceptionMode:
      annotationOf(pod, names.interceptionMode) ?? String(proxyConfig.interceptionMode ?? 'REDIRECT'),
    isNative: isNative(input, pod),
    network,
    callEnvironment: callEnvironment(input, network),
    meshStatusPort: Number(meshProxyConfig(input).statusPort ?? 15020),
    isAtLeast131: isAtLeast(mesh.version, '1.31'),
  };
}

/** A pod must keep at least one ordinary container, so a proxy that stands alone is one. */
function isNative({ mesh, kubernetesMinor }: InjectionInput, pod: Pod): boolean {
  if (appContainersOf(pod).length === 0) return false;
  const asked = annotationOf(pod, names.nativeSidecar);
  if (asked !== undefined && asked !== '') return asked !== 'false';
  const { nativeSidecars } = mesh.injection;
  return nativeSidecars === 'Auto' ? kubernetesMinor >= nativeSidecarsFrom : nativeSidecars === 'Always';
}

function callEnvironment({ mesh, environment }: InjectionInput, network: string) {
  const known = {
    ...(mesh.clusterId === usualClusterId ? {} : { ISTIO_META_CLUSTER_ID: mesh.clusterId }),
    ...environment,
    ...(network === '' ? {} : { ISTIO_META_NETWORK: network }),
  };
  return Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1));
}
