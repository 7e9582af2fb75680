/**
 * What the base class of `@dot-i/k8s-operator` touches of the Kubernetes client when it is made (ADR 2). Every method
 * that would use it is overridden. Not the real one: it would bring all generated API models into the bundle.
 */
export class KubeConfig {
  loadFromDefault(): void {}

  makeApiClient(): CoreV1Api {
    return new CoreV1Api();
  }
}

export class CoreV1Api {}
