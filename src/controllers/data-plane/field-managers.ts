/** Field manager of the data-plane controller's part of `status`. */
export const statusManager = 'mesh-operator-data-plane';
