/** What rendering needs beside the resolved mesh: facts of the cluster's MeshOperator object, not of its spec. */
export interface RenderContext {
  /**
   * `metadata.uid` of the MeshOperator. With it, objects in the MeshOperator's own namespace carry an owner
   * reference to it; without it (rendering from a file) none does.
   */
  readonly ownerUid?: string;
}
