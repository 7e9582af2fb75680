/** Writes the authority, `cacerts`, and the annotation of istiod's pods. */
export const objectManager = 'mesh-operator-trust';
/** Writes the part of `status` that is this controller's. */
export const statusManager = 'mesh-operator-trust-status';
