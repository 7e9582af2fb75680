/** Field manager of the data-plane controller's part of `status`. */
export const statusManager = 'mesh-operator-data-plane';
/** Field manager of `status.upgrade`, and of what it says of it. */
export const upgradeStatusManager = 'mesh-operator-upgrade';
/** Field manager of the annotation by which a workload is restarted. */
export const restartManager = 'mesh-operator-restart';
