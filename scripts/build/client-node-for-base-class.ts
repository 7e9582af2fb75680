/** What the base class of `@dot-i/k8s-operator` touches of the Kubernetes client when it is made (ADR 2). */
export { KubeConfig } from '@kubernetes/client-node';

/** The base class makes one in its constructor; every method that would use it is overridden. */
export class CoreV1Api {}
