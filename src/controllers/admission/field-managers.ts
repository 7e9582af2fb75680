/** Field manager of what the admission controller writes into webhook configurations and Secrets. */
export const webhookManager = 'mesh-operator-admission-objects';
/** Field manager of the admission controller's part of `status`. */
export const statusManager = 'mesh-operator-admission';
