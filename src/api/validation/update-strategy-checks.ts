import { nodeComponents } from '../node-components.ts';
import type { Problem } from '../problem.ts';
import type { DaemonSetSettings } from '../spec/kubernetes-settings.ts';
import type { Draft } from './schema-problems.ts';
import { nodeValuesOf, type SpecView } from './spec-view.ts';

/** How pods on nodes are replaced: the API server refuses what contradicts itself only once it is applied. */
export function checkUpdateStrategies(view: SpecView): Problem[] {
  const { components } = view.spec;
  const places = [
    ...nodeComponents.map((name) => ({
      path: `spec.components.${name}.k8s.strategy`,
      strategy: components?.[name]?.k8s?.strategy,
    })),
    ...nodeValuesOf(view).map(({ path, values }) => ({
      path: `${path}.updateStrategy`,
      strategy: values.updateStrategy,
    })),
  ];
  return places.flatMap(({ path, strategy }) => checkUpdateStrategy(path, strategy ?? {}));
}

function checkUpdateStrategy(
  path: string,
  { type, rollingUpdate }: Draft<NonNullable<DaemonSetSettings['strategy']>>,
): Problem[] {
  if (type === 'OnDelete' && rollingUpdate !== undefined) {
    return [{ path: `${path}.rollingUpdate`, message: 'must be left out with type OnDelete' }];
  }
  const { maxSurge, maxUnavailable } = rollingUpdate ?? {};
  if (maxSurge === undefined || maxUnavailable === undefined || isNone(maxSurge) !== isNone(maxUnavailable)) {
    return [];
  }
  const message = isNone(maxSurge)
    ? 'must not be 0 together with maxUnavailable'
    : 'must be 0 or left out together with maxUnavailable: a node has one pod more, or one less';
  return [{ path: `${path}.rollingUpdate.maxSurge`, message }];
}

function isNone(count: number | string): boolean {
  return count === 0 || count === '0%';
}
