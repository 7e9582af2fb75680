/** The ConfigMap in a control-plane namespace by which operators of other clusters read what that cluster trusts, */
export const trustStatementName = 'mesh-operator-trust';
/** and its key. */
export const trustStatementKey = 'statement.json';
