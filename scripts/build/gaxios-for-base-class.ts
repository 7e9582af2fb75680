/** The base class of `@dot-i/k8s-operator` sends requests with it in methods that we override (ADR 2). */
export function request(): never {
  throw new Error('The base class of the process sends no requests (ADR 2)');
}
