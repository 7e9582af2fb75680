import { builtInTemplateNames, spireTemplateName, templateProblem } from '../injection-templates.ts';
import type { Problem } from '../problem.ts';
import { qualifiedNameRule } from '../spec/field-format.ts';
import { findRepeatedBy } from './duplicates.ts';
import { nearestName } from './nearest-name.ts';
import type { SpecView } from './spec-view.ts';

/** The text of each template of `spec.sidecarInjector`. */
export function checkInjectionTemplates({ spec }: SpecView): Problem[] {
  return Object.entries(spec.sidecarInjector?.templates ?? {}).flatMap(([name, text]) => {
    const path = `spec.sidecarInjector.templates[${JSON.stringify(name)}]`;
    const problem = text === undefined ? undefined : templateProblem(text);
    return problem === undefined ? [] : [{ path, message: problem }];
  });
}

/** Every name of a template must be one: a pod that is injected with none would be refused. */
export function checkTemplateNames({ spec }: SpecView): Problem[] {
  const injector = spec.sidecarInjector ?? {};
  const templates = [
    ...builtInTemplateNames,
    ...(spec.certificateAuthority?.provider === 'Spire' ? [spireTemplateName] : []),
    ...Object.keys(injector.templates ?? {}),
  ];
  const aliases = Object.keys(injector.templateAliases ?? {});
  return [
    ...unknownNames('spec.sidecarInjector.defaultTemplates', injector.defaultTemplates, [
      ...templates,
      ...aliases,
    ]),
    ...unknownNames(
      'spec.values.sidecarInjectorWebhook.defaultTemplates',
      spec.values?.sidecarInjectorWebhook?.defaultTemplates,
      [...templates, ...aliases],
    ),
    ...Object.entries(injector.templateAliases ?? {}).flatMap(([alias, names]) =>
      unknownNames(`spec.sidecarInjector.templateAliases[${JSON.stringify(alias)}]`, names, templates),
    ),
  ];
}

/** Keys of `injectedAnnotations`, which no schema of the API server can check. */
export function checkInjectedAnnotations({ spec }: SpecView): Problem[] {
  const maps = [
    { path: 'spec.sidecarInjector.injectedAnnotations', map: spec.sidecarInjector?.injectedAnnotations },
    {
      path: 'spec.values.sidecarInjectorWebhook.injectedAnnotations',
      map: spec.values?.sidecarInjectorWebhook?.injectedAnnotations,
    },
  ];
  return maps.flatMap(({ path, map }) =>
    Object.keys(map ?? {})
      .filter((key) => !qualifiedNameRule.pattern.test(key))
      .map((key) => ({ path: `${path}[${JSON.stringify(key)}]`, message: qualifiedNameRule.message })),
  );
}

/** Each entry says something, and each namespace is in one of them. */
export function checkProxyDefaults({ spec }: SpecView): Problem[] {
  const entries = (spec.sidecarInjector?.proxyDefaults ?? []).map((entry, index) => ({
    path: `spec.sidecarInjector.proxyDefaults[${index}]`,
    entry,
  }));
  const empty = entries
    .filter(
      ({ entry }) => entry !== undefined && entry.resources === undefined && entry.concurrency === undefined,
    )
    .map(({ path }) => ({ path, message: 'must have resources or concurrency' }));
  const named = entries.flatMap(({ path, entry }) =>
    (entry?.namespaces ?? []).map((namespace, position) => ({
      path: `${path}.namespaces[${position}]`,
      namespace,
    })),
  );
  const twice = findRepeatedBy(
    named,
    ({ namespace }) => namespace,
    ({ path }, first, namespace) => ({
      path,
      message: `names ${namespace} a second time, after ${first.path}: keep one of them`,
    }),
  );
  return [...empty, ...twice];
}

/** A tag is another name of the revision. */
export function checkRevisionTags({ spec }: SpecView): Problem[] {
  const own = spec.revision ?? 'default';
  return (spec.revisionTags ?? []).flatMap((tag, index) =>
    tag === own
      ? [{ path: `spec.revisionTags[${index}]`, message: `must not be ${tag}: that is the revision itself` }]
      : [],
  );
}

function unknownNames(
  path: string,
  names: readonly (string | undefined)[] | undefined,
  known: readonly string[],
): Problem[] {
  return (names ?? []).flatMap((name, index) => {
    if (name === undefined || known.includes(name)) return [];
    const problem = {
      path: `${path}[${index}]`,
      message: `names the template ${JSON.stringify(name)}, which does not exist: use one of ${known.join(', ')}`,
    };
    const suggestion = nearestName(name, known);
    return [suggestion === undefined ? problem : { ...problem, suggestion }];
  });
}
