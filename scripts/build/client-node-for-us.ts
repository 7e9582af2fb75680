/** What our own code uses of the Kubernetes client. */
export { KubeConfig } from '../../node_modules/@kubernetes/client-node/dist/config.js';
export { Exec } from '../../node_modules/@kubernetes/client-node/dist/exec.js';
