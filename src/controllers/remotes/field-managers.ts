/** Writes remote secrets here, and what their tokens stand on in other clusters. */
export const objectManager = 'mesh-operator-remotes';
/** Writes the token for one cluster into the Secret that has those for all. */
export function tokenManager(clusterName: string): string {
  return `${objectManager}-${clusterName}`;
}
/** Writes the part of `status` that is this controller's. */
export const statusManager = 'mesh-operator-remotes-status';
