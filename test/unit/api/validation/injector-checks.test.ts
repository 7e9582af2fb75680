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
  [
    'defaults of a namespace that say nothing',
    { sidecarInjector: { proxyDefaults: [{ namespaces: ['shop'] }] } },
    /^spec\.sidecarInjector\.proxyDefaults\[0\]: must have resources or concurrency/,
  ],
  [
    'defaults of no namespace',
    { sidecarInjector: { proxyDefaults: [{ namespaces: [], concurrency: 1 }] } },
    /^spec\.sidecarInjector\.proxyDefaults\[0\]\.namespaces: must name a namespace/,
  ],
  [
    'two defaults of one namespace',
    {
      sidecarInjector: {
        proxyDefaults: [
          { namespaces: ['shop'], concurrency: 1 },
          { namespaces: ['pay', 'shop'], concurrency: 2 },
        ],
      },
    },
    /^spec\.sidecarInjector\.proxyDefaults\[1\]\.namespaces\[1\]: names shop a second time, after spec\.sidecarInjector\.proxyDefaults\[0\]\.namespaces\[0\]/,
  ],
  [
    'a request of a namespace above the limit of the mesh',
    {
      values: { global: { proxy: { resources: { limits: { cpu: '1' } } } } },
      sidecarInjector: {
        proxyDefaults: [{ namespaces: ['shop'], resources: { requests: { cpu: '1500m' } } }],
      },
    },
    /^spec\.sidecarInjector\.proxyDefaults\[0\]\.resources\.requests\.cpu: must not be more than the limit, but 1500m is more than 1/,
  ],
  [
    'a request of proxies above the default limit',
    { values: { global: { proxy: { resources: { requests: { memory: '2Gi' } } } } } },
    /^spec\.values\.global\.proxy\.resources\.requests\.memory: must not be more than the limit/,
  ],
  [
    'defaults with a resource that is none',
    { sidecarInjector: { proxyDefaults: [{ namespaces: ['shop'], resources: { limits: { cpus: '1' } } }] } },
    /^spec\.sidecarInjector\.proxyDefaults\[0\]\.resources\.limits\.cpus: is not a resource/,
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
