import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../../src/api/kubernetes-object.ts';
import { takeOverFields } from '../../../../src/kube/apply/take-over-fields.ts';

const takeOver = { from: ['helm'], to: 'mesh-operator' };

function claim(
  manager: string,
  fieldsV1: object,
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry {
  return { manager, operation: 'Update', apiVersion: 'apps/v1', ...more, fieldsV1: { ...fieldsV1 } };
}

function owned(...managedFields: ManagedFieldsEntry[]): KubernetesObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'istiod', managedFields } };
}

describe('taking fields over', () => {
  test('gives all that the others own to us, however they have written it, beside what we own already', () => {
    const object = owned(
      claim('helm', { 'f:spec': { 'f:replicas': {}, 'f:strategy': { 'f:type': {} } } }, { time: 'then' }),
      claim('helm', { 'f:data': {} }, { operation: 'Apply' }),
      claim(
        'mesh-operator',
        { 'f:spec': { 'f:strategy': { 'f:rollingUpdate': {} } } },
        { operation: 'Apply' },
      ),
    );

    expect(takeOverFields(object, takeOver)).toEqual([
      claim(
        'mesh-operator',
        {
          'f:spec': { 'f:replicas': {}, 'f:strategy': { 'f:type': {}, 'f:rollingUpdate': {} } },
          'f:data': {},
        },
        { operation: 'Apply' },
      ),
    ]);
  });

  test('makes a claim of ours where there is none', () => {
    const object = owned(claim('helm', { 'f:data': {} }, { time: 'then' }));

    expect(takeOverFields(object, takeOver)).toEqual([
      claim('mesh-operator', { 'f:data': {} }, { operation: 'Apply', time: 'then' }),
    ]);
  });

  test.each([
    ['other managers', claim('people', { 'f:data': {} })],
    ['a subresource', claim('helm', { 'f:status': {} }, { subresource: 'status' })],
    ['another API version', claim('helm', { 'f:data': {} }, { apiVersion: 'apps/v1beta1' })],
  ])('leaves what belongs to %s', (_whose, entry) => {
    const object = owned(entry, claim('helm', { 'f:metadata': {} }));

    expect(takeOverFields(object, takeOver)).toEqual([
      entry,
      claim('mesh-operator', { 'f:metadata': {} }, { operation: 'Apply' }),
    ]);
    expect(takeOverFields(owned(entry), takeOver)).toBeUndefined();
  });

  test('leaves them what they are to keep, and takes nothing when it looks again', () => {
    const object = owned(
      claim('helm', { 'f:spec': { 'f:template': { 'f:spec': {} }, 'f:strategy': {} }, 'f:metadata': {} }),
    );
    const careful = { ...takeOver, except: ['spec.template'] };

    const managedFields = takeOverFields(object, careful) ?? [];

    expect(managedFields).toEqual([
      claim('helm', { 'f:spec': { 'f:template': { 'f:spec': {} } } }),
      claim('mesh-operator', { 'f:spec': { 'f:strategy': {} }, 'f:metadata': {} }, { operation: 'Apply' }),
    ]);
    expect(takeOverFields(owned(...managedFields), careful)).toBeUndefined();
  });

  test('leaves to nobody what is to be released', () => {
    const object = owned(claim('helm', { 'f:spec': { 'f:replicas': {}, 'f:strategy': {} } }));

    expect(takeOverFields(object, { ...takeOver, release: ['spec.replicas'] })).toEqual([
      claim('mesh-operator', { 'f:spec': { 'f:strategy': {} } }, { operation: 'Apply' }),
    ]);
  });
});
