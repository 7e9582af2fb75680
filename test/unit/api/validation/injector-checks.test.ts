import { describe, expect, it } from 'vitest';
import type { MeshOperatorSpec } from '../../../../src/api/mesh-operator-spec.ts';
import { problemText } from '../../../../src/api/problem.ts';
import { validateMeshOperator } from '../../../../src/api/validate.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';

const rows: readonly (readonly [name: string, spec: unknown, problem: RegExp])[] = [
  [
    'a template that is none',
    { sidecarInjector: { templates: { mine: '{{#if x}}' } } },
    /^spec\.sidecarInjector\.templates\["mine"\]: must be a Handlebars template/,
  ],
  [
    'a template of istiod',
    { sidecarInjector: { templates: { mine: '{{ .Values.global.hub }}' } } },
    /^spec\.sidecarInjector\.templates\["mine"\]: must be a Handlebars template/,
  ],
  [
    'templates among the values',
    { values: { sidecarInjectorWebhook: { templates: {} } } },
    /^spec\.values\.sidecarInjectorWebhook\.templates: .*spec\.sidecarInjector\.templates/,
  ],
  [
    'the default template that does not exist',
    { sidecarInjector: { defaultTemplates: ['sidecra'] } },
    /^spec\.sidecarInjector\.defaultTemplates\[0\]: .*does not exist.*did you mean "sidecar"/,
  ],
  [
    'an alias of an alias',
    { sidecarInjector: { templateAliases: { a: ['sidecar'], b: ['a'] } } },
    /^spec\.sidecarInjector\.templateAliases\["b"\]\[0\]: /,
  ],
  [
    'an annotation whose name is none',
    { sidecarInjector: { injectedAnnotations: { 'a b': 'c' } } },
    /^spec\.sidecarInjector\.injectedAnnotations\["a b"\]: must be a label key/,
  ],
  ['a tag that is the revision', { revision: 'a', revisionTags: ['b', 'a'] }, /^spec\.revisionTags\[1\]: /],
  ['a tag default of the default revision', { revisionTags: ['default'] }, /^spec\.revisionTags\[0\]: /],
  [
    'bad address ranges',
    { values: { global: { proxy: { includeIPRanges: 'all' } } } },
    /^spec\.values\.global\.proxy\.includeIPRanges: must be address ranges/,
  ],
  [
    'bad ports',
    { values: { global: { proxy: { excludeInboundPorts: '80 81' } } } },
    /^spec\.values\.global\.proxy\.excludeInboundPorts: must be port numbers/,
  ],
];

describe('the injector of a spec', () => {
  it.each(rows)('must not have %s', (_name, spec, problem) => {
    const problems = validateMeshOperator(aMeshOperator(spec as MeshOperatorSpec)).map(problemText);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});
