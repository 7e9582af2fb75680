import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { seedFromObserved, withoutNulls } from '../../../../src/kube/apply/desired-object.ts';

function aWebhookConfiguration(...webhooks: Record<string, unknown>[]): KubernetesObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'w' },
    webhooks,
  };
}

describe('a desired object', () => {
  test('loses its nulls at any depth, and is not changed itself', () => {
    const object = {
      ...aWebhookConfiguration({ name: 'a', rules: null, list: [{ b: null, c: 0 }] }),
      spec: null,
    };

    expect(withoutNulls(object)).toEqual(aWebhookConfiguration({ name: 'a', list: [{ c: 0 }] }));
    expect(object.spec).toBeNull();
  });

  test('takes seeded fields from what is there, item by item', () => {
    const desired = aWebhookConfiguration(
      { name: 'a', failurePolicy: 'Ignore' },
      { name: 'b', failurePolicy: 'Ignore' },
      { name: 'c' },
    );
    const observed = aWebhookConfiguration(
      { name: 'c', failurePolicy: 'Fail' },
      { name: 'a', failurePolicy: 'Fail', rules: [] },
    );

    expect(seedFromObserved(desired, observed).webhooks).toEqual([
      { name: 'a', failurePolicy: 'Fail' },
      { name: 'b', failurePolicy: 'Ignore' },
      { name: 'c' },
    ]);
  });
});
