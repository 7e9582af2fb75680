import type { Container, Pod } from '../../src/injection/pod.ts';

/** The pod with the empty blocks that an API server adds: istiod's patch counts on them. */
export function asStored(pod: Pod): Pod {
  const stored = (container: Container): Container => ({
    ...container,
    resources: container.resources ?? {},
  });
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(stored),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(stored) }),
    },
    status: {},
  };
}
