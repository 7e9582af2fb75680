/** Field manager of every object of a mesh (server-side apply). */
export const objectManager = 'mesh-operator';
/** Field manager of the mesh controller's part of `status`. */
export const statusManager = 'mesh-operator-mesh';
/** Field manager of Istio's CRDs, which belong to the cluster. */
export const crdManager = 'mesh-operator-crds';
/** Field manager of the labels on members of a tenant. */
export const memberManager = 'mesh-operator-members';
