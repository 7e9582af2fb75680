import type { JsonObject, ResolvedPods } from './resolved-mesh.ts';

/** The agent of Istio's CNI plugin, with every default filled in. */
export interface ResolvedCni extends ResolvedPods {
  readonly enabled: boolean;
  readonly namespace: string;
  /** Complete image reference. */
  readonly image: string;
  /** What it reads of its ConfigMap, by the names of variables. */
  readonly config: Readonly<Record<string, string>>;
  /** `--log_output_level`. */
  readonly logLevel: string;
  readonly logAsJson: boolean;
  /** Paths on the node: plugins, their configuration, networks of pods. */
  readonly paths: { readonly plugins: string; readonly configurations: string; readonly networks: string };
  readonly provider: 'default' | 'multus';
  /** Whether it hands traffic of pods without a sidecar to ztunnel. */
  readonly isAmbient: boolean;
  /** Whether its pods are in the network of their node. */
  readonly sharesHostNetwork: boolean;
  /** What becomes of pods that started too early. */
  readonly repair: 'None' | 'RepairPods' | 'DeletePods' | 'LabelPods' | 'Report';
  /** Whether it needs the security context constraint `privileged` of OpenShift. */
  readonly isOpenShift: boolean;
  readonly seLinuxOptions?: JsonObject;
  readonly seccompProfile?: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminationGracePeriodSeconds: number;
  /** Pods that its ResourceQuota allows; absent when there is none. */
  readonly quota?: number;
}
