/** What rendering needs beside the resolved mesh: facts of the cluster and of the operator, not of the spec. */
export interface RenderContext {
  /**
   * `metadata.uid` of the MeshOperator. With it, objects in the MeshOperator's own namespace carry an owner
   * reference to it; without it (rendering from a file) none does.
   */
  readonly ownerUid?: string;
  /** The operator's own image, which injectors run, too. */
  readonly operatorImage: string;
  /** Minor version of the API server: 35 for Kubernetes 1.35. It decides about native sidecars. */
  readonly kubernetesMinor: number;
}
