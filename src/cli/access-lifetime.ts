/** How long the token is valid that the operator gets into another cluster with; half of it is used. */
export const defaultAccessLifetime = '720h';
