import {
  type Container,
  findContainer,
  initContainerName,
  type Pod,
  proxyContainerName,
  validationContainerName,
} from './pod.ts';

/**
 * Puts the injector's containers where they must run and leaves all others in their order. A native sidecar comes
 * before every init container, so that these are in the mesh; otherwise traffic is captured after them, since the
 * proxy does not run yet. Changes the pod.
 */
export function orderContainers(pod: Pod, options: { readonly isProxyFirst: boolean }): void {
  const { spec } = pod;
  spec.containers = options.isProxyFirst
    ? withFirst(spec.containers, [proxyContainerName])
    : withLast(spec.containers, proxyContainerName);
  if (!Array.isArray(spec.initContainers)) return;
  spec.initContainers =
    findContainer(spec.initContainers, proxyContainerName) === undefined
      ? withLast(withFirst(spec.initContainers, [validationContainerName]), initContainerName)
      : withFirst(spec.initContainers, [initContainerName, validationContainerName, proxyContainerName]);
}

function withFirst(containers: Container[], names: readonly string[]): Container[] {
  const first = names.flatMap((name) => findContainer(containers, name) ?? []);
  return [...first, ...containers.filter(({ name }) => !names.includes(name))];
}

function withLast(containers: Container[], name: string): Container[] {
  return [
    ...containers.filter((container) => container.name !== name),
    ...containers.filter((container) => container.name === name),
  ];
}
