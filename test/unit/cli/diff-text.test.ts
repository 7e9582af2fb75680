import { expect, test } from 'vitest';
import { diffText } from '../../../src/cli/diff-text.ts';
import { fieldChanges, type ObjectChange } from '../../../src/cli/object-change.ts';
import type { Paint } from '../../../src/cli/paint.ts';
import { specChanges } from '../../../src/cli/spec-changes.ts';
import { diffObject } from '../../../src/kube/diff/diff-object.ts';

const plain: Paint = (_style, text) => text;

function linesOf(changes: readonly ObjectChange[], restarts: readonly string[] = []): string[] {
  return diffText({ namespace: 'a', name: 'mesh', changes, restarts, notes: [] }, plain).split('\n');
}

test('each object has a mark, and below it its fields', () => {
  const lines = linesOf(
    [
      { object: 'Service a/new', action: 'create' },
      {
        object: 'Deployment a/istiod',
        action: 'change',
        fields: [
          { path: 'spec.replicas', from: 1, to: 2, manager: 'kubectl' },
          { path: 'spec.paused', from: true },
          { path: 'spec.minReadySeconds', to: 5 },
        ],
      },
      { object: 'Service a/old', action: 'prune' },
      { object: 'Service a/other', action: 'refuse', why: 'it exists already' },
      { object: 'Service a/kept', action: 'leave', why: 'ours' },
    ],
    ['Deployment a/istiod'],
  );

  expect(lines).toEqual([
    'a/mesh: 5 objects would differ',
    '  + Service a/new',
    '  ~ Deployment a/istiod',
    '      ~ spec.replicas: 1 -> 2 (of kubectl)',
    '      - spec.paused: true',
    '      + spec.minReadySeconds: 5',
    '  - Service a/old',
    '  ! Service a/other would be refused: it exists already',
    '  = Service a/kept is left as it is: ours',
    '  Pods made anew: Deployment a/istiod',
    '',
  ]);
});

test('of a text of many lines those that differ are shown, with one around them', () => {
  const from = ['a', 'b', 'c', 'd', 'e'].join('\n');
  const fields = [{ path: 'data.mesh', from, to: from.replace('c', 'C') }];

  expect(linesOf([{ object: 'ConfigMap a/istio', action: 'change', fields }]).slice(2)).toEqual([
    '      ~ data.mesh:',
    ...['           b', '          -c', '          +C', '           d', ''],
  ]);
});

test('of a Secret only paths are shown', () => {
  const secret = (data: string) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key', namespace: 'a' } },
    data: { key: data },
  });
  const drifts = diffObject(secret('bmV3'), secret('b2xk'), { fieldManager: 'us' });

  const lines = linesOf([{ object: 'Secret a/key', action: 'change', fields: fieldChanges(drifts) }]);

  expect(lines.slice(1)).toEqual(['  ~ Secret a/key', '      ~ data.key: not shown', '']);
});

test('a field whose owner alone changes is no change of it', () => {
  const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { type: 'ClusterIP' } };
  const drifts = diffObject(object, object, { fieldManager: 'us' });

  expect(drifts).not.toEqual([]);
  expect(fieldChanges(drifts)).toEqual([]);
});

test('two specs are compared field by field, and lists as a whole', () => {
  const before = { tag: 'a', meshConfig: { trustDomain: 'x', accessLogFile: '' }, tags: ['a'] };
  const after = { meshConfig: { trustDomain: 'y', accessLogFile: '' }, tags: ['a', 'b'] };

  expect(specChanges(before, after, 'spec')).toEqual([
    { path: 'spec.meshConfig.trustDomain', from: 'x', to: 'y' },
    { path: 'spec.tag', from: 'a' },
    { path: 'spec.tags', from: ['a'], to: ['a', 'b'] },
  ]);
});
