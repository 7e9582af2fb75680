import type { Problem } from '../problem.ts';
import { environmentNameRule, qualifiedNameRule, type TextRule } from '../spec/field-format.ts';
import { gatewaysOf, nodeValuesOf, type SpecView, workloadsOf } from './spec-view.ts';

/** Keys of label and annotation maps, and of `env` in values: a schema of the API server cannot check keys. */
export function checkMapKeys(view: SpecView): Problem[] {
  const pilot = view.spec.values?.pilot;
  const maps: readonly {
    readonly path: string;
    readonly map: object | undefined;
    readonly rule: TextRule;
  }[] = [
    { path: 'spec.values.pilot.nodeSelector', map: pilot?.nodeSelector, rule: qualifiedNameRule },
    { path: 'spec.values.pilot.podAnnotations', map: pilot?.podAnnotations, rule: qualifiedNameRule },
    { path: 'spec.values.pilot.podLabels', map: pilot?.podLabels, rule: qualifiedNameRule },
    { path: 'spec.values.pilot.serviceAnnotations', map: pilot?.serviceAnnotations, rule: qualifiedNameRule },
    {
      path: 'spec.values.ztunnel.nodeSelector',
      map: view.spec.values?.ztunnel?.nodeSelector,
      rule: qualifiedNameRule,
    },
    {
      path: 'spec.values.ztunnel.annotations',
      map: view.spec.values?.ztunnel?.annotations,
      rule: qualifiedNameRule,
    },
    { path: 'spec.values.pilot.env', map: pilot?.env, rule: environmentNameRule },
    ...nodeValuesOf(view).flatMap(({ path, values, labels }) => [
      ...labels.map((own) => ({ ...own, rule: qualifiedNameRule })),
      { path: `${path}.podAnnotations`, map: values.podAnnotations, rule: qualifiedNameRule },
      { path: `${path}.env`, map: values.env, rule: environmentNameRule },
    ]),
    ...gatewaysOf(view).map(({ path, gateway }) => ({
      path: `${path}.label`,
      map: gateway.label,
      rule: qualifiedNameRule,
    })),
    ...workloadsOf(view).flatMap(({ path, settings }) => [
      { path: `${path}.nodeSelector`, map: settings.nodeSelector, rule: qualifiedNameRule },
      { path: `${path}.podAnnotations`, map: settings.podAnnotations, rule: qualifiedNameRule },
      { path: `${path}.serviceAnnotations`, map: settings.serviceAnnotations, rule: qualifiedNameRule },
    ]),
  ];
  return maps.flatMap(({ path, map, rule }) =>
    Object.keys(map ?? {})
      .filter((key) => key.length > rule.maxLength || !rule.pattern.test(key))
      .map((key) => ({ path: `${path}[${JSON.stringify(key)}]`, message: rule.message })),
  );
}
