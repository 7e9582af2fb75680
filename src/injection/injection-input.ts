import type { JsonObject, ResolvedMesh } from '../api/resolved-mesh.ts';
import type { Pod } from './pod.ts';

/** The workload that a pod belongs to. */
export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** A ProxyConfig resource of Istio, as far as injection honours it. */
export interface ProxyConfigResource {
  readonly namespace: string;
  /** `spec.selector.matchLabels`; absent: every pod of the namespace, of the mesh in the root namespace. */
  readonly selector?: Readonly<Record<string, string>>;
  /** RFC 3339; the oldest of several with a matching selector wins. */
  readonly creationTimestamp: string;
  readonly concurrency?: number;
  readonly environmentVariables?: Readonly<Record<string, string>>;
  readonly image?: JsonObject;
}

/** Everything a decision depends on. Nothing in it is changed. */
export interface InjectionInput {
  readonly pod: Pod;
  readonly namespace: {
    readonly name: string;
    /** Absent: the selectors of a webhook have chosen this mesh for the pod already. */
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly mesh: ResolvedMesh;
  /** 33 for Kubernetes 1.33: native sidecars are the default from there on. */
  readonly kubernetesMinor: number;
  /**
   * Environment that whoever called asked for, by name: what Istio's webhook takes from its URL
   * (`ISTIO_META_CLUSTER_ID`, `ISTIO_META_NETWORK` and others).
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** The workload, where the pod comes from its manifest; otherwise it is told from the pod's owner. */
  readonly workload?: Workload;
  readonly proxyConfigs?: readonly ProxyConfigResource[];
}
