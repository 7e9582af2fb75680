/** Writes the authority, `cacerts`, and the annotation of istiod's pods. */
export const objectManager = 'mesh-operator-trust';
/** Writes copies of the bundle of an external authority. */
export const bundleManager = 'mesh-operator-bundle';
/** Writes the part of `status` that is this controller's. */
export const statusManager = 'mesh-operator-trust-status';
