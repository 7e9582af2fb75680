import { describe, expect, it } from 'vitest';
import { decideInjection } from '../../../src/injection/decide-injection.ts';
import { PodRejectedError } from '../../../src/injection/pod-rejected-error.ts';
import { anInput, aPod, aPodWith } from '../../support/injection-input.ts';
import { aResolvedMesh } from '../../support/resolved-mesh.ts';

type Labels = Record<string, string>;

const enabled = { 'istio-injection': 'enabled' };
const asks = { 'sidecar.istio.io/inject': 'true' };
const refuses = { 'sidecar.istio.io/inject': 'false' };
const canary = { 'istio.io/rev': 'canary' };

/** Who injects a pod: the default revision, the revision canary, both or nobody. */
const responsibility: readonly (readonly [
  name: string,
  namespace: Labels,
  pod: Labels,
  by: 'default' | 'canary' | 'nobody',
])[] = [
  ['an enabled namespace', enabled, {}, 'default'],
  ['an enabled namespace with a revision beside it', { ...enabled, ...canary }, {}, 'default'],
  ['an enabled namespace whose pod names a revision', enabled, canary, 'default'],
  ['a pod that refuses in an enabled namespace', enabled, refuses, 'nobody'],
  ['a disabled namespace', { 'istio-injection': 'disabled' }, {}, 'nobody'],
  [
    'a pod that asks in a disabled namespace',
    { 'istio-injection': 'disabled' },
    { ...asks, ...canary },
    'nobody',
  ],
  ['a namespace of a revision', canary, {}, 'canary'],
  ['a namespace of a revision whose pod names another', canary, { 'istio.io/rev': 'other' }, 'canary'],
  ['a pod that refuses in a namespace of a revision', canary, refuses, 'nobody'],
  ['a namespace of the revision default', { 'istio.io/rev': 'default' }, {}, 'default'],
  ['a namespace of an unknown revision', { 'istio.io/rev': 'gone' }, {}, 'nobody'],
  ['a pod that asks', {}, asks, 'default'],
  ['a pod that names a revision', {}, canary, 'canary'],
  ['a pod that names a revision and asks', {}, { ...canary, ...asks }, 'canary'],
  ['a pod that names a revision and refuses', {}, { ...canary, ...refuses }, 'nobody'],
  ['a pod that asks with another word', {}, { 'sidecar.istio.io/inject': 'yes' }, 'nobody'],
  ['no label at all', {}, {}, 'nobody'],
];

describe('the control plane that is responsible', () => {
  it.each(responsibility)('for %s', (_name, namespace, labels, by) => {
    const input = anInput({
      namespace: { name: 'apps', labels: namespace },
      pod: aPod({ metadata: { labels } }),
    });
    const injects = (revision: string) =>
      decideInjection({ ...input, mesh: aResolvedMesh({ revision }) }).kind === 'inject';

    expect({ default: injects(''), canary: injects('canary') }).toEqual({
      default: by === 'default',
      canary: by === 'canary',
    });
  });

  it('is also one whose tag is named', () => {
    const mesh = aResolvedMesh({ revision: 'v1', revisionTags: ['prod', 'default'] });
    const kinds = [{ 'istio.io/rev': 'prod' }, { 'istio.io/rev': 'v1' }, enabled].map(
      (labels) => decideInjection(anInput({ mesh, namespace: { name: 'apps', labels } })).kind,
    );

    expect(kinds).toEqual(['inject', 'inject', 'inject']);
  });
});

describe('a pod that the selectors of a webhook have chosen', () => {
  it.each([
    ['of another revision', canary, 'inject'],
    ['that asks for nothing', {}, 'inject'],
    ['that refuses', refuses, 'skip'],
  ])('is judged by policy alone: one %s', (_name, labels, kind) => {
    const input = anInput({ namespace: { name: 'apps' }, pod: aPod({ metadata: { labels } }) });

    expect(decideInjection(input).kind).toBe(kind);
  });
});

describe('the namespace of the control plane', () => {
  const namespace = { name: 'istio-system', labels: enabled };
  const selfTest = { 'meshoperator.dev/injector-self-test': '' };

  it.each([
    ['a pod that asks', asks, 'ControlPlaneNamespace'],
    ['a self-test', selfTest, undefined],
    ['a self-test that refuses', { ...selfTest, ...refuses }, 'PodOptedOut'],
  ])('decides about %s', (_name, labels, reason) => {
    for (const place of [namespace, { name: namespace.name }]) {
      const decision = decideInjection(anInput({ namespace: place, pod: aPod({ metadata: { labels } }) }));

      expect(decision.kind === 'skip' ? decision.reason : undefined).toBe(reason);
    }
  });
});

describe('templates', () => {
  const mesh = aResolvedMesh();
  const withTemplates = {
    ...mesh,
    injection: {
      ...mesh.injection,
      templates: { mine: '' },
      templateAliases: { both: ['sidecar', 'mine'], again: ['both'] },
    },
  };

  it.each([
    [undefined, ['sidecar']],
    ['gateway', ['gateway']],
    [' sidecar , mine ', ['sidecar', 'mine']],
    ['both', ['sidecar', 'mine']],
  ])('of the annotation %j are %j', (annotation, templates) => {
    const pod = annotation === undefined ? aPod() : aPodWith({ 'inject.istio.io/templates': annotation });

    expect(decideInjection(anInput({ pod, mesh: withTemplates }))).toMatchObject({ templates });
  });

  it.each(['nope', '', 'again', '__proto__', 'constructor', 'sidecar,'.repeat(17)])(
    'that do not exist are refused: %j',
    (annotation) => {
      const pod = aPodWith({ 'inject.istio.io/templates': annotation });

      expect(() => decideInjection(anInput({ pod, mesh: withTemplates }))).toThrow(PodRejectedError);
      expect(() => decideInjection(anInput({ pod, mesh: withTemplates }))).toThrow(
        /inject\.istio\.io\/templates/,
      );
    },
  );
});
