/**
 * How the operator's image is started as an injector. The image's own entrypoint keeps code and young objects small,
 * for the sake of an operator with many meshes; an injector has few long-lived objects, and a pod waits for each of its
 * answers (docs/reference/performance.md).
 */
export const injectorCommand: readonly string[] = ['/usr/local/bin/node', '/app/mesh-operator.js'];

/** In the place of the image's NODE_OPTIONS. */
export const injectorNodeOptions = '--max-semi-space-size=4 --max-old-space-size=256';
